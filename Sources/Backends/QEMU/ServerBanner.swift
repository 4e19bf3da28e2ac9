import MusterHost

/// The first words of a machine's ssh server, by which it is known to be there: QEMU itself accepts every connection to a
/// port that it forwards, long before anything in the machine listens.
enum ServerBanner {
  /// How soon a connection that was refused is tried again.
  static let pause = Duration.milliseconds(100)
  /// How long a connection may be silent before another is tried beside it: what is sent before the machine's network is
  /// up is lost, and sent again only seconds later.
  static let doubt = Duration.seconds(1)
  /// How many silent connections there may be: each costs a slow machine that has begun to listen a process, and its ssh
  /// server turns connections away where there are ten of them.
  static let limit = 4

  /// How long a silent connection is kept. The slower a machine starts, the longer it needs to answer.
  static func lifetime(after elapsed: Duration) -> Duration { max(.seconds(4), elapsed / 4) }

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
      let stopwatch = Stopwatch()
      var number = 0
      var silent = 0
      var isDue = false
      func pause(_ time: Duration) {
        group.addTask { [number] in
          try await Task.sleep(for: time)
          return .next(after: number)
        }
      }
      func attempt() {
        number += 1
        silent += 1
        isDue = false
        let lifetime = lifetime(after: stopwatch.elapsed)
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
        case .refused(let refused):
          silent -= 1
          if isDue { attempt() } else if refused == number { pause(Self.pause) }
        case .next(after: number):
          if silent < limit { attempt() } else { isDue = true }
        case .next: break
        }
      }
    }
  }
}
