import Foundation
import MusterHost
import Testing

/// Runs on Multipass, for which an executable stands in that keeps to its contract and can be told to misbehave: see
/// `Tests/Fakes/multipass`. Its daemon is no child of its client, and its machines are processes. What is left is
/// witnessed by its books and by /proc.
@Suite(.serialized, .enabled(if: FakeManager.works, "its machines need root, unshare and nsenter"))
struct ManagedRealRunTests {
  /// Killed at every event: what its daemon still makes is waited for, and purged.
  @Test func killedAtEveryEvent() async throws {
    let fake = try FakeManager()
    let ground = try fake.ground()
    var count = 1
    while true {
      let run = try await ground.start()
      let hasEnded = try await run.wait(for: count)
      let when = "after \(count) events"
      try await run.kill()
      try await fake.expectNothingLeft(of: run, when)
      try run.expectReports(hasEnded ? ["passed"] : ["error", "cancelled", "passed"], when)
      if hasEnded { break }
      count += 1
    }
    #expect(count > 30)
    try fake.expectNoHarm()
  }

  /// The guardian dies with its run: the next run purges before it launches anything.
  @Test func killedWithTheGuardianAtEveryEvent() async throws {
    let fake = try FakeManager()
    let ground = try fake.ground()
    var count = 1
    var last: KillableRun?
    while true {
      let run = try await ground.start()
      try await run.wait(for: "run-started")
      if let last {
        #expect(try fake.processes(of: last) == [], "after \(count - 1) events")
        // By now it may have begun with a machine of its own.
        #expect(try fake.machines().isDisjoint(with: last.machines), "after \(count - 1) events")
      }
      let hasEnded = try await run.wait(for: count)
      try await run.kill(withGuardian: true)
      last = run
      if hasEnded { break }
      count += 1
    }
    #expect(count > 30)
    #expect(try await ground.clean("--force").ending == .exited(0))
    #expect(try fake.machines() == [])
    try fake.expectNoHarm()
  }

  @Test func endedBySignalsAtEveryEvent() async throws {
    let fake = try FakeManager()
    let ground = try fake.ground()
    var count = 1
    while true {
      let run = try await ground.start()
      let hasEnded = try await run.wait(for: count)
      let signal = [SIGINT, SIGTERM, SIGHUP, SIGQUIT][count % 4]
      let when = "signal \(signal) after \(count) events"
      let watch = Stopwatch()
      if !hasEnded { kill(run.process.processID, signal) }
      let ending = await run.process.ending()
      #expect(watch.elapsed < .seconds(5), "\(when)")
      try await fake.expectNothingLeft(of: run, when)
      if hasEnded || ending == .exited(0) { break }
      #expect(ending == .signaled(signal), "\(when): \(run.console)")
      count += 1
    }
    #expect(count > 30)
    try fake.expectNoHarm()
  }

  /// The client is killed with its run, and the daemon goes on preparing for seconds.
  @Test func theDaemonGoesOnCreating() async throws {
    let fake = try FakeManager(#"{"launch": {"prepareSeconds": 3}}"#)
    let ground = try fake.ground()
    let run = try await ground.start()
    try await run.wait { try !fake.machines().isEmpty }
    try await run.kill()
    try await fake.expectNothingLeft(of: run, "while it was prepared")
    try run.expectReports(["error"], "while it was prepared")
    // A signal leaves no time to wait for it: the guardian does.
    let second = try await ground.start()
    try await second.wait { try !fake.machines().isEmpty }
    kill(second.process.processID, SIGTERM)
    #expect(await second.process.ending() == .signaled(SIGTERM))
    try await fake.expectNothingLeft(of: second, "after TERM while it was prepared")
    #expect(try second.summary()["machines"]["left"].int == 0)
    try fake.expectNoHarm()
  }

  /// It deletes slowly: a run waits for it, and after a signal the guardian does.
  @Test func itDeletesSlowly() async throws {
    let fake = try FakeManager(#"{"delete": {"seconds": 6}}"#)
    let ground = try fake.ground(tests: ["one"])
    let patient = try await ground.start()
    #expect(await patient.process.ending() == .exited(0), "\(patient.console)")
    #expect(try fake.machines() == [])
    let run = try await ground.start()
    try await run.wait(for: "step-started")
    let watch = Stopwatch()
    kill(run.process.processID, SIGTERM)
    #expect(await run.process.ending() == .signaled(SIGTERM))
    #expect(watch.elapsed < .seconds(5))
    #expect(run.console.contains("still being purged"), "\(run.console)")
    try await fake.expectNothingLeft(of: run, "after TERM")
    #expect(try run.summary()["machines"]["left"].int == 0)
  }

  /// Three failures are made good.
  @Test func itFailsToDeleteThreeTimes() async throws {
    let fake = try FakeManager(#"{"delete": {"fail": 3}}"#)
    let run = try await fake.ground(tests: ["one"]).start()
    #expect(await run.process.ending() == .exited(0), "\(run.console)")
    try await fake.expectNothingLeft(of: run, "after three failures")
  }

  /// What cannot be deleted is told with the command to do it by hand, and the next run tells it again.
  @Test func itNeverDeletes() async throws {
    let fake = try FakeManager(#"{"delete": {"failForever": true}}"#)
    let ground = try fake.ground(tests: ["one"])
    let run = try await ground.start()
    #expect(await run.process.ending() == .exited(5), "\(run.console)")
    let name = try #require(try fake.machines().first)
    #expect(run.console.contains("multipass delete --purge \(name)"), "\(run.console)")
    try await ground.waitForLock()
    #expect(try run.summary()["machines"]["left"].int == 1)
    let clean = try await ground.clean("--force")
    #expect(clean.ending == .exited(5))
    #expect(clean.errorText.contains("multipass delete --purge \(name)"))
    try fake.set("{}")
    #expect(try await ground.clean("--force").ending == .exited(0))
    #expect(try fake.machines() == [])
  }

  /// A machine that the manager still lists when it is gone.
  @Test func itListsWhatIsNot() async throws {
    let fake = try FakeManager()
    let ground = try fake.ground(tests: ["one"], step: "sleep 1")
    let run = try await ground.start()
    try await run.wait(for: "step-started")
    let name = try #require(run.machines.first)
    try fake.set(#"{"list": {"ghosts": ["\#(name)", "somebodys"]}}"#)
    #expect(await run.process.ending() == .exited(5), "\(run.console)")
    #expect(run.console.contains("multipass delete --purge \(name)"), "\(run.console)")
    #expect(try fake.machines() == [])
    try await ground.waitForLock()
    try fake.set("{}")
    #expect(try await ground.clean("--force").ending == .exited(0))
  }

  /// It neither launches nor ends when it is told to: blamed on it, and nothing is left.
  @Test func itHangs() async throws {
    let fake = try FakeManager(#"{"launch": {"hang": true, "ignoreTerm": true}}"#)
    let ground = try fake.ground(tests: ["one"])
    let run = try await ground.start()
    #expect(await run.process.ending() == .exited(3), "\(run.console)")
    let cell = try run.summary()["cells"][0]
    #expect(cell["outcome"].string == "error" && cell["blame"].string == "backend", "\(run.console)")
    try await fake.expectNothingLeft(of: run, "after it hung")
    #expect(run.console.contains("multipass launch did not answer within"), "\(run.console)")
    // Nor does a run that is ended wait for it.
    let before = try fake.calls("launch")
    let second = try await ground.start()
    try await second.wait { try fake.calls("launch") > before }
    let watch = Stopwatch()
    kill(second.process.processID, SIGINT)
    #expect(await second.process.ending() == .signaled(SIGINT))
    #expect(watch.elapsed < .seconds(5))
    try await fake.expectNothingLeft(of: second, "after INT while it hung")
  }

  /// It talks rubbish: nothing is believed.
  @Test func itTalksRubbish() async throws {
    let fake = try FakeManager(#"{"list": {"rubbish": true}}"#)
    let ground = try fake.ground(tests: ["one"])
    let run = try await ground.start()
    // It cannot be proven that the machine is gone.
    #expect(await run.process.ending() == .exited(5), "\(run.console)")
    #expect(run.console.contains("multipass delete --purge"), "\(run.console)")
    #expect(try fake.machines() == [])
    try await ground.waitForLock()
    let list = try await MusterProcess(environment: fake.environment).run(
      ["list", "--state", ground.path, "--cache", testCache])
    #expect(list.ending == .exited(69))
    #expect(list.errorText.contains("something unknown"), "\(list.errorText)")
    try fake.set(#"{"version": {"rubbish": true}}"#)
    let unable = try await ground.start()
    #expect(await unable.process.ending() == .exited(69), "\(unable.console)")
    try fake.set("{}")
    #expect(try await ground.clean("--force").ending == .exited(0))
  }
}

/// The fake of Multipass on a PATH, with somebody else's instances, one of a like name.
final class FakeManager: Sendable {
  private let scratch: Scratch
  private static let others: Set<String> = ["primary", "muster-release", "muster-one-1795258000-22472-3a0b0"]

  static var works: Bool {
    HostFacts.isRoot && HostFacts.systemName == "Linux"
      && ["unshare", "nsenter", "python3"].allSatisfy { HostFacts.tool($0) != nil }
  }

  init(_ faults: String = "{}") throws {
    scratch = try Scratch()
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
    // The guardian knows PATH and nothing else of the environment: the state lies beside the link.
    try FileSystem.createFolder("\(scratch.path)/bin/multipass.state")
    try FileManager.default.createSymbolicLink(
      atPath: "\(scratch.path)/bin/multipass", withDestinationPath: "\(tests)/Fakes/multipass")
    for name in Self.others {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "\(scratch.path)/bin/multipass")
      process.arguments = ["launch", "--name", name, "noble"]
      process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
    }
    try set(faults)
  }

  deinit {
    // Its machines live as long as their first processes.
    for id in (try? Witness.processes(with: scratch.path)) ?? [] { kill(id, SIGKILL) }
  }

  private var books: String { "\(scratch.path)/bin/multipass.state" }

  var environment: [String: String?] {
    ["PATH": "\(scratch.path)/bin:\(HostFacts.environment("PATH") ?? "")"]
  }

  func ground(tests: [String] = ["one", "two"], step: String = "true") throws -> KillingGround {
    try KillingGround(
      tests: tests, step: step, image: "{multipass: noble}",
      settings: "resources: {disk: 5G}\nattempts: {launch: 1}\ntimeouts: {launch: 5s}", environment: environment,
      options: ["--backend", "multipass"])
  }

  func set(_ faults: String) throws { try FileSystem.write(faults, to: "\(books)/faults.json") }

  /// The machines in its books that are not somebody else's, those that are being prepared too.
  func machines() throws -> Set<String> {
    guard FileSystem.exists("\(books)/state.json") else { return [] }
    let books = try JSON(file: "\(self.books)/state.json").value as? [String: Any]
    return Set((books ?? [:]).keys).subtracting(Self.others)
  }

  func calls(_ command: String) throws -> Int {
    let log = (try? FileSystem.readText("\(books)/calls.log", limit: 64 << 20)) ?? ""
    return log.split(separator: "\n").count { $0.hasPrefix("[\"\(command)\"") }
  }

  /// What runs still for a run: its own processes, and its machines'.
  func processes(of run: KillableRun) throws -> [Int32] { try run.left() }

  /// Once the guardian has let the lock go, nothing of a run is there.
  func expectNothingLeft(of run: KillableRun, _ when: String) async throws {
    try await run.ground.waitForLock()
    #expect(try machines() == [], "\(when)")
    #expect(try processes(of: run) == [], "\(when)")
    #expect(try FileSystem.names(in: "\(run.ground.path)/ledgers") == [], "\(when)")
  }

  /// Nobody else's instances were touched.
  func expectNoHarm() throws {
    let books = try JSON(file: "\(self.books)/state.json").value as? [String: Any]
    for name in Self.others {
      #expect((books?[name] as? [String: Any])?["state"] as? String == "Running", "\(name)")
    }
    #expect(try calls("purge") == 0)
  }
}
