import Testing

@testable import MusterHost

@Suite struct AwakeClockTests {
  @Test func countsWhatRan() async throws {
    // What may pass between the two must not count for the one that is to be the shorter.
    let watch = Stopwatch()
    let start = AwakeClock.now
    try await Task.sleep(for: .milliseconds(30), clock: .awake)
    let counted = start.duration(to: AwakeClock.now)
    #expect(counted >= .milliseconds(30))
    #expect(counted <= watch.elapsed)
    try await Task.sleep(for: .zero, clock: .awake)
  }

  @Test func isCancelled() async {
    let sleep = Task { try await Task.sleep(for: .seconds(1000), clock: .awake) }
    sleep.cancel()
    await #expect(throws: CancellationError.self) { try await sleep.value }
  }

  /// Of an hour in which the process did not run next to nothing counts.
  @Test func anHourThatDidNotRunDoesNotCount() {
    #expect(AwakeClock.counted(.milliseconds(700)) == .milliseconds(700))
    #expect(AwakeClock.counted(.seconds(3600)) == .seconds(2))
  }
}
