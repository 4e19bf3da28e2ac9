import Synchronization

/// The end of what a process says on its standard error.
final class LastSaid: Sendable {
  private let limit: Int
  private let bytes = Mutex<[UInt8]>([])

  init(limit: Int) {
    self.limit = limit
  }

  func append(_ more: [UInt8]) {
    bytes.withLock { $0 = Array(($0 + more).suffix(limit)) }
  }

  /// Without the white space at both ends; `nil` when nothing was said.
  var text: String? {
    let text = bytes.withLock { String(decoding: $0, as: UTF8.self) }.trimmed
    return text.isEmpty ? nil : text
  }
}
