import MusterHost
import MusterMachines
import MusterManagers
import MusterTestManagers
import MusterTestSupport
import Testing

/// The end of a machine, whatever its manager does. That none of it ever ends another's instance is looked at after each.
@Suite(.enabled(Comment(rawValue: FakeManager.reason), FakeManager.makesMachines), .timeLimit(.minutes(5)))
struct PurgeTests {
  /// Purges a machine that runs beside others of like names, and looks whether only that one is gone.
  private func purges(
    _ kind: FakeKind, _ faults: String, _ patience: (inout ManagerPatience) -> Void = { _ in }
  ) async throws {
    try await FakeManager.with(kind) { fake in
      let machine = try await fake.launch()
      let others = ["muster", "\(machine.name)x", "muster-mine", String(machine.name.text.dropLast())]
      for name in others { try await fake.makeOther(name) }
      try fake.set(faults)
      var settings = fake.patience
      patience(&settings)
      try await fake.backend(settings).purge(fake.relic(machine.name))
      #expect(try fake.states == Dictionary(uniqueKeysWithValues: others.map { ($0, "Running") }))
      #expect(try fake.inits(of: machine.name.text).isEmpty)
      for name in others { #expect(try fake.inits(of: name).count == 1) }
    }
  }

  /// The failure of a purge that cannot succeed.
  private func fails(
    _ kind: FakeKind, _ faults: String, _ patience: (inout ManagerPatience) -> Void = { _ in }
  ) async throws -> Failure? {
    var failure: Failure?
    try await FakeManager.with(kind) { fake in
      let machine = try await fake.launch()
      try fake.set(faults)
      var settings = fake.patience
      patience(&settings)
      do {
        try await fake.backend(settings).purge(fake.relic(machine.name))
      } catch let error as Failure {
        failure = error
        #expect(error.blame == .backend)
        #expect(error.hint?.contains("run '\(kind.deletion(of: machine.name.text))'") == true)
      }
    }
    return failure
  }

  @Test(
    arguments: FakeKind.allCases,
    [
      #"{"delete": {"seconds": 0.5}}"#, #"{"delete": {"fail": 3}}"#, #"{"list": {"fail": 2}}"#,
      #"{"set": {"fail": 2}}"#,
    ])
  func whatPassesIsMadeGood(kind: FakeKind, faults: String) async throws { try await purges(kind, faults) }

  @Test(arguments: FakeKind.allCases) func aDeleteThatFailsForEver(kind: FakeKind) async throws {
    try await FakeManager.with(kind) { fake in
      let machine = try await fake.launch()
      try fake.set(#"{"delete": {"failForever": true}}"#)
      do {
        try await fake.backend().purge(fake.relic(machine.name))
        Issue.record("it was purged")
      } catch let failure as Failure {
        #expect(failure.blame == .backend)
        #expect(failure.message.contains("not in the mood"))
        let deletion = kind.deletion(of: machine.name.text)
        #expect(failure.hint == "\(kind.words.restartHint), then run '\(deletion)'")
      }
      #expect(try fake.count("delete") == 4)
      #expect(try fake.states == [machine.name.text: "Running"])
    }
  }

  /// Once, and not as often as one that fails at once.
  @Test(arguments: FakeKind.allCases) func aDeleteThatHangsIsTriedAgain(kind: FakeKind) async throws {
    try await FakeManager.with(kind) { fake in
      let machine = try await fake.launch()
      try fake.set(#"{"delete": {"hang": true}}"#)
      var patience = fake.patience
      // Each call must come so far that it is written down.
      patience.delete = .seconds(5)
      let failure = await #expect(throws: Failure.self) {
        try await fake.backend(patience).purge(fake.relic(machine.name))
      }
      #expect(failure?.message.hasSuffix("did not answer within 5s") == true, "\(String(describing: failure))")
      #expect(failure?.hint?.hasSuffix("run '\(kind.deletion(of: machine.name.text))'") == true)
      #expect(try fake.count("delete") == 2)
      try fake.set("{}")
    }
  }

  @Test(arguments: FakeKind.allCases) func aDeleteThatOnlySaysSoProvesNothing(kind: FakeKind) async throws {
    let failure = try await fails(kind, #"{"delete": {"lie": true}}"#)
    #expect(failure?.message.contains("still has it") == true)
  }

  @Test(arguments: FakeKind.allCases) func anAnswerThatIsNoneProvesNothing(kind: FakeKind) async throws {
    for command in Set([kind.asking, "list"]) {
      #expect(try await fails(kind, #"{"\#(command)": {"rubbish": true}}"#) != nil || command == "set")
      #expect(try await fails(kind, #"{"\#(command)": {"failForever": true}}"#) != nil)
      let hung = try await fails(kind, #"{"\#(command)": {"hang": true}}"#) { $0.question = .milliseconds(200) }
      #expect(hung?.message.hasSuffix("did not answer within 0.2s") == true)
    }
  }

  @Test func oneThatIsDeletedByHalf() async throws {
    try await FakeManager.with(.multipass) { fake in
      let machine = try await fake.launch()
      try await fake.client.perform(["delete", machine.name.text], deadline: .seconds(60))
      try await fake.backend().purge(fake.relic(machine.name))
      #expect(try fake.states.isEmpty)
    }
  }

  /// A client that was killed, whose daemon goes on making what it was asked for.
  private func abandoned(
    _ kind: FakeKind, prepareSeconds: Int, _ body: (FakeManager, MachineName) async throws -> Void
  ) async throws {
    let faults = #"{"\#(kind.launching)": {"prepareSeconds": \#(prepareSeconds)}}"#
    try await FakeManager.with(kind, faults) { fake in
      let request = fake.request()
      let call = fake.manager.creation(request, image: kind.image)
      let client = fake.client.command(call.arguments, input: call.input)
      let process = try await RunningProcess.start(client, log: fake.folder / "launch.log")
      try await fake.awaited { $0[request.name.text] == "Preparing" }
      await process.terminate(grace: .zero)
      try await body(fake, request.name)
    }
  }

  @Test(arguments: FakeKind.allCases) func oneThatIsStillMadeAfterItsClientWasKilled(kind: FakeKind) async throws {
    try await abandoned(kind, prepareSeconds: 2) { fake, name in
      try await fake.backend().purge(fake.relic(name))
      #expect(try fake.states.isEmpty)
      #expect(try fake.inits(of: name.text).isEmpty)
      #expect(try fake.count("delete") == 1)
    }
  }

  @Test(arguments: [FakeKind.multipass, .orbstack]) func aPreparationThatDoesNotEnd(kind: FakeKind) async throws {
    try await abandoned(kind, prepareSeconds: 1000) { fake, name in
      var patience = fake.patience
      patience.preparing = .milliseconds(300)
      do {
        try await fake.backend(patience).purge(fake.relic(name))
        Issue.record("it was purged")
      } catch let failure as Failure {
        #expect(failure.message == "\(kind.tool) has been preparing '\(name)' for 0.3s")
        #expect(failure.hint == "run '\(kind.deletion(of: name.text))'")
      }
    }
  }

  @Test(arguments: FakeKind.allCases) func oneThatNeverWas(kind: FakeKind) async throws {
    try await FakeManager.with(kind) { fake in
      try await fake.backend().purge(fake.relic(fake.request().name))
      #expect(try fake.calls.map(\.first) == [kind.asking, "list", kind.asking, "list"])
    }
  }

  /// What the list shows and cannot be deleted is not proven gone.
  @Test(arguments: FakeKind.allCases) func aGhost(kind: FakeKind) async throws {
    let name = MachineName(text: "muster-x-1-2-abcdef")
    try await FakeManager.with(kind, #"{"list": {"ghosts": ["muster-x-1-2-abcdef"]}}"#) { fake in
      do {
        try await fake.backend().purge(fake.relic(name))
        Issue.record("it was purged")
      } catch let failure as Failure {
        #expect(failure.hint?.hasSuffix("run '\(kind.deletion(of: name.text))'") == true, "\(failure)")
      }
      try fake.set("{}")
      try await fake.backend().purge(fake.relic(name))
    }
  }

  @Test(arguments: FakeKind.allCases) func aManagerThatCannotBeReached(kind: FakeKind) async throws {
    let folder = try TestFolder()
    let fake = FakeManager(kind: kind, folder: folder)
    let manager = kind.manager(
      executable: fake.path, environment: ["FAKE_MANAGER": folder / "none"], grace: .milliseconds(200))
    await #expect(throws: Failure.self) {
      try await ManagerBackend(manager, patience: fake.patience).purge(
        fake.relic(MachineName(text: "muster-x-1-2-abcdef")))
    }
  }

  @Test(
    arguments: FakeKind.allCases,
    ["mine", "muster", "muster-mine", "primary", "muster-x-1-2-abcdefg", "--all", ""])
  func anothersNameIsRefused(kind: FakeKind, name: String) async throws {
    try await FakeManager.with(kind) { fake in
      await #expect(throws: Failure.self) {
        try await fake.backend().purge(fake.relic(MachineName(text: name)))
      }
      let calls = try fake.calls
      #expect(calls.isEmpty)
    }
  }

  /// Somebody else's instance of the very name of one of ours: what the manager knows of it says so.
  @Test func anothersOfTheSameNameIsNotTouched() async throws {
    let name = MachineName(text: "muster-x-1-2-abcdef")
    try await FakeManager.with(.lima) { fake in
      try await fake.makeOther(name.text)
      #expect(try await fake.backend().machines().isEmpty)
      try await fake.backend().purge(fake.relic(name))
      #expect(try fake.states == [name.text: "Running"])
      // One of which nothing can be read is ours if the ledger says so.
      try fake.set(#"{"list": {"broken": ["muster-x-1-2-abcdef"]}}"#)
      #expect(try await fake.backend().machines().map(\.name) == [name])
    }
    try await FakeManager.with(.orbstack) { fake in
      let workspace = Workspaces.newPath()
      try Workspaces.create(workspace)
      var request = fake.request()
      request.workspace = workspace
      let machine = try await fake.launch(request)
      try await fake.client.perform(["delete", "--force", machine.name.text], deadline: .seconds(60))
      try await fake.makeOther(machine.name.text)
      try await machine.purge()
      #expect(try fake.states == [machine.name.text: "Running"])
    }
  }

  @Test func theWorkspaceGoesToo() async throws {
    try await FakeManager.with(.multipass) { fake in
      let workspace = Workspaces.newPath()
      try Workspaces.create(workspace)
      let relic = Relic(name: fake.request().name, backend: "multipass", workspace: workspace)
      try await fake.backend().purge(relic)
      #expect(!FileSystem.exists(workspace))
      try await fake.backend().purge(relic)
    }
  }
}
