import Foundation
import MusterHost
import MusterManagers
import MusterTestManagers
import MusterTestSupport
import Testing

/// Runs on managers for which executables stand in that keep to their contracts and can be told to misbehave: see
/// `Tests/Fakes`. Their daemons are no children of their clients, and their machines are processes. What is left is
/// witnessed by their books and by /proc.
@Suite(.enabled(if: ManagerOnPath.works, "its machines need root, unshare and nsenter"))
struct ManagedRealRunTests {
  /// Every event on one of them; on each other every third, another third on each: what they share is the same code.
  private static func stride(_ kind: FakeKind) -> Int { kind == .multipass ? 1 : 3 }
  private static func first(_ kind: FakeKind) -> Int { kind == .lima ? 2 : 1 }

  /// Killed at every event: what its daemon still makes is waited for, and purged.
  @Test(arguments: FakeKind.allCases) func killedAtEveryEvent(kind: FakeKind) async throws {
    let fake = try ManagerOnPath(kind)
    let ground = try fake.ground()
    var count = Self.first(kind)
    while true {
      let run = try await ground.start()
      let hasEnded = try await run.wait(for: count)
      let when = "after \(count) events"
      try await run.kill()
      try await fake.expectNothingLeft(of: run, when)
      try run.expectReports(hasEnded ? ["passed"] : ["error", "cancelled", "passed"], when)
      if hasEnded { break }
      count += Self.stride(kind)
    }
    #expect(count > 30)
    try fake.expectNoHarm()
  }

  /// The guardian dies with its run: the next run purges before it launches anything.
  @Test(arguments: FakeKind.allCases) func killedWithTheGuardianAtEveryEvent(kind: FakeKind) async throws {
    let fake = try ManagerOnPath(kind)
    let ground = try fake.ground()
    var count = Self.first(kind)
    var last: KillableRun?
    while true {
      let run = try await ground.start()
      try await run.wait(for: "run-started")
      if let last {
        #expect(try fake.processes(of: last) == [], "before \(count) events")
        // By now it may have begun with a machine of its own.
        #expect(try fake.machines().isDisjoint(with: last.machines), "before \(count) events")
      }
      let hasEnded = try await run.wait(for: count)
      try await run.kill(withGuardian: true)
      last = run
      if hasEnded { break }
      count += Self.stride(kind)
    }
    #expect(count > 30)
    #expect(try await ground.clean("--force").ending == .exited(0))
    #expect(try fake.machines() == [])
    try fake.expectNoHarm()
  }

  @Test(arguments: FakeKind.allCases) func endedBySignalsAtEveryEvent(kind: FakeKind) async throws {
    let fake = try ManagerOnPath(kind)
    let ground = try fake.ground()
    var count = Self.first(kind)
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
      if hasEnded { break }
      // Once the second machine's step is done, a signal may come too late.
      if ending == .exited(0) {
        let steps = run.events.prefix(count).count { $0.contains(#""event":"step-finished""#) }
        #expect(steps == 2, "\(when): \(run.console)")
      } else {
        #expect(ending == .signaled(signal), "\(when): \(run.console)")
      }
      count += Self.stride(kind)
    }
    #expect(count > 30)
    try fake.expectNoHarm()
  }

  /// The client is killed with its run, and the daemon goes on preparing for seconds.
  @Test(arguments: FakeKind.allCases) func theDaemonGoesOnCreating(kind: FakeKind) async throws {
    let fake = try ManagerOnPath(kind, #"{"\#(kind.launching)": {"prepareSeconds": 3}}"#)
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
  @Test(arguments: FakeKind.allCases) func itDeletesSlowly(kind: FakeKind) async throws {
    let fake = try ManagerOnPath(kind, #"{"delete": {"seconds": 6}}"#)
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

  /// Several machines in one test, also after one has another address.
  @Test(arguments: FakeKind.allCases) func machinesReachEachOther(kind: FakeKind) async throws {
    let fake = try ManagerOnPath(kind)
    let scratch = try Scratch()
    let matrix = try scratch.write(
      "matrix.yaml",
      """
      muster: 1
      resources: {disk: 5G}
      distros:
        any: {image: {\(kind): '\(kind.image)'}, family: debian}
      tests:
        cluster:
          distros: all
          machines: {primary: {}, secondary: {}}
          verify:
            - machine: primary
              run: mkdir /tmp/www && echo hello >/tmp/www/page && busybox httpd -p 8000 -h /tmp/www
            - {machine: secondary, run: "busybox wget -q -O - http://primary:8000/page", stdout: {equals: hello}}
            - machine: secondary
              run: echo "${secondary.address}" >/root/before && test "${primary.address}" != "${secondary.address}"
            - {machine: secondary, reboot: }
            - {machine: secondary, run: '! grep -F "${secondary.address}" /root/before'}
            - machine: secondary
              run: mkdir /tmp/www && echo again >/tmp/www/page && busybox httpd -p 8000 -h /tmp/www
            - {machine: primary, run: "busybox wget -q -O - http://secondary:8000/page", stdout: {equals: again}}
            - {machine: primary, run: "busybox wget -q -O - http://${secondary.address}:8000/page"}
      """)
    let run = try await MusterProcess(environment: fake.environment).run([
      "run", matrix, "--backend", kind.rawValue, "--output", "\(scratch.path)/out", "--cache", TestCache.folder,
      "--state", scratch.path, "--lock-file", "\(scratch.path)/lock",
    ])
    #expect(run.ending == .exited(0), "\(run.text)\n\(run.errorText)")
    #expect(try JSON(file: "\(scratch.path)/out/summary.json")["machines"]["launched"].int == 2)
    #expect(try fake.machines() == [])
    try fake.expectNoHarm()
  }

  /// Three failures are made good.
  @Test(arguments: FakeKind.allCases) func itFailsToDeleteThreeTimes(kind: FakeKind) async throws {
    let fake = try ManagerOnPath(kind, #"{"delete": {"fail": 3}}"#)
    let run = try await fake.ground(tests: ["one"]).start()
    #expect(await run.process.ending() == .exited(0), "\(run.console)")
    try await fake.expectNothingLeft(of: run, "after three failures")
  }

  /// What cannot be deleted is told with the command to do it by hand, and the next run tells it again.
  @Test(arguments: FakeKind.allCases) func itNeverDeletes(kind: FakeKind) async throws {
    let fake = try ManagerOnPath(kind, #"{"delete": {"failForever": true}}"#)
    let ground = try fake.ground(tests: ["one"])
    let run = try await ground.start()
    #expect(await run.process.ending() == .exited(5), "\(run.console)")
    let name = try #require(try fake.machines().first)
    #expect(run.console.contains(kind.deletion(of: name)), "\(run.console)")
    try await ground.waitForLock()
    #expect(try run.summary()["machines"]["left"].int == 1)
    let clean = try await ground.clean("--force")
    #expect(clean.ending == .exited(5))
    #expect(clean.errorText.contains(kind.deletion(of: name)))
    try fake.set("{}")
    #expect(try await ground.clean("--force").ending == .exited(0))
    #expect(try fake.machines() == [])
  }

  /// It hangs at a delete, and whoever cleans up has enough of it: dead by the signal, and its client with it.
  @Test(arguments: [FakeKind.multipass]) func itHangsAtADelete(kind: FakeKind) async throws {
    let fake = try ManagerOnPath(kind)
    let ground = try fake.ground(tests: ["one"], steps: ["sleep 60"])
    let run = try await ground.start()
    try await run.wait(for: "step-started")
    try await run.kill(withGuardian: true)
    try fake.set(#"{"delete": {"hang": true, "ignoreTerm": true}}"#)
    let before = try fake.calls("delete")
    let clean = try await MusterProcess(environment: fake.environment).start(
      ["clean", "--force", "--state", ground.path, "--cache", TestCache.folder], log: "\(ground.path)/clean.log")
    while try fake.calls("delete") == before, clean.ended == nil { try await Task.sleep(for: .milliseconds(10)) }
    let watch = Stopwatch()
    kill(clean.processID, SIGINT)
    #expect(await clean.ending() == .signaled(SIGINT))
    #expect(watch.elapsed < .seconds(5))
    #expect(try processes(with: "delete\u{0}--purge\u{0}\(run.machines[0])") == [])
    #expect(try FileSystem.readText("\(ground.path)/clean.log").contains("'muster clean' goes on with it"))
    try fake.set("{}")
    #expect(try await ground.clean("--force").ending == .exited(0))
    #expect(try fake.machines() == [])
  }

  /// A machine that the manager still lists when it is gone.
  @Test(arguments: FakeKind.allCases) func itListsWhatIsNot(kind: FakeKind) async throws {
    let fake = try ManagerOnPath(kind)
    let ground = try fake.ground(tests: ["one"], steps: ["sleep 1"])
    let run = try await ground.start()
    try await run.wait(for: "step-started")
    let name = try #require(run.machines.first)
    try fake.set(#"{"list": {"ghosts": ["\#(name)", "somebodys"]}}"#)
    #expect(await run.process.ending() == .exited(5), "\(run.console)")
    #expect(run.console.contains(kind.deletion(of: name)), "\(run.console)")
    #expect(try fake.machines() == [])
    try await ground.waitForLock()
    try fake.set("{}")
    #expect(try await ground.clean("--force").ending == .exited(0))
  }

  /// It neither launches nor ends when it is told to: blamed on it, and nothing is left.
  @Test(arguments: FakeKind.allCases) func itHangs(kind: FakeKind) async throws {
    let fake = try ManagerOnPath(kind, #"{"\#(kind.launching)": {"hang": true, "ignoreTerm": true}}"#)
    let ground = try fake.ground(tests: ["one"], launch: "5s")
    let run = try await ground.start()
    #expect(await run.process.ending() == .exited(3), "\(run.console)")
    let cell = try run.summary()["cells"][0]
    #expect(cell["outcome"].string == "error" && cell["blame"].string == "backend", "\(run.console)")
    try await fake.expectNothingLeft(of: run, "after it hung")
    #expect(run.console.contains("\(kind.tool) \(kind.launching) did not answer within"), "\(run.console)")
    // Nor does a run that is ended wait for it.
    let before = try fake.calls(kind.launching)
    let second = try await ground.start()
    try await second.wait { try fake.calls(kind.launching) > before }
    let watch = Stopwatch()
    kill(second.process.processID, SIGINT)
    #expect(await second.process.ending() == .signaled(SIGINT))
    #expect(watch.elapsed < .seconds(5))
    try await fake.expectNothingLeft(of: second, "after INT while it hung")
  }

  /// It makes no machine and says that it did.
  @Test(arguments: FakeKind.allCases) func itOnlySaysThatItLaunched(kind: FakeKind) async throws {
    let fake = try ManagerOnPath(kind, #"{"\#(kind.launching)": {"rubbish": true}}"#)
    let run = try await fake.ground(tests: ["one"]).start()
    #expect(await run.process.ending() == .exited(3), "\(run.console)")
    #expect(try run.summary()["cells"][0]["blame"].string == "backend")
    #expect(run.console.contains("has made no '\(try #require(run.machines.first))'"), "\(run.console)")
    try await fake.expectNothingLeft(of: run, "after it made nothing")
  }

  /// It executes no more: the release is not to blame for a step that never began. On one of them, since it is waited for
  /// long; what each says is in `MachineLifeTests`.
  @Test(arguments: [FakeKind.multipass]) func itHangsBeforeAStep(kind: FakeKind) async throws {
    let fake = try ManagerOnPath(kind)
    let ground = try fake.ground(tests: ["one"], steps: ["sleep 1", "true"], timeouts: ", step: 5s")
    let run = try await ground.start()
    try await run.wait(for: "step-started")
    try fake.set(#"{"\#(kind.executing)": {"hang": true}}"#)
    #expect(await run.process.ending() == .exited(3), "\(run.console)")
    let cell = try run.summary()["cells"][0]
    #expect(cell["outcome"].string == "error" && cell["blame"].string == "backend", "\(run.console)")
    try await fake.expectNothingLeft(of: run, "after it hung")
    #expect(run.console.contains(kind.words.restartHint), "\(run.console)")
  }

  /// It talks rubbish: nothing is believed, and what is not known to be ours is not deleted.
  @Test(arguments: FakeKind.allCases) func itTalksRubbish(kind: FakeKind) async throws {
    let fake = try ManagerOnPath(kind)
    let ground = try fake.ground(tests: ["one"], steps: ["sleep 1"])
    let run = try await ground.start()
    try await run.wait(for: "step-started")
    try fake.set(#"{"list": {"rubbish": true}}"#)
    // It cannot be proven that the machine is gone.
    #expect(await run.process.ending() == .exited(5), "\(run.console)")
    #expect(run.console.contains(kind.deletion(of: "")), "\(run.console)")
    #expect(try fake.machines().count == (kind == .multipass ? 0 : 1))
    try await ground.waitForLock()
    let list = try await MusterProcess(environment: fake.environment).run(
      ["list", "--state", ground.path, "--cache", TestCache.folder])
    #expect(list.ending == .exited(69))
    #expect(list.errorText.contains("something unknown"), "\(list.errorText)")
    try fake.set(#"{"version": {"rubbish": true}}"#)
    let unable = try await ground.start()
    #expect(await unable.process.ending() == .exited(69), "\(unable.console)")
    try fake.set("{}")
    #expect(try await ground.clean("--force").ending == .exited(0))
    #expect(try fake.machines() == [])
  }
}
