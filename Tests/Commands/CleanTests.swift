import Glibc
import MusterExecution
import MusterHost
import MusterMachines
import Testing

/// `muster clean` of machines by their names.
@Suite struct CleanTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  private func relic(_ digits: String) throws -> Relic {
    let workspace = Workspaces.newPath()
    try Workspaces.create(workspace)
    return Relic(name: MachineName(text: "muster-t-1-2-\(digits)"), backend: "qemu", workspace: workspace)
  }

  private func ledger(_ run: String) async throws -> Ledger {
    let header = LedgerRecord.Header(
      run: run, host: HostFacts.hostID, user: HostFacts.userID, processID: 4_000_000, command: "muster run x.yaml",
      output: scratch.path)
    return try await Ledger.begin(header, in: scratch.path)
  }

  private func clean(_ arguments: String...) async throws -> ProcessOutput {
    // Without other backends, which would be asked what they have.
    try await MusterProcess(environment: ["PATH": "/nowhere"]).run(
      ["clean", "--state", scratch.path, "--cache", "\(scratch.path)/cache"] + arguments)
  }

  /// What a killed run left of a template that it made; one that is made at this moment stays.
  @Test func halfMadeTemplatesAreRemoved() async throws {
    let templates = "\(scratch.path)/cache/templates"
    for key in ["aa", "bb"] {
      try FileSystem.createFolder("\(templates)/\(key).new")
      try FileSystem.write("half", to: "\(templates)/\(key).new/memory")
    }
    let lock = try #require(try FileLock("\(templates)/bb.lock").take())
    let list = try await clean("--list-only")
    #expect(list.text == "\(templates)/aa.new  of a template whose making was cut off")
    let output = try await clean("--force")
    #expect(output.ending == .exited(0), "\(output.errorText)")
    #expect(output.errorText.contains("removed \(templates)/aa.new"), "\(output.errorText)")
    #expect(try FileSystem.names(in: templates).filter { $0.hasSuffix(".new") } == ["bb.new"])
    lock.release()
  }

  @Test func aKeptMachineIsPurgedWhenItIsNamed() async throws {
    let (one, two) = (try relic("aaaaaa"), try relic("bbbbbb"))
    // Nobody else's: a sweep of another test would end its processes.
    let run = "20261121T000000Z-\(UInt32.random(in: .min ... .max))"
    let dead = try await ledger(run)
    for relic in [one, two] {
      try dead.intend(relic)
      dead.kept(relic.name, path: relic.workspace)
    }
    dead.close()
    // What else such a run has left is not touched either.
    let stray = try await RunningProcess.start(
      HostCommand("sleep", ["600"], environment: ["MUSTER_RUN": run]),
      log: "\(scratch.path)/stray.log")
    defer { kill(stray.processID, SIGKILL) }
    let live = try await ledger("20261121T000000Z-bbbbbb")
    defer { live.close() }
    let third = try relic("cccccc")
    try live.intend(third)

    let list = try await clean("--list-only", one.name.text)
    #expect(list.text.contains(one.name.text) && !list.text.contains(two.name.text), "\(list.text)")
    #expect(!list.text.contains("spared"))
    let output = try await clean("--force", one.name.text)
    #expect(output.ending == .exited(0), "\(output.errorText)")
    #expect(!FileSystem.exists(one.workspace) && FileSystem.exists(two.workspace))
    #expect(stray.ended == nil)
    #expect(try await clean("--force", one.name.text).ending == .exited(4))
    let refused = try await clean("--force", two.name.text, third.name.text)
    #expect(refused.ending == .exited(4))
    #expect(refused.errorText.contains("(process 4000000), which lives"), "\(refused.errorText)")
    #expect(FileSystem.exists(two.workspace) && FileSystem.exists(third.workspace))
    #expect(try await clean("--all", two.name.text).ending == .exited(64))

    #expect(try await clean("--force", two.name.text).ending == .exited(0))
    #expect(!FileSystem.exists(two.workspace))
    try third.removeWorkspace()
  }
}
