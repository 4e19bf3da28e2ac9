import MusterHost
import MusterMachines
import Synchronization

/// What deadlines are multiplied by, and why.
struct TimeScale: Sendable {
  var factor: Double
  var accelerator: String?

  init(_ status: BackendStatus) {
    factor = status.timeScale
    accelerator = status.accelerator
  }

  func time(_ time: Duration) -> Duration {
    time * factor
  }

  /// `10m`, or `40m (10m × 4 for tcg)`.
  func text(_ time: Duration) -> String {
    if factor == 1 { return time.human }
    // One digit behind the point, none where it is a whole number.
    let tenths = Int((factor * 10).rounded())
    let number = tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    return "\(self.time(time).human) (\(time.human) × \(number)\(accelerator.map { " for \($0)" } ?? ""))"
  }
}

/// A limit of time that runs from its making on. Time in which this process does not run does not count.
final class Countdown: Sendable {
  typealias Clock = AwakeClock

  /// What is limited: `step`, `launch`, `cell`.
  let what: String
  let limit: Duration
  /// The limit as people read it, with its scaling.
  let text: String
  /// How much later than at the limit it ends: for what has to end by itself at the limit.
  private let grace: Duration
  private let start = Clock.now
  private let isTold = Mutex(false)

  init(_ what: String, _ limit: Duration, scale: TimeScale, grace: Duration = .zero) {
    self.what = what
    self.limit = scale.time(limit)
    self.grace = grace
    text = scale.text(limit)
  }

  var remaining: Duration { max(.zero, limit - (start.duration(to: Clock.now))) }

  /// Returns when the time is over. `warn` is called once in all when three quarters of it are used.
  /// - Throws: `CancellationError`.
  func wait(warn: (Countdown, _ used: Duration) async -> Void) async throws {
    if !isTold.withLock({ $0 }) {
      try await Task.sleep(until: start.advanced(by: limit * 0.75), clock: Clock())
      let isFirst = isTold.withLock { told in
        defer { told = true }
        return !told
      }
      if isFirst { await warn(self, start.duration(to: Clock.now)) }
    }
    try await Task.sleep(until: start.advanced(by: limit + grace), clock: Clock())
  }
}

/// How a watched piece of work ended.
enum Watched<Value: Sendable>: Sendable {
  case finished(Result<Value, any Error>)
  case timedOut(Countdown)
  /// The machine died meanwhile.
  case died(Failure)
}

/// Runs `body` until it ends, one of the countdowns does, or the machine dies; then `body` is cancelled, and its end
/// waited for. What comes first is the result. When the calling task is cancelled, `body` is too, and its own end counts;
/// but once `interruption` came, it is waited for no longer than a second.
func watched<Value: Sendable>(
  _ countdowns: [Countdown], machine: (any Machine)? = nil, interruption: Interruption? = nil,
  warn: @escaping @Sendable (Countdown, Duration) async -> Void,
  body: @escaping @Sendable () async throws -> Value
) async -> Watched<Value> {
  await withTaskGroup(of: Watched<Value>?.self) { group in
    group.addTask {
      if let interruption {
        return .finished(await leaving(after: interruption.interrupted, grace: .seconds(1), body))
      }
      do { return .finished(.success(try await body())) } catch { return .finished(.failure(error)) }
    }
    for countdown in countdowns {
      group.addTask {
        do { try await countdown.wait(warn: warn) } catch { return nil }
        return .timedOut(countdown)
      }
    }
    if let machine {
      group.addTask { await machine.death().map { .died($0) } }
    }
    var first: Watched<Value>?
    for await ending in group {
      if first == nil, let ending {
        first = ending
        group.cancelAll()
      }
    }
    // The body always gives an ending.
    return first ?? .finished(.failure(CancellationError()))
  }
}

/// Runs `body`, which is cancelled with the calling task, to its end; but once `signal` has returned, for `grace` at most. Then
/// it is left to itself: a machine that hangs is purged, whatever was still to be said to it.
private func leaving<Value: Sendable>(
  after signal: @escaping @Sendable () async -> Void, grace: Duration,
  _ body: @escaping @Sendable () async throws -> Value
) async -> Result<Value, any Error> {
  let ending = Promise<Result<Value, any Error>>()
  let work = Task {
    do { ending.keep(.success(try await body())) } catch { ending.keep(.failure(error)) }
  }
  let watch = Task {
    await signal()
    try Task.checkCancellation()
    work.cancel()
    try await Task.sleep(for: grace)
    ending.keep(.failure(CancellationError()))
  }
  let result = await withTaskCancellationHandler {
    await uncancelled { await ending.value() }
  } onCancel: {
    work.cancel()
  }
  watch.cancel()
  return result ?? .failure(CancellationError())
}

/// Runs `body` outside of the calling task, so that its cancellation does not reach it, for `limit` at most and, once
/// `signal` has returned, for `hurried` more. `nil` when it took longer: then `body` is cancelled, and left to itself when
/// it has not ended `grace` later, since clean-up must end whatever hangs.
func bounded<Value: Sendable>(
  _ limit: Duration, hurried: Duration, after signal: @escaping @Sendable () async -> Void, grace: Duration = .zero,
  body: @escaping @Sendable () async -> Value
) async -> Value? {
  let ending = Promise<Value?>()
  let ended = Promise<Void>()
  let work = Task {
    ending.keep(.some(await body()))
    ended.keep(())
  }
  let timer = Task {
    try await Task.sleep(for: limit, clock: .awake)
    ending.keep(nil)
  }
  let hurry = Task {
    await signal()
    try Task.checkCancellation()
    try await Task.sleep(for: hurried, clock: .awake)
    ending.keep(nil)
  }
  let value = await uncancelled { await ending.value() ?? nil }
  for task in [timer, hurry] { task.cancel() }
  work.cancel()
  if value == nil, grace > .zero {
    let patience = Task {
      try await Task.sleep(for: grace, clock: .awake)
      ended.keep(())
    }
    await uncancelled { _ = await ended.value() }
    patience.cancel()
  }
  return value
}
