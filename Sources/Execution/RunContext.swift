import MusterHost
import MusterMachines
import MusterMatrix

/// What everything in a run shares.
struct RunContext: Sendable {
  let plan: Plan
  let backend: any Backend
  let scale: TimeScale
  let options: RunOptions
  let secrets: Secrets
  let interruption: Interruption
  let post: EventPost
  let custody: Custody

  func tell(_ kind: Event.Kind) async {
    await post.send(kind.masked(by: secrets.mask))
  }

  /// Waits before something is tried again.
  /// - Throws: `CancellationError`.
  func pause(_ time: Duration, of cell: String) async throws {
    await tell(.waiting(cell: cell, seconds: time.seconds))
    try await Task.sleep(for: time, clock: .awake)
  }

  /// Tells that most of a limit is used.
  func warning(of cell: String) -> @Sendable (Countdown, Duration) async -> Void {
    { countdown, used in
      await tell(.slow(cell: cell, what: countdown.what, seconds: used.seconds, limit: countdown.limit.seconds))
    }
  }

  /// The absolute path of what is named relative to the output folder.
  func path(_ name: String) -> String { "\(options.output)/\(name)" }
}

/// How a cell or an attempt ended, before the matrix's expectations of it count.
struct Ending: Sendable {
  var outcome: Outcome
  var reason: Reason?
  /// Whether another attempt may end otherwise.
  var canPass = false
  /// Whether the host cannot go on at all, since it cannot keep what comes out.
  var endsRun = false
  /// The title of the step that ended it.
  var step: String?

  static let cancelled = Ending(outcome: .cancelled, reason: nil)

  /// What the host or a backend could not do.
  static func error(_ failure: Failure, endsRun: Bool = false) -> Ending {
    Ending(outcome: .error, reason: Reason(failure), endsRun: endsRun)
  }

  /// What was done to a machine, or became of it, after a step: what can pass may not come again in a fresh one.
  static func error(_ failure: Failure, step: String?) -> Ending {
    Ending(outcome: .error, reason: Reason(failure), canPass: failure.canPass, step: step)
  }
}
