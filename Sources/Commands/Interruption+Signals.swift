import MusterExecution
import MusterHost

/// Runs `body` with the signals that end a program handed to `interruption` instead.
func withSignals<Result: Sendable>(
  _ interruption: Interruption, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  let caught = Promise<Void>()
  let handler = Task {
    await Signals.handle(ready: { caught.keep(()) }) { interruption.interrupt(signal: $0) }
  }
  defer { handler.cancel() }
  // A signal before this moment ends the program, which has nothing to purge yet.
  _ = await caught.value()
  return try await body()
}

/// Runs `body`, which has nothing to purge; at the first signal its processes are ended, and then this one by that signal.
/// - Parameter ended: Called before that.
func endedBySignals<Result: Sendable>(
  ended: @Sendable () -> Void = {}, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  let interruption = Interruption()
  let result: Swift.Result<Result, any Error>
  do {
    result = .success(try await withSignals(interruption) { try await interruption.ending(body) })
  } catch {
    result = .failure(error)
  }
  // What was cancelled may have come to an end of its own.
  if let signal = interruption.signal {
    ended()
    Signals.die(by: signal)
  }
  return try result.get()
}

extension Interruption {
  /// Runs what has nothing to purge, cancelling it at the first signal.
  func ending<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
    let task = Task { try await body() }
    let watch = Task {
      await interrupted()
      task.cancel()
    }
    defer { watch.cancel() }
    return try await task.value
  }
}
