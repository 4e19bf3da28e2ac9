/// The last bytes of a stream.
struct LastBytes: Sendable {
  let limit: Int
  private var bytes: [UInt8] = []

  init(limit: Int) {
    self.limit = limit
  }

  mutating func append(_ chunk: [UInt8]) {
    if chunk.count >= limit {
      bytes = Array(chunk.suffix(limit))
    } else {
      bytes += chunk
      // Not at every append: moving what is kept costs more than a little memory.
      if bytes.count > 2 * limit { bytes = Array(bytes.suffix(limit)) }
    }
  }

  var last: ArraySlice<UInt8> { bytes.suffix(limit) }

  /// As text, broken UTF-8 repaired.
  var text: String { String(decoding: last, as: UTF8.self) }

  /// The last lines, an empty one at the end left out.
  func lines(_ count: Int) -> [String] {
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines.suffix(count).map { $0.count > 400 ? "\($0.prefix(400)) …" : String($0) }
  }
}
