/// Reads what `multipass launch` shows while it works: lines that it writes over each other, with escape sequences between
/// them and a turning bar at their end.
struct LaunchProgress: Sendable {
  /// The instance, which goes without saying.
  let name: String
  private var line: [UInt8] = []
  private var isInEscape = false
  private var last = ""
  private static let longestLine = 200

  init(name: String) {
    self.name = name
  }

  /// The activities that the next bytes begin: `retrieving image: 45%`, `waiting for initialization to complete`.
  mutating func take(_ bytes: [UInt8]) -> [String] {
    var activities: [String] = []
    for byte in bytes {
      if isInEscape {
        // `ESC [ 2 K`
        if byte != UInt8(ascii: "["), !(0x30...0x3F).contains(byte) { isInEscape = false }
        continue
      }
      switch byte {
      case 0x1B, 0x0A, 0x0D, 0x08:
        isInEscape = byte == 0x1B
        if let activity = finishLine() { activities.append(activity) }
      default: if line.count < Self.longestLine { line.append(byte) }
      }
    }
    return activities
  }

  private mutating func finishLine() -> String? {
    defer { line = [] }
    var text = String(decoding: line, as: UTF8.self)[...]
    while let character = text.last, character.isWhitespace || "|/-\\.".contains(character) { text.removeLast() }
    while text.first?.isWhitespace == true { text.removeFirst() }
    if text.hasSuffix(" \(name)") { text.removeLast(name.count + 1) }
    guard text.count > 1, !text.hasPrefix("Launched:") else { return nil }
    let activity = text.prefix(1).lowercased() + text.dropFirst()
    guard activity != last else { return nil }
    last = activity
    return activity
  }
}
