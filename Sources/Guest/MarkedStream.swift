import MusterHost

/// Takes apart what comes on one stream of a remote job: noise before the job begins, what the job writes, and the word
/// with which it ends. Markers carry a number drawn for the job, so that nothing the job writes is taken for one.
///
/// A marker is the byte 0x1E, `muster:<number>:`, a word, and a newline; the first word is `begin`.
struct MarkedStream: Sendable {
  static func marker(_ number: String) -> String { "\u{1E}muster:\(number):" }

  /// The last bytes of what came before the job began: a login shell's greeting, or why there is no job.
  private(set) var noise: [UInt8] = []
  /// The word of the end.
  private(set) var word: String?

  private let marker: [UInt8]
  private(set) var hasBegun = false
  /// Bytes from a 0x1E on that may become a marker.
  private var held: [UInt8] = []
  private static let longestWord = 200
  private static let mostNoise = 4096

  init(number: String) {
    marker = Array(Self.marker(number).utf8)
  }

  /// Takes the next bytes and returns those that are the job's own.
  mutating func take(_ bytes: [UInt8]) -> [UInt8] {
    if word != nil { return [] }
    // The common case, in which nothing is copied.
    if hasBegun, held.isEmpty, bytes.index(of: 0x1E) == nil { return bytes }
    let all = held + bytes
    held = []
    var output: [UInt8] = []
    var position = 0
    while position < all.count, word == nil {
      let start = all.index(of: 0x1E, from: position) ?? all.count
      pass(all[position..<start], to: &output)
      position = start
      guard start < all.count else { break }
      switch marked(in: all, at: start) {
      case .no:
        pass(all[start...start], to: &output)
        position = start + 1
      case .perhaps:
        held = Array(all[start...])
        position = all.count
      case .yes(let found, let end):
        if hasBegun { word = found } else { hasBegun = true }
        position = end
      }
    }
    return output
  }

  /// What was held back when no more bytes come.
  mutating func finish() -> [UInt8] {
    defer { held = [] }
    return hasBegun && word == nil ? held : []
  }

  private mutating func pass(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
    if hasBegun {
      output += bytes
    } else {
      noise = Array((noise + bytes).suffix(Self.mostNoise))
    }
  }

  private enum Finding {
    case no, perhaps
    case yes(word: String, end: Int)
  }

  private func marked(in bytes: [UInt8], at start: Int) -> Finding {
    let there = bytes[start...].prefix(marker.count)
    guard there.elementsEqual(marker.prefix(there.count)) else { return .no }
    guard there.count == marker.count else { return .perhaps }
    let rest = bytes[(start + marker.count)...]
    guard let end = rest.prefix(Self.longestWord).firstIndex(of: 0x0A) else {
      return rest.count < Self.longestWord ? .perhaps : .no
    }
    return .yes(word: String(decoding: rest[..<end], as: UTF8.self), end: end + 1)
  }
}
