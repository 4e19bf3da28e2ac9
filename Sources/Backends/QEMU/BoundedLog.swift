import MusterHost

/// A file that keeps the beginning and the end of what is written to it, so that a guest that never stops talking does
/// not fill the disk. The end is added when it is closed.
struct BoundedLog: ~Copyable {
  private let file: AppendedFile
  private let endLimit: Int
  /// Bytes that the beginning may still have.
  private var room: Int
  private var end: [UInt8] = []
  private var dropped = 0

  /// - Throws: `Failure`.
  init(_ path: String, beginning: Int = 8 << 20, end: Int = 1 << 20) throws(Failure) {
    file = try AppendedFile(path)
    room = beginning
    endLimit = end
  }

  /// An error to write is not told: what the log is of goes on without it.
  mutating func append(_ bytes: [UInt8]) {
    let beginning = bytes.prefix(room)
    if !beginning.isEmpty { try? file.append(Array(beginning)) }
    room -= beginning.count
    end += bytes.dropFirst(beginning.count)
    // Twice the limit at most, so that bytes are moved once per byte and not at each call.
    if end.count > 2 * endLimit { cut() }
  }

  private mutating func cut() {
    dropped += end.count - endLimit
    end.removeFirst(end.count - endLimit)
  }

  mutating func close() {
    if end.count > endLimit { cut() }
    if dropped > 0 { try? file.append("\n[... \(dropped) bytes left out ...]\n") }
    if !end.isEmpty { try? file.append(end) }
    end = []
    dropped = 0
    file.close()
  }
}
