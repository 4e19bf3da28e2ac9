import Foundation
import MusterHost
import Testing

/// Runs on real machines that are killed: what is left is witnessed by /proc and the file system, never by the ledger.
@Suite(.serialized) struct KilledRealRunTests {
  /// The workspaces that there were before.
  private let before = workspaces

  /// Killed as soon as it has told its first event, its second, and so on to its last.
  @Test func atEveryEvent() async throws {
    var count = 1
    while true {
      let scratch = try Scratch()
      let run = try await start(scratch)
      let hasEnded = try await wait(for: count, of: run, in: scratch)
      kill(run.processID, SIGKILL)
      _ = await run.ending()
      try await expectNothingLeft(of: scratch, "after \(count) events")
      let summary = try JSON(file: "\(scratch.path)/out/summary.json")
      if !hasEnded {
        #expect(summary["cells"].array.count == 1, "after \(count) events")
        #expect(try FileSystem.readText("\(scratch.path)/out/events.jsonl").contains("run-finished"))
        #expect(FileSystem.isFile("\(scratch.path)/junit.xml"), "after \(count) events")
      }
      if hasEnded || summary["outcome"].string == "passed" { break }
      // Before the first cell there is nothing to be told of any.
      #expect(["error", "cancelled"].contains(summary["outcome"].string), "after \(count) events")
      count += 1
    }
    #expect(count > 12)
  }

  /// Asked to end by one signal after the other, at each event: purged, reported, and dead by that signal within five
  /// seconds, which CI systems give.
  @Test func bySignalsAtEveryEvent() async throws {
    var count = 1
    while true {
      let scratch = try Scratch()
      let run = try await start(scratch)
      let hasEnded = try await wait(for: count, of: run, in: scratch)
      let signal = [SIGINT, SIGTERM, SIGHUP, SIGQUIT][count % 4]
      let when = "signal \(signal) after \(count) events"
      let watch = Stopwatch()
      if !hasEnded { kill(run.processID, signal) }
      let ending = await run.ending()
      #expect(watch.elapsed < .seconds(5), "\(when)")
      try await expectNothingLeft(of: scratch, when)
      let summary = try JSON(file: "\(scratch.path)/out/summary.json")
      #expect(FileSystem.isFile("\(scratch.path)/junit.xml"), "\(when)")
      #expect(summary["machines"]["left"].int == 0, "\(when)")
      // Once the run has told its last event, the signal may come too late.
      if hasEnded || ending == .exited(0) { break }
      #expect(ending == .signaled(signal), "\(when)")
      // While the guest boots, one event is much like the next, and each costs another boot.
      count += count < 10 ? 1 : 2
    }
    #expect(count > 12)
  }

  /// The guardian dies with its run: whoever comes next cleans up.
  @Test func togetherWithItsGuardian() async throws {
    let scratch = try Scratch()
    let run = try await start(scratch)
    try await waitForStep(of: run, in: scratch)
    let guardian = try #require(try guardian(in: scratch))
    kill(guardian, SIGKILL)
    kill(run.processID, SIGKILL)
    _ = await run.ending()
    let orphan = try #require(try machines(of: scratch).first)

    let list = try await clean(scratch, "--list-only")
    #expect(list.text.contains(orphan) && list.text.contains("which is dead"), "\(list.text)")
    #expect(try !processes(with: orphan).isEmpty)
    let unasked = try await clean(scratch)
    #expect(unasked.ending == .exited(64))
    #expect(try !processes(with: orphan).isEmpty)
    let forced = try await clean(scratch, "--force")
    #expect(forced.ending == .exited(0), "\(forced.errorText)")
    #expect(forced.errorText.contains("purged '\(orphan)'"))
    try await expectNothingLeft(of: scratch, "after muster clean")
    #expect(try await clean(scratch, "--force").text == "nothing to purge")
  }

  /// A guardian that dies alone is replaced before anything more is launched.
  @Test func aGuardianIsReplaced() async throws {
    let scratch = try Scratch()
    let run = try await start(scratch, tests: ["one", "two"])
    try await waitForStep(of: run, in: scratch)
    let first = try #require(try guardian(in: scratch))
    kill(first, SIGKILL)
    while try machines(of: scratch).count < 2 {
      try #require(run.ended == nil, "the run has ended: \(String(describing: run.ended))")
      try await Task.sleep(for: .milliseconds(50))
    }
    let second = try #require(try guardian(in: scratch))
    #expect(second != first)
    kill(run.processID, SIGKILL)
    _ = await run.ending()
    try await expectNothingLeft(of: scratch, "after the second guardian")
  }

  /// The disk of state and output is full in the middle of the first cell: nothing more is launched, for it could not be
  /// written down; what there is is purged, and the host is blamed.
  @Test(.enabled(if: HostFacts.isRoot)) func onAFullDisk() async throws {
    let scratch = try Scratch()
    let mounted = try await HostCommand("mount", ["-t", "tmpfs", "-o", "size=24M", "tmpfs", scratch.path]).run()
    try #require(mounted.ending.isSuccess, "\(mounted.errorText)")
    do {
      let run = try await start(scratch, tests: ["one", "two"])
      try await waitForStep(of: run, in: scratch)
      let names = try machines(of: scratch)
      _ = try await HostCommand("dd", ["if=/dev/zero", "of=\(scratch.path)/filler", "bs=4k"]).run()
      let ending = await run.ending()
      #expect(ending == .exited(3) || ending == .exited(74), "\(String(describing: ending))")
      for name in names { #expect(try processes(with: name) == []) }
      #expect(Self.workspaces.subtracting(before) == [])
      #expect(events(in: scratch).count { $0.contains(#""event":"machine-launched""#) } == 1)
      // With room again, the next sweep finds nothing that is not gone already.
      try FileSystem.remove("\(scratch.path)/filler")
      #expect(try await clean(scratch, "--force").ending == .exited(0))
      #expect(try FileSystem.names(in: "\(scratch.path)/ledgers") == [])
    } catch {
      _ = try await HostCommand("umount", ["-l", scratch.path]).run()
      throw error
    }
    _ = try await HostCommand("umount", ["-l", scratch.path]).run()
  }

  // MARK: Parts

  private func start(_ scratch: Scratch, tests: [String] = ["one"]) async throws -> RunningProcess {
    let cells = tests.map { "  \($0): {distros: all, verify: [{run: 'sleep 2'}]}\n" }.joined()
    let file = try scratch.write("matrix.yaml", Self.head + cells)
    return try await MusterProcess().start(
      [
        "run", file, "--output", "\(scratch.path)/out", "--cache", testCache, "--state", scratch.path, "--lock-file",
        "\(scratch.path)/lock", "--lock-timeout", "0", "--junit", "\(scratch.path)/junit.xml",
      ], log: "\(scratch.path)/console.log")
  }

  /// The folders of what goes with machines.
  private static var workspaces: Set<String> {
    Set((try? FileSystem.names(in: Workspaces.folder)) ?? [])
  }

  private func clean(_ scratch: Scratch, _ options: String...) async throws -> ProcessOutput {
    try await MusterProcess().run(["clean", "--state", scratch.path, "--cache", testCache] + options)
  }

  private static let head = """
    muster: 1
    resources: {cpus: 2, memory: 1G, disk: 3G}
    distros:
      debian-12: {image: {debootstrap: bookworm}}
    tests:

    """

  private func events(in scratch: Scratch) -> [String] {
    let text = (try? FileSystem.readText("\(scratch.path)/out/events.jsonl")) ?? ""
    return text.split(separator: "\n").dropFirst().map(String.init)
  }

  /// Looks until there are so many events.
  /// - Returns: Whether the run has ended before.
  private func wait(for count: Int, of run: RunningProcess, in scratch: Scratch) async throws -> Bool {
    while events(in: scratch).count < count {
      if run.ended != nil { return true }
      try await Task.sleep(for: .milliseconds(2))
    }
    return false
  }

  private func waitForStep(of run: RunningProcess, in scratch: Scratch) async throws {
    while !events(in: scratch).contains(where: { $0.contains(#""event":"step-started""#) }) {
      try #require(run.ended == nil, "the run has ended: \(String(describing: run.ended))")
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  /// The names of the machines that the run has told of.
  private func machines(of scratch: Scratch) throws -> [String] {
    events(in: scratch).filter { $0.contains(#""event":"attempt-started""#) }.compactMap { event in
      event.split(separator: "\"machine\":\"").dropFirst().first.map { String($0.prefix { $0 != "\"" }) }
    }
  }

  /// The live processes with a text in their command line or environment; the tests themselves have it in neither.
  private func processes(with text: String) throws -> [Int32] {
    try FileSystem.names(in: "/proc").compactMap { Int32($0) }.filter { id in
      guard ForeignProcess(id: id).isAlive else { return false }
      return ["cmdline", "environ"].contains { file in
        (try? FileSystem.readText("/proc/\(id)/\(file)", limit: 1 << 20))?.contains(text) ?? false
      }
    }
  }

  private func guardian(in scratch: Scratch) throws -> Int32? {
    try processes(with: "\(scratch.path)/ledgers/").first { id in
      (try? FileSystem.readText("/proc/\(id)/cmdline"))?.contains("guardian") ?? false
    }
  }

  /// Within a second of a run's death there is no machine, no process that it started, no workspace, and no lock.
  private func expectNothingLeft(of scratch: Scratch, _ when: String) async throws {
    let run = try #require(try JSON(Array((events(in: scratch).first ?? "{}").utf8))["run"].string, "\(when)")
    let names = try machines(of: scratch)
    let deadline = ContinuousClock.now + .seconds(1)
    func left() throws -> [Int32] {
      try processes(with: "MUSTER_RUN=\(run)") + names.flatMap { try processes(with: $0) }
    }
    while try !left().isEmpty, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(10)) }
    #expect(try left() == [], "\(when)")
    // The reports are written after the machine is gone.
    let lock = try await FileLock("\(scratch.path)/lock").take(deadline: .seconds(5))
    lock.release()
    #expect(try processes(with: "\(scratch.path)/ledgers/") == [], "\(when)")
    #expect(try FileSystem.names(in: "\(scratch.path)/ledgers") == [], "\(when)")
    #expect(Self.workspaces.subtracting(before) == [], "\(when)")
  }
}
