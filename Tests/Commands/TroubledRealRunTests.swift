import Foundation
import MusterHost
import MusterTestSupport
import Testing

/// Runs on real machines on a host that lets them down.
@Suite(.serialized) struct TroubledRealRunTests {
  /// The disk of state and output is full in the middle of the first cell: nothing more is launched, for it could not be
  /// written down; what there is is purged, and the host is blamed.
  @Test(.enabled(if: HostFacts.isRoot)) func onAFullDisk() async throws {
    try await Self.onAMount("-t", "tmpfs", "-o", "size=24M", "tmpfs") { ground in
      let run = try await ground.start()
      try await run.wait(for: "step-started")
      _ = try await HostCommand("dd", ["if=/dev/zero", "of=\(ground.path)/filler", "bs=4k"]).run()
      try await Self.expectOrderlyEnd(of: run)
      // With room again, the next sweep finds nothing that is not gone already.
      try FileSystem.remove("\(ground.path)/filler")
      #expect(try await ground.clean("--force").ending == .exited(0))
      try ground.expectNoTrace("with room again")
    }
  }

  /// As a file system does that has met an error: what is open can be written, nothing new can be made.
  @Test(.enabled(if: HostFacts.isRoot)) func onAReadOnlyDisk() async throws {
    try await Self.onAMount("-t", "tmpfs", "tmpfs") { ground in
      let run = try await ground.start()
      try await run.wait(for: "step-started")
      try await Self.mount("--bind", ground.path, ground.path)
      try await Self.mount("-o", "remount,bind,ro", ground.path)
      try await Self.expectOrderlyEnd(of: run)
      _ = try await HostCommand("umount", [ground.path]).run()
      #expect(try await ground.clean("--force").ending == .exited(0))
      try ground.expectNoTrace("when it can be written again")
    }
  }

  /// As the kernel does when memory ran out: the machine's process is killed.
  @Test func withoutMemory() async throws {
    let ground = try await KillingGround(tests: ["one"], steps: ["sleep 60"])
    let run = try await ground.start()
    try await run.wait(for: "step-started")
    kill(try #require(try run.emulator()), SIGKILL)
    #expect(await run.process.ending() == .exited(3), "\(run.console)")
    let cell = try run.summary()["cells"][0]
    #expect(cell["outcome"].string == "error")
    #expect(cell["blame"].string == "host")
    try await run.expectNothingLeft("without memory")
    try ground.expectNoTrace("without memory")
  }

  /// Whoever reads along goes away: the run goes on to its end.
  @Test func whenNobodyReads() async throws {
    let ground = try await KillingGround(tests: ["one"])
    let script = #""$@" 2>&1 | head -n 1; echo "${PIPESTATUS[0]}""#
    let output = try await HostCommand(
      "bash", ["-c", script, "bash", MusterProcess.executable] + ground.arguments(output: "\(ground.path)/out")
    ).run()
    #expect(output.text.hasSuffix("\n0"), "\(output.text)")
    #expect(try JSON(file: "\(ground.path)/out/summary.json")["outcome"].string == "passed")
    try ground.expectNoTrace("when nobody reads")
  }

  /// `nohup` is respected.
  @Test func underNohup() async throws {
    let ground = try await KillingGround(tests: ["one"], steps: ["sleep 1"])
    let run = try await ground.start(through: ["nohup"])
    try await run.wait(for: "step-started")
    kill(run.process.processID, SIGHUP)
    #expect(await run.process.ending() == .exited(0), "\(run.console)")
    try run.expectReports(["passed"], "under nohup")
    try ground.expectNoTrace("under nohup")
  }

  /// The terminal is closed: purged, reported, and dead by HUP.
  @Test func whenTheTerminalIsClosed() async throws {
    let ground = try await KillingGround(tests: ["one"], steps: ["sleep 60"])
    let terminal = """
      import os, pty, sys, time
      child, master = pty.fork()
      if child == 0: os.execv(sys.argv[2], sys.argv[2:])
      while not os.path.exists(sys.argv[1]):
          os.set_blocking(master, False)
          try: os.read(master, 4096)
          except BlockingIOError: time.sleep(0.01)
      os.close(master)
      sys.exit(os.WTERMSIG(os.waitpid(child, 0)[1]))
      """
    let run = try await ground.start(through: ["python3", "-c", terminal, "\(ground.path)/close"])
    try await run.wait(for: "step-started")
    let watch = Stopwatch()
    try FileSystem.write("", to: "\(ground.path)/close")
    #expect(await run.process.ending() == .exited(SIGHUP), "\(run.console)")
    #expect(watch.elapsed < .seconds(5))
    try run.expectReports(["cancelled"], "when the terminal is closed")
    try await run.expectNothingLeft("when the terminal is closed")
    try ground.expectNoTrace("when the terminal is closed")
  }

  /// The building of an image is killed: what it started goes on, until a sweep ends it and removes what there is of it.
  @Test func whenABuildIsKilled() async throws {
    let scratch = try Scratch()
    let folders = ["--cache", "\(scratch.path)/cache", "--state", scratch.path]
    let build = try await MusterProcess().start(["images", "build", "bookworm"] + folders, log: "\(scratch.path)/log")
    func builders() throws -> [Int32] {
      try processes(with: "MUSTER_BUILD=\(scratch.path)/cache/builds/")
    }
    while try builders().isEmpty {
      try #require(build.ended == nil)
      try await Task.sleep(for: .milliseconds(5))
    }
    kill(build.processID, SIGKILL)
    _ = await build.ending()
    #expect(try !builders().isEmpty)
    let list = try await MusterProcess().run(["clean", "--list-only"] + folders)
    #expect(list.text.contains("left by muster images") && list.text.contains("cut off"), "\(list.text)")
    let clean = try await MusterProcess().run(["clean", "--force"] + folders)
    #expect(clean.ending == .exited(0), "\(clean.errorText)")
    #expect(try builders() == [])
    #expect(try FileSystem.names(in: "\(scratch.path)/cache/builds") == [])
    #expect(try FileSystem.names(in: "\(scratch.path)/ledgers") == [])
    #expect(try await MusterProcess().run(["clean", "--list-only"] + folders).text == "nothing to purge")
  }

  /// What is not used otherwise stays where a machine's disk reads from it: one that runs, and one that was kept.
  @Test func pruningLeavesWhatMachinesNeed() async throws {
    let scratch = try Scratch()
    let image = try await TestCache.tinyDisk()
    let sum = try await HostCommand("sha256sum", [image]).run().text.prefix(64)
    let matrix = try scratch.write(
      "matrix.yaml",
      """
      muster: 1
      resources: {cpus: 1, memory: 256M, disk: 256M}
      distros: {tiny: {image: {url: 'file://\(image)', sha256: \(sum)}, family: debian}}
      tests: {t: {verify: [run: sleep 5; exit 7]}}
      """)
    let (cache, folders) = ("\(scratch.path)/cache", ["--cache", "\(scratch.path)/cache", "--state", scratch.path])
    func prune() async throws -> ProcessOutput {
      try await MusterProcess().run(["images", "prune", "--unused-for", "0", "--cache", cache])
    }
    let run = try await MusterProcess().start(
      [
        "run", matrix, "--keep", "failed", "--output", "\(scratch.path)/out", "--lock-file", "\(scratch.path)/lock",
        "--events", "\(scratch.path)/events",
      ] + folders, log: "\(scratch.path)/log")
    while (try? FileSystem.readText("\(scratch.path)/events"))?.contains("step-started") != true {
      try #require(run.ended == nil)
      try await Task.sleep(for: .milliseconds(5))
    }
    let live = try await prune()
    #expect(live.ending == .exited(0), "\(live.errorText)")
    #expect(live.text.contains("a template of") && live.text.contains("nothing to remove"), "\(live.text)")
    #expect(await run.ending() == .exited(1))

    let kept = try await prune()
    #expect(kept.text.split(separator: "\n").count { $0.contains(" stays: a machine needs it") } == 1, "\(kept.text)")
    #expect(kept.text.contains("removed a template of"), "\(kept.text)")
    let list = try JSON(Array(try await MusterProcess().run(["list", "--format", "json"] + folders).stdout))
    let folder = try #require(list["machines"][0]["workspace"].string, "\(list)")
    let check = try await HostCommand("qemu-img", ["check", "-q", "\(folder)/disk.qcow2"]).run()
    #expect(check.ending == .exited(0), "\(check.errorText)")

    let machine = try #require(list["machines"][0]["machine"].string)
    let purge = try await MusterProcess().run(["clean", "--force", machine, "--state", scratch.path])
    #expect(purge.ending == .exited(0), "\(purge.errorText)")
    let clean = try await prune()
    #expect(clean.text.contains("removed ") && !clean.text.contains("stays"), "\(clean.text)")
  }

  /// The machine hangs, and nothing can be asked of it any more: a signal still ends the run in time.
  @Test func aMachineThatHangs() async throws {
    let ground = try await KillingGround(tests: ["one"], steps: ["sleep 60"])
    let run = try await ground.start()
    try await run.wait(for: "step-started")
    kill(try #require(try run.emulator()), SIGSTOP)
    let watch = Stopwatch()
    kill(run.process.processID, SIGTERM)
    #expect(await run.process.ending() == .signaled(SIGTERM), "\(run.console)")
    #expect(watch.elapsed < .seconds(5))
    try run.expectReports(["cancelled"], "when the machine hangs")
    try await run.expectNothingLeft("when the machine hangs")
    try ground.expectNoTrace("when the machine hangs")
  }

  /// Somebody removes the state folder: nothing more is launched, and the guardian still knows what there is.
  @Test func whenTheLedgerIsRemoved() async throws {
    let ground = try await KillingGround(steps: ["sleep 2"])
    let run = try await ground.start()
    try await run.wait(for: "step-started")
    try FileSystem.removeTree("\(ground.path)/ledgers")
    #expect(await run.process.ending() == .exited(3), "\(run.console)")
    #expect(run.console.contains("was removed"), "\(run.console)")
    #expect(run.events.count { $0.contains(#""event":"machine-launched""#) } == 1)
    try await run.expectNothingLeft("without a ledger")
    let killed = try await ground.start()
    try await killed.wait(for: "step-started")
    try FileSystem.removeTree("\(ground.path)/ledgers")
    try await killed.kill()
    try await killed.expectNothingLeft("killed without a ledger")
    try killed.expectReports(["error"], "killed without a ledger")
    #expect(Witness.workspaces.subtracting(ground.before) == [])
  }

  /// What cannot be read is named, kept, and not taken for nothing.
  @Test func whenTheLedgerIsGarbage() async throws {
    let ground = try await KillingGround(tests: ["one"])
    let ledger = "\(ground.path)/ledgers/garbage.ledger"
    try FileSystem.createFolder("\(ground.path)/ledgers")
    try FileSystem.write("garbage\n{\"intent\": \"muster-one-1-2-abcdef\"}\n", to: ledger)
    let clean = try await ground.clean("--force")
    #expect(clean.ending == .exited(5))
    #expect(clean.errorText.contains(ledger))
    #expect(FileSystem.exists(ledger))
    let nowhere = try await MusterProcess().run(["clean", "--list-only", "--state", ground.matrix])
    #expect(nowhere.ending == .exited(69), "\(nowhere.text)\(nowhere.errorText)")
  }

  /// A CI system that kills its job still shows the step's summary.
  @Test func killedUnderGitHub() async throws {
    let scratch = try Scratch()
    let stepSummary = try scratch.write("step-summary.md", "")
    let ground = try await KillingGround(
      steps: ["sleep 60"], environment: ["GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": stepSummary])
    let run = try await ground.start()
    try await run.wait(for: "step-started")
    try await run.kill()
    try await run.expectNothingLeft("killed under GitHub")
    #expect(try FileSystem.readText(stepSummary).contains("the run was killed"))
    let attempt = try run.summary()["cells"][0]["attempts"][0]
    let log = try #require(attempt["log"].string)
    #expect(FileSystem.isFile("\(run.output)/\(log)/console.log"))
  }

  /// Each machine, and whose it is.
  @Test func machinesAreListed() async throws {
    let ground = try await KillingGround(tests: ["one"], steps: ["sleep 60"])
    let run = try await ground.start()
    try await run.wait(for: "step-started")
    let name = try #require(run.machines.first)
    let folders = ["--state", ground.path, "--cache", TestCache.folder]
    func state() async throws -> String? {
      let list = try await JSON(MusterProcess().run(["list", "--format", "json"] + folders).stdout)
      return list["machines"].array.first { $0["machine"].string == name }?["state"].string
    }
    #expect(try await state() == "alive")
    let unknown = try await MusterProcess().run([
      "list", "--state", "\(ground.path)/other", "--cache", TestCache.folder,
    ])
    #expect(unknown.text.contains("\(name)  qemu  unproven"), "\(unknown.text)")
    try await run.kill(withGuardian: true)
    #expect(try await state() == "orphaned")
    #expect(try await ground.clean("--force").ending == .exited(0))
    #expect(try await state() == nil)
  }

  // MARK: Parts

  private static func expectOrderlyEnd(of run: KillableRun) async throws {
    let names = run.machines
    let ending = await run.process.ending()
    #expect(ending == .exited(3) || ending == .exited(74), "\(String(describing: ending)): \(run.console)")
    for name in names { #expect(try processes(with: name) == []) }
    #expect(Witness.workspaces.subtracting(run.ground.before) == [])
    #expect(run.events.count { $0.contains(#""event":"machine-launched""#) } == 1)
  }

  /// Everything of the run is on a file system of its own.
  private static func onAMount(
    _ options: String..., body: (KillingGround) async throws -> Void
  ) async throws {
    let ground = try await KillingGround(steps: ["sleep 2"])
    try await mount(options + [ground.path])
    do {
      // The mount hides what was there.
      try FileSystem.write(ground.text, to: ground.matrix)
      try await body(ground)
    } catch {
      _ = try await HostCommand("umount", ["-l", ground.path]).run()
      throw error
    }
    _ = try await HostCommand("umount", ["-l", ground.path]).run()
  }

  private static func mount(_ arguments: String...) async throws { try await mount(arguments) }

  private static func mount(_ arguments: [String]) async throws {
    let mounted = try await HostCommand("mount", arguments).run()
    try #require(mounted.ending.isSuccess, "\(mounted.errorText)")
  }
}
