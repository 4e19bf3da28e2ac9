import MusterHost
import MusterMachines
import Testing

@testable import MusterExecution

/// What a sweep takes for a dead run's, and what it leaves alone.
@Suite struct SweepTests {
  /// It holds the folder, which is gone with it.
  private let fixture: Fixture
  private let backend = LocalBackend()

  init() throws {
    fixture = try Fixture()
  }

  private var folder: String { fixture.folder }

  private var sweep: Sweep { Sweep(state: folder, backends: BackendSet([backend])) }

  /// By default of a process that never was.
  private func header(
    _ run: String = "20261121T000000Z-aaaaaa", host: String = HostFacts.hostID, processID: Int32 = 4_200_000
  ) -> LedgerRecord.Header {
    LedgerRecord.Header(
      run: run, host: host, user: HostFacts.userID, processID: processID, command: "muster run x.yaml", output: folder)
  }

  private func relic(_ name: String = "muster-t-1-2-abcdef", backend: String = "local") throws -> Relic {
    let workspace = Workspaces.newPath()
    try Workspaces.create(workspace)
    try FileSystem.write("x", to: "\(workspace)/disk")
    return Relic(name: MachineName(text: name), backend: backend, workspace: workspace)
  }

  /// The ledger of a run that was killed: on the disk, and nobody has it.
  private func deadLedger(_ header: LedgerRecord.Header, _ relics: [Relic], torn: String = "") async throws -> String {
    let ledger = try await Ledger.begin(header, in: folder)
    for relic in relics { try ledger.intend(relic) }
    // Closing would remove what is empty.
    ledger.lock?.release()
    if !torn.isEmpty { try AppendedFile(ledger.path).append(torn) }
    return ledger.path
  }

  @Test func aDeadRunsMachinesArePurged() async throws {
    let relics = [try relic(), try relic("muster-t-1-2-fedcba")]
    let path = try await deadLedger(header(), relics)
    #expect(try await sweep.look().dead.map(\.name) == relics.map(\.name))
    #expect(relics.allSatisfy { FileSystem.exists($0.workspace) })
    let result = try await sweep.perform()
    #expect(result.purged.map(\.name) == relics.map(\.name))
    #expect(result.left.isEmpty)
    #expect(!relics.contains { FileSystem.exists($0.workspace) })
    #expect(!FileSystem.exists(path))
    #expect(try await sweep.perform().purged.isEmpty)
  }

  @Test func aLiveRunsMachinesAreLeftAlone() async throws {
    let relic = try relic()
    let ledger = try await Ledger.begin(header(processID: HostFacts.processID), in: folder)
    try ledger.intend(relic)
    let (dead, live) = try await sweep.look()
    #expect(dead.isEmpty)
    #expect(live.map(\.name) == [relic.name])
    #expect(try await sweep.perform().purged.isEmpty)
    #expect(FileSystem.exists(relic.workspace))
    ledger.purged(relic.name)
    ledger.close()
    #expect(!FileSystem.exists(ledger.path))
    try relic.removeWorkspace()
  }

  /// A process that was killed has its lock for a moment more.
  @Test func aRunThatIsDyingIsDead() async throws {
    let relic = try relic()
    let ledger = try await Ledger.begin(header(), in: folder)
    try ledger.intend(relic)
    async let looked = sweep.look()
    try await Task.sleep(for: .milliseconds(50))
    ledger.lock?.release()
    #expect(try await looked.dead.map(\.name) == [relic.name])
    #expect(try await sweep.perform().purged.map(\.name) == [relic.name])
  }

  /// So has its guardian, for as long as it purges.
  @Test func whatAGuardianPurgesIsLeftToIt() async throws {
    let relic = try relic()
    let ledger = try await Ledger.begin(header(), in: folder)
    try ledger.intend(relic)
    let (dead, live) = try await sweep.look()
    #expect(dead.isEmpty)
    #expect(live.map(\.name) == [relic.name])
    ledger.purged(relic.name)
    ledger.close()
    try relic.removeWorkspace()
  }

  /// Only half of the last line came to the disk.
  @Test func aTornLedgerIsReadAsFarAsItGoes() async throws {
    let relics = [try relic(), try relic("muster-t-1-2-fedcba")]
    _ = try await deadLedger(header(), relics, torn: #"{"purged":"muster-t-1-2-ab"#)
    #expect(try await sweep.perform().purged.map(\.name) == relics.map(\.name))
    // Of one that has not even its first line there was no machine.
    try FileSystem.write(#"{"ledger":"muster.led"#, to: "\(folder)/ledgers/x.ledger")
    #expect(try await sweep.perform().purged.isEmpty)
    #expect(try FileSystem.names(in: "\(folder)/ledgers") == [])
  }

  @Test func whatIsOfAnotherHostOrUserIsLeftAlone() async throws {
    let relic = try relic()
    var foreign = header("20261121T000000Z-bbbbbb", host: "elsewhere 0123")
    _ = try await deadLedger(foreign, [relic])
    foreign = header("20261121T000000Z-cccccc")
    foreign.user += 1
    _ = try await deadLedger(foreign, [relic])
    #expect(try await sweep.look().dead.isEmpty)
    #expect(try await sweep.perform().purged.isEmpty)
    #expect(FileSystem.exists(relic.workspace))
    #expect(try FileSystem.names(in: "\(folder)/ledgers").count == 2)
    try relic.removeWorkspace()
  }

  /// Whatever a ledger says, no other folder is removed, and no other process is ended.
  @Test func aLedgerThatLiesDoesNoHarm() async throws {
    let precious = "\(folder)/precious"
    try FileSystem.createFolder(precious)
    let relics = [
      precious, "\(Workspaces.folder)/../\(precious)", "/", Workspaces.folder, "\(Workspaces.folder)/m-a/../..",
    ]
    .enumerated().map { number, path in
      Relic(name: MachineName(text: "muster-t-1-2-00000\(number)"), backend: "local", workspace: path)
    }
    let path = try await deadLedger(header(), relics)
    let result = try await sweep.perform()
    #expect(result.purged.isEmpty)
    #expect(result.left.count == relics.count)
    #expect(FileSystem.exists(precious))
    #expect(FileSystem.exists(path))
  }

  @Test func aBackendThatIsNotKnownIsTold() async throws {
    let relic = try relic(backend: "elsewhere")
    let path = try await deadLedger(header(), [relic])
    let result = try await sweep.perform()
    #expect(result.left.first?.failure.message.contains("'elsewhere'") == true)
    #expect(FileSystem.exists(path))
    try relic.removeWorkspace()
  }

  /// A kept machine is spared until its time is over, or until somebody asks for all.
  @Test func keptMachinesAreSpared() async throws {
    let relic = try relic()
    let ledger = try await Ledger.begin(header(), in: folder)
    try ledger.intend(relic)
    ledger.kept(relic.name, path: relic.workspace)
    ledger.close()
    #expect(FileSystem.exists(ledger.path))
    #expect(try await sweep.perform().kept.map(\.name) == [relic.name])
    #expect(FileSystem.exists(relic.workspace))
    #expect(try await sweep.perform(.all).purged.map(\.name) == [relic.name])
    #expect(!FileSystem.exists(relic.workspace))
    #expect(!FileSystem.exists(ledger.path))
  }

  @Test func aKeptMachineExpires() throws {
    let text = """
      {"ledger":"muster.ledger/1","run":"r","host":"h","user":0,"pid":1,"command":"c","output":"o"}
      {"intent":"muster-t-1-2-abcdef","backend":"local","workspace":"/tmp/x"}
      {"kept":"muster-t-1-2-abcdef","path":"/tmp/x","until":\(Timestamp.now.milliseconds - 1)}

      """
    let record = try #require(LedgerRecord(text))
    #expect(record.open.map(\.isKept) == [false])
    #expect(record.open.first?.keptUntil != nil)
  }

  /// Processes that bear the run's mark, and what these have started without it, are ended; others with a like mark are not.
  @Test func theRunsProcessesAreEnded() async throws {
    let run = "20261121T000000Z-\(UInt32.random(in: .min ... .max))"
    let log = "\(folder)/log"
    let script = "env -i sh -c 'echo inner $$; exec sleep 1000' & echo outer $$; wait"
    let ours = try await RunningProcess.start(
      HostCommand("sh", ["-c", script], environment: ["MUSTER_RUN": run]), log: log)
    let other = try await RunningProcess.start(
      HostCommand("sleep", ["1000"], environment: ["MUSTER_RUN": "\(run)0"]), log: log)
    while !(try FileSystem.readText(log).contains("inner")) { try await Task.sleep(for: .milliseconds(5)) }
    let inner = try #require(
      try FileSystem.readText(log).split(separator: "\n").first { $0.hasPrefix("inner ") }.flatMap {
        Int32($0.dropFirst("inner ".count))
      })
    #expect(await ProcessTable.end(ofRun: run) == [])
    #expect(await ours.ending() == .signaled(9))
    #expect(!ForeignProcess(id: inner).isAlive)
    #expect(ForeignProcess(id: other.processID).isAlive)
    await other.terminate(grace: .zero)
  }

  /// What others use as well outlives the run that started it.
  @Test func theNetworkOfLimasMachinesGoesOn() async throws {
    let run = "20261121T000000Z-\(UInt32.random(in: .min ... .max))"
    let log = "\(folder)/log"
    try FileSystem.write("echo up; read -r never <&3\n", to: "\(folder)/usernet")
    let script = "cd \"$0\" && mkfifo never && exec 3<>never && exec -a /usr/bin/limactl sh usernet -p 1"
    let network = try await RunningProcess.start(
      HostCommand("bash", ["-c", script, folder], environment: ["MUSTER_RUN": run]), log: log)
    let ours = try await RunningProcess.start(
      HostCommand("sleep", ["1000"], environment: ["MUSTER_RUN": run]), log: "\(log)-2")
    while !(try FileSystem.readText(log).contains("up")) { try await Task.sleep(for: .milliseconds(5)) }
    #expect(await ProcessTable.end(ofRun: run) == [])
    #expect(await ours.ending() == .signaled(9))
    #expect(ForeignProcess(id: network.processID).isAlive)
    await network.terminate(grace: .zero)
  }
}
