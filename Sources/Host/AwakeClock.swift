import Synchronization

/// Measures time in which this process ran. Neither a host that sleeps nor a process that is stopped (TSTP, a debugger) uses
/// it up, so that no deadline passes for a time in which nothing could be done.
package struct AwakeClock: Clock {
  package struct Instant: InstantProtocol {
    var elapsed: Duration

    package func advanced(by duration: Duration) -> Instant { Instant(elapsed: elapsed + duration) }
    package func duration(to other: Instant) -> Duration { other.elapsed - elapsed }
    package static func < (one: Instant, other: Instant) -> Bool { one.elapsed < other.elapsed }
  }

  /// How often time is looked at, at least.
  private static let pace = Duration.milliseconds(500)
  /// More than this between two looks means that the process did not run meanwhile.
  private static let longestGap = Duration.seconds(2)

  private static let reading = Mutex((last: SuspendingClock.now, elapsed: Duration.zero))

  /// Looks at the time for as long as the process lives.
  private static let ticker = Task.detached {
    while true {
      _ = read()
      try await Task.sleep(for: pace, clock: .suspending)
    }
  }

  package init() {}

  package var now: Instant { Self.now }
  package var minimumResolution: Duration { .nanoseconds(1) }

  package static var now: Instant {
    _ = ticker
    return Instant(elapsed: read())
  }

  private static func read() -> Duration {
    reading.withLock { reading in
      let now = SuspendingClock.now
      reading.elapsed += counted(now - reading.last)
      reading.last = now
      return reading.elapsed
    }
  }

  /// How much of the time between two looks counts.
  static func counted(_ gap: Duration) -> Duration { min(gap, longestGap) }

  package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    while true {
      try Task.checkCancellation()
      let left = now.duration(to: deadline)
      if left <= .zero { return }
      try await Task.sleep(for: min(left, Duration.seconds(1)), clock: .suspending)
    }
  }
}

extension Clock where Self == AwakeClock {
  /// Time in which this process ran.
  package static var awake: AwakeClock { AwakeClock() }
}
