import MusterHost

/// The first words of a machine's ssh server, by which it is known to be there: QEMU itself accepts every connection to a
/// port that it forwards, long before anything in the machine listens.
enum ServerBanner {
  /// How soon a connection that was refused is tried again.
  static let pause = Duration.milliseconds(100)
  /// How long a connection may be silent before another is tried beside it: what is sent before the machine's network is
  /// up is lost, and sent again only seconds later.
  static let doubt = Duration.seconds(1)
  /// How long a silent connection is kept: a slow machine needs time to start a server for it.
  static let lifetime = Duration.seconds(8)

  private enum Event: Sendable {
    case answered
    /// The connection with this number was refused, or was given up.
    case refused(Int)
    /// It is time for another, if the last one still has this number.
    case next(after: Int)
  }

  /// Returns when an ssh server answers at a port of 127.0.0.1.
  /// - Throws: `CancellationError`.
  static func wait(port: UInt16) async throws {
    try await withThrowingTaskGroup(of: Event.self) { group in
      defer { group.cancelAll() }
      var number = 0
      func pause(_ time: Duration) {
        group.addTask { [number] in
          try await Task.sleep(for: time)
          return .next(after: number)
        }
      }
      func attempt() {
        number += 1
        group.addTask { [number] in
          let bytes = try await first(within: lifetime) { await LoopbackConnection.firstBytes(port: port) }
          return (bytes ?? nil)?.starts(with: "SSH-".utf8) == true ? .answered : .refused(number)
        }
        pause(doubt)
      }
      attempt()
      while let event = try await group.next() {
        try Task.checkCancellation()
        switch event {
        case .answered: return
        case .refused(number): pause(Self.pause)
        case .next(after: number): attempt()
        case .refused, .next: break
        }
      }
    }
  }
}
