import Foundation
import MusterHost
import MusterTestSupport
import Testing

/// Runs of two cells on real machines, killed at every event, at random instants, by signals, and with their guardian.
@Suite(.serialized) struct KilledRealRunTests {
  /// Killed as soon as it has told its first event, its second, and so on to its last.
  @Test func atEveryEvent() async throws {
    try await Self.eachCount { ground, count in
      let run = try await ground.start()
      let hasEnded = try await run.wait(for: count)
      let when = "after \(count) events"
      try await run.kill()
      try await run.expectNothingLeft(when)
      try run.expectReports(hasEnded ? ["passed"] : ["error", "cancelled", "passed"], when)
      if !hasEnded { #expect(try run.summary()["cells"].array.count == 2, "\(when)") }
      return hasEnded
    }
  }

  /// Killed while a machine is booted, saved and resumed: half a template is none, and the next run makes it anew.
  @Test func whileAMachineIsSaved() async throws {
    let scratch = try Scratch()
    let ground = try await KillingGround(tests: ["one"], options: ["--cache", "\(scratch.path)/cache"])
    for activity in [
      "starting", "booting", "logging in", "saving it as a template", "keeping the template", "resuming",
    ] {
      for withGuardian in [false, true] {
        try FileSystem.removeTree("\(scratch.path)/cache/templates")
        let run = try await ground.start()
        try await run.wait { run.events.contains { $0.contains(#""activity":"\#(activity)""#) } }
        try await run.kill(withGuardian: withGuardian)
        if !withGuardian { try await run.expectNothingLeft("while '\(activity)'") }
        #expect(try await ground.clean("--force").ending == .exited(0))
        try ground.expectNoTrace("after '\(activity)'")
      }
    }
    let run = try await ground.start()
    #expect(await run.process.ending() == .exited(0), "\(run.console)")
    let left = try FileSystem.names(in: "\(scratch.path)/cache/templates").filter { $0.hasSuffix(".new") }
    #expect(left == [])
  }

  /// The guardian dies with its run: the next run cleans up before it launches anything.
  @Test func withTheGuardianAtEveryEvent() async throws {
    let grounds = try await Self.eachCount(leavesTraces: true) { ground, count in
      let last = ground.last
      let run = try await ground.start()
      // It has swept before it tells its first event.
      try await run.wait(for: "run-started")
      if let last {
        #expect(try last.left() == [], "before \(count) events")
        for name in last.machines where run.console.contains("purged '\(name)'") {
          #expect(run.console.contains("left by muster run"))
        }
      }
      let hasEnded = try await run.wait(for: count)
      try await run.kill(withGuardian: true)
      return hasEnded
    }
    for ground in grounds {
      #expect(try await ground.clean("--force").ending == .exited(0))
      #expect(try ground.last?.left() == [])
    }
    for ground in grounds { try ground.expectNoTrace("at the end") }
  }

  /// Asked to end by one signal after the other, at each event: purged, reported, and dead by that signal within five
  /// seconds, which CI systems give.
  @Test func bySignalsAtEveryEvent() async throws {
    try await Self.eachCount { ground, count in
      let run = try await ground.start()
      let hasEnded = try await run.wait(for: count)
      let signal = [SIGINT, SIGTERM, SIGHUP, SIGQUIT][count % 4]
      let when = "signal \(signal) after \(count) events"
      let watch = Stopwatch()
      if !hasEnded { kill(run.process.processID, signal) }
      let ending = await run.process.ending()
      #expect(watch.elapsed < .seconds(5), "\(when)")
      try await run.expectNothingLeft(when)
      try run.expectReports(["passed", "cancelled"], when)
      if hasEnded { return true }
      // Once the second machine's steps are done, a signal may come too late.
      if ending == .exited(0) {
        let steps = run.events.prefix(count).count { $0.contains(#""event":"step-finished""#) }
        #expect(steps == 4, "\(when): \(run.console)")
      } else {
        #expect(ending == .signaled(signal), "\(when): \(run.console)")
      }
      return false
    }
  }

  /// The same while a machine boots, and a run that keeps nothing of it.
  @Test func bySignalsWhileAMachineBoots() async throws {
    let ground = try await KillingGround(tests: ["one"], options: ["--cold"])
    for activity in ["starting", "booting", "logging in"] {
      for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
        let run = try await ground.start()
        try await run.wait { run.events.contains { $0.contains(#""activity":"\#(activity)""#) } }
        let watch = Stopwatch()
        kill(run.process.processID, signal)
        let when = "signal \(signal) while '\(activity)'"
        #expect(await run.process.ending() == .signaled(signal), "\(when): \(run.console)")
        #expect(watch.elapsed < .seconds(5), "\(when)")
        try await run.expectNothingLeft(when)
        try run.expectReports(["cancelled"], when)
        try ground.expectNoTrace(when)
      }
    }
  }

  /// What brings the next cell's image in the background ends with the run, by whatever that ends.
  @Test(arguments: [SIGKILL, SIGINT, SIGTERM]) func whileTheNextImageIsFetched(signal: Int32) async throws {
    let server = try TestServer { _, _ in .init(body: [UInt8](repeating: 0, count: 1 << 20), stallsAfter: 1000) }
    let sum = String(repeating: "0", count: 64)
    let ground = try KillingGround(
      tests: ["one"], steps: ["sleep 60"], image: "{path: '\(try await TestCache.tinyDisk())'}",
      next: "{url: '\(server.url("/next.qcow2"))', sha256: '\(sum)'}")
    let run = try await ground.start()
    try await run.wait(for: "step-started")
    try await run.wait { !server.requests.isEmpty }
    #expect(try run.left().contains { try FileSystem.readText("/proc/\($0)/comm") == "curl\n" })
    let watch = Stopwatch()
    kill(run.process.processID, signal)
    #expect(await run.process.ending() == .signaled(signal), "\(run.console)")
    #expect(watch.elapsed < .seconds(5))
    try await run.expectNothingLeft("signal \(signal)")
    try run.expectReports(["error", "cancelled"], "signal \(signal)")
    try ground.expectNoTrace("signal \(signal)")
  }

  /// Does something to a run at its first event, to another at its second, and so on until one has ended by itself. Two at a
  /// time, each with a lock of its own; neither leaves a trace.
  /// - Parameter body: Returns whether the run had ended before it had told of so many events.
  @discardableResult private static func eachCount(
    leavesTraces: Bool = false, _ body: @Sendable (_ ground: KillingGround, _ count: Int) async throws -> Bool
  ) async throws -> [KillingGround] {
    let (first, second) = (
      try await KillingGround(steps: ["true", "true"]), try await KillingGround(steps: ["true", "true"])
    )
    for count in stride(from: 1, through: .max, by: 2) {
      async let one = body(first, count)
      async let two = body(second, count + 1)
      let hasEnded = try await (one, two)
      if !leavesTraces {
        for ground in [first, second] { try ground.expectNoTrace("at \(count) and \(count + 1) events") }
      }
      if hasEnded.0 || hasEnded.1 {
        #expect(count > 40)
        break
      }
    }
    return [first, second]
  }

  /// At instants that a seed chooses, every second time with the guardian. Two runs at a time, each with a lock of its own.
  @Test func atRandomInstants() async throws {
    let count = HostFacts.environment("MUSTER_TEST_KILLS").flatMap { Int($0) } ?? 100
    let (first, second) = (try await KillingGround(), try await KillingGround())
    let length = try await Self.length(of: first)
    var random = Seeded(20_261_121)
    for number in stride(from: 0, to: count, by: 2) {
      let instants = (0..<2).map { _ in length * Double.random(in: 0...1, using: &random) }
      let withGuardian = number % 4 >= 2
      async let one: Void = Self.start(first, thenKillAfter: instants[0], withGuardian: withGuardian)
      async let two: Void = Self.start(second, thenKillAfter: instants[1], withGuardian: withGuardian)
      _ = try await (one, two)
      // One that was killed before it had swept has left what the one before it has.
      if withGuardian || [first, second].contains(where: { $0.last?.events.isEmpty ?? true }) { continue }
      for ground in [first, second] { try ground.expectNoTrace("at \(instants)") }
    }
    for ground in [first, second] { #expect(try await ground.clean("--force").ending == .exited(0)) }
    for ground in [first, second] { try ground.expectNoTrace("at the end") }
  }

  /// How long a run takes that is not killed.
  private static func length(of ground: KillingGround) async throws -> Duration {
    let watch = Stopwatch()
    let run = try await ground.start()
    #expect(await run.process.ending() == .exited(0), "\(run.console)")
    return watch.elapsed
  }

  private static func start(_ ground: KillingGround, thenKillAfter time: Duration, withGuardian: Bool) async throws {
    let last = ground.last
    let run = try await ground.start()
    try await Task.sleep(for: time)
    try await run.kill(withGuardian: withGuardian)
    let when = "after \(time)\(withGuardian ? " with its guardian" : "")"
    // Whoever comes next has cleaned up before it launches anything.
    if let last, !run.machines.isEmpty { #expect(try last.left() == [], "\(when)") }
    if withGuardian { return }
    try await run.expectNothingLeft(when)
    // Before it has told anything there is nothing to report.
    if !run.events.isEmpty { try run.expectReports(["error", "cancelled", "passed"], when) }
  }

  /// The guardian dies with its run: `muster clean` lists what is left, asks, and purges it.
  @Test func cleanedByHand() async throws {
    let ground = try await KillingGround(tests: ["one"], steps: ["sleep 60"])
    let run = try await ground.start()
    try await run.wait(for: "step-started")
    try await run.kill(withGuardian: true)
    let orphan = try #require(run.machines.first)

    let list = try await ground.clean("--list-only")
    #expect(list.text.contains(orphan) && list.text.contains("which is dead"), "\(list.text)")
    #expect(try !processes(with: orphan).isEmpty)
    let unknown = try await ground.clean("--force", "muster-one-1-2-000000")
    #expect(unknown.ending == .exited(4) && unknown.errorText.contains("there is no machine"), "\(unknown.errorText)")
    let unasked = try await ground.clean()
    #expect(unasked.ending == .exited(64))
    #expect(try !processes(with: orphan).isEmpty)
    let forced = try await ground.clean("--force")
    #expect(forced.ending == .exited(0), "\(forced.errorText)")
    #expect(forced.errorText.contains("purged '\(orphan)'"))
    try await run.expectNothingLeft("after muster clean")
    try ground.expectNoTrace("after muster clean")
    #expect(try await ground.clean("--force").text == "nothing to purge")
  }

  /// A guardian that dies alone is replaced before anything more is launched.
  @Test func aGuardianIsReplaced() async throws {
    let ground = try await KillingGround(steps: ["sleep 2"])
    let run = try await ground.start()
    try await run.wait(for: "step-started")
    let first = try #require(try run.guardian())
    kill(first, SIGKILL)
    try await run.wait(for: "machine-launched", count: 2)
    let second = try #require(try run.guardian())
    #expect(second != first)
    try await run.kill()
    try await run.expectNothingLeft("after the second guardian")
    try ground.expectNoTrace("after the second guardian")
  }
}
