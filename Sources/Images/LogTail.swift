import MusterHost
import Synchronization

/// The last lines that a tool wrote, as evidence.
final class LogTail: Sendable {
  private let state = Mutex<[UInt8]>([])
  private let limit: Int

  /// - Parameter limit: Bytes that are kept, from the end.
  init(limit: Int = 1 << 16) {
    self.limit = limit
  }

  func append(_ bytes: [UInt8]) {
    state.withLock { kept in
      kept += bytes
      if kept.count > limit { kept.removeFirst(kept.count - limit) }
    }
  }

  /// The lines, without empty ones.
  var lines: [String] {
    String(decoding: state.withLock(\.self), as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
  }
}
