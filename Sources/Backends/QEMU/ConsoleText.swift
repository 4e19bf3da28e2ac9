/// Makes lines of what a serial console sends, which comes in pieces of any size: control sequences are taken out, and a
/// carriage return starts the line anew only when a terminal would show so.
struct ConsoleText: Sendable {
  private enum State {
    case text
    /// After ESC.
    case escape
    /// After `ESC [`: a control sequence, up to a byte from `@` to `~`.
    case sequence
    /// After `ESC ]`, `ESC P` and their like: a string, up to BEL or `ESC \`.
    case string
    /// ESC within a string.
    case stringEnd
    /// After ESC and an intermediate byte: one byte more.
    case designation
  }

  /// A line longer than this is cut into several.
  static let lengthLimit = 2000

  private var state = State.text
  private var current: [UInt8] = []

  /// The line that has begun and not ended, such as a prompt.
  var unfinished: String { String(decoding: current, as: UTF8.self) }

  /// Takes more bytes and returns the lines that they end, without empty ones.
  mutating func take(_ bytes: some Sequence<UInt8>) -> [String] {
    var lines: [String] = []
    for byte in bytes {
      if let line = take(byte) { lines.append(line) }
    }
    return lines
  }

  private mutating func take(_ byte: UInt8) -> String? {
    switch state {
    case .text:
      switch byte {
      case 0x1B: state = .escape
      case 0x0A, 0x0D: return endLine()
      case 0x09: current.append(0x20)
      case 0x08: if let last = current.last, last < 0x80 { current.removeLast() }
      case ..<0x20, 0x7F: break
      default:
        current.append(byte)
        if current.count >= Self.lengthLimit { return endLine() }
      }
    case .escape:
      switch byte {
      case UInt8(ascii: "["): state = .sequence
      case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"):
        state = .string
      case 0x20...0x2F: state = .designation
      default: state = .text
      }
    case .sequence:
      switch byte {
      case 0x48, 0x66:
        // The cursor was put elsewhere: firmware and boot loaders draw their lines so.
        state = .text
        return endLine()
      case 0x40...0x7E: state = .text
      case 0x0A, 0x0D, 0x1B:
        // A sequence that broke off must not swallow what follows.
        state = .text
        return take(byte)
      default: break
      }
    case .string:
      switch byte {
      case 0x07: state = .text
      case 0x1B: state = .stringEnd
      case 0x0A, 0x0D:
        state = .text
        return take(byte)
      default: break
      }
    case .stringEnd, .designation:
      state = .text
    }
    return nil
  }

  private mutating func endLine() -> String? {
    defer { current.removeAll(keepingCapacity: true) }
    guard current.contains(where: { $0 != 0x20 }) else { return nil }
    return unfinished
  }
}
