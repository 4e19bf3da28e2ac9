import Glibc
import MusterHost
import MusterMachines
import Testing

@testable import MusterMultipass

/// The end of a machine, whatever the daemon does. That none of it ever ends another's instance is looked at after each.
@Suite(.enabled(FakeMultipass.reason, FakeMultipass.makesMachines), .timeLimit(.minutes(5)))
struct PurgeTests {
  /// Purges a machine that runs beside others of like names, and looks whether only that one is gone.
  private func purges(_ faults: String, _ patience: (inout MultipassPatience) -> Void = { _ in }) async throws {
    try await FakeMultipass.with { fake in
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
    _ faults: String, _ patience: (inout MultipassPatience) -> Void = { _ in }
  ) async throws -> Failure? {
    var failure: Failure?
    try await FakeMultipass.with { fake in
      let machine = try await fake.launch()
      try fake.set(faults)
      var settings = fake.patience
      patience(&settings)
      do {
        try await fake.backend(settings).purge(fake.relic(machine.name))
      } catch let error as Failure {
        failure = error
        #expect(error.blame == .backend)
        #expect(error.hint?.contains("run 'multipass delete --purge \(machine.name)'") == true)
      }
    }
    return failure
  }

  @Test func oneThatRuns() async throws { try await purges("{}") }

  @Test func aSlowDelete() async throws { try await purges(#"{"delete": {"seconds": 0.5}}"#) }

  @Test func aDeleteThatFailsThreeTimes() async throws { try await purges(#"{"delete": {"fail": 3}}"#) }

  @Test func aDeleteThatHangsIsTriedAgain() async throws {
    let failure = try await fails(#"{"delete": {"hang": true}}"#) { $0.delete = .milliseconds(200) }
    #expect(failure?.message == "multipass delete did not answer within 0.2s")
  }

  @Test func aDeleteThatFailsForEver() async throws {
    try await FakeMultipass.with { fake in
      let machine = try await fake.launch()
      try fake.set(#"{"delete": {"failForever": true}}"#)
      do {
        try await fake.backend().purge(fake.relic(machine.name))
        Issue.record("it was purged")
      } catch let failure as Failure {
        #expect(failure.blame == .backend)
        #expect(failure.message.contains("not in the mood"))
        #expect(failure.hint == "run 'multipass delete --purge \(machine.name)'")
      }
      #expect(try fake.count("delete") == 4)
      #expect(try fake.states == [machine.name.text: "Running"])
    }
  }

  @Test func aDeleteThatOnlySaysSoProvesNothing() async throws {
    let failure = try await fails(#"{"delete": {"lie": true}}"#)
    #expect(failure?.message.contains("still has it") == true)
  }

  @Test(arguments: ["set", "list"])
  func anAnswerThatIsNoneProvesNothing(command: String) async throws {
    #expect(try await fails(#"{"\#(command)": {"rubbish": true}}"#) != nil || command == "set")
    #expect(try await fails(#"{"\#(command)": {"failForever": true}}"#) != nil)
    let hung = try await fails(#"{"\#(command)": {"hang": true}}"#) { $0.question = .milliseconds(200) }
    #expect(hung?.message.hasSuffix("did not answer within 0.2s") == true)
  }

  @Test(arguments: ["set", "list"])
  func aQuestionIsAskedAgain(command: String) async throws { try await purges(#"{"\#(command)": {"fail": 2}}"#) }

  @Test func oneThatIsStoppedOrDeletedByHalf() async throws {
    for command in [["stop"], ["delete"]] {
      try await FakeMultipass.with { fake in
        let machine = try await fake.launch()
        try await fake.client.perform(command + [machine.name.text], deadline: .seconds(60))
        try await fake.backend().purge(fake.relic(machine.name))
        #expect(try fake.states.isEmpty)
      }
    }
  }

  @Test func oneThatIsBeingPreparedAfterItsClientWasKilled() async throws {
    try await FakeMultipass.with(#"{"launch": {"prepareSeconds": 3}}"#) { fake in
      let request = fake.request()
      let client = fake.client.command(["launch", "--name", request.name.text, "noble"])
      let process = try await RunningProcess.start(client, log: fake.folder / "launch.log")
      try await fake.awaited { $0[request.name.text] == "Preparing" }
      await process.terminate(grace: .zero)
      #expect(try await fake.backend().machines().isEmpty)
      try await fake.backend().purge(fake.relic(request.name))
      #expect(try fake.states.isEmpty)
      #expect(try fake.inits(of: request.name.text).isEmpty)
      #expect(try fake.count("delete") == 1)
    }
  }

  @Test func aPreparationThatDoesNotEnd() async throws {
    try await FakeMultipass.with(#"{"launch": {"prepareSeconds": 1000}}"#) { fake in
      let request = fake.request()
      let client = fake.client.command(["launch", "--name", request.name.text, "noble"])
      let process = try await RunningProcess.start(client, log: fake.folder / "launch.log")
      try await fake.awaited { $0[request.name.text] == "Preparing" }
      await process.terminate(grace: .zero)
      var patience = fake.patience
      patience.preparing = .milliseconds(300)
      do {
        try await fake.backend(patience).purge(fake.relic(request.name))
        Issue.record("it was purged")
      } catch let failure as Failure {
        #expect(failure.message == "multipass has been preparing '\(request.name)' for 0.3s")
        #expect(failure.hint == "run 'multipass delete --purge \(request.name)'")
      }
    }
  }

  @Test func oneThatNeverWas() async throws {
    try await FakeMultipass.with { fake in
      try await fake.backend().purge(fake.relic(fake.request().name))
      #expect(try fake.calls.map(\.first) == ["set", "list", "set", "list"])
    }
  }

  /// What the list shows and nothing else knows is not proven gone.
  @Test func aGhost() async throws {
    let name = MachineName(text: "muster-x-1-2-abcdef")
    try await FakeMultipass.with(#"{"list": {"ghosts": ["muster-x-1-2-abcdef"]}}"#) { fake in
      do {
        try await fake.backend().purge(fake.relic(name))
        Issue.record("it was purged")
      } catch let failure as Failure {
        #expect(failure.message.contains("says that there is no such instance"))
        #expect(failure.hint?.hasSuffix("run 'multipass delete --purge muster-x-1-2-abcdef'") == true)
      }
      try fake.set("{}")
      try await fake.backend().purge(fake.relic(name))
    }
  }

  @Test func aDaemonThatCannotBeReached() async throws {
    let backend = MultipassBackend(
      client: MultipassClient(executable: FakeMultipass.path),
      patience: FakeMultipass(folder: try TestFolder()).patience)
    await #expect(throws: Failure.self) {
      try await backend.purge(
        Relic(name: MachineName(text: "muster-x-1-2-abcdef"), backend: "multipass", workspace: ""))
    }
  }

  @Test(arguments: ["mine", "muster", "muster-mine", "primary", "muster-x-1-2-abcdefg", "--all"])
  func anothersNameIsRefused(name: String) async throws {
    try await FakeMultipass.with { fake in
      await #expect(throws: Failure.self) {
        try await fake.backend().purge(fake.relic(MachineName(text: name)))
      }
      let calls = try fake.calls
      #expect(calls.isEmpty)
    }
  }

  @Test func theWorkspaceGoesToo() async throws {
    try await FakeMultipass.with { fake in
      let workspace = Workspaces.newPath()
      try Workspaces.create(workspace)
      let relic = Relic(name: fake.request().name, backend: "multipass", workspace: workspace)
      try await fake.backend().purge(relic)
      #expect(!FileSystem.exists(workspace))
      try await fake.backend().purge(relic)
    }
  }
}
