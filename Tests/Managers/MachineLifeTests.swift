import Glibc
import MusterGuest
import MusterHost
import MusterMachines
import MusterManagers
import MusterTestManagers
import MusterTestSupport
import Testing

/// Machines of the fakes, where they are no machines of their manager's any more, or never became any. What a machine does
/// while all goes well is in the suite that all backends pass.
@Suite(.enabled(Comment(rawValue: FakeManager.reason), FakeManager.makesMachines), .timeLimit(.minutes(5)))
struct MachineLifeTests {
  @Test(arguments: FakeKind.allCases) func theClientGoesWithTheMachine(kind: FakeKind) async throws {
    try await FakeManager.with(kind) { fake in
      let machine = try await fake.launch()
      // The script ends, and what it left keeps its streams open.
      let result = try await machine.guest.result("sleep 1000000 & echo done")
      #expect(result.text == "done\n")
      try await machine.purge()
      #expect(await machine.death() == nil)
      #expect(try processes { $0.contains(machine.name.text) }.isEmpty)
    }
  }

  @Test(arguments: FakeKind.allCases) func aRestartThatFailsIsTold(kind: FakeKind) async throws {
    try await FakeManager.with(kind) { fake in
      let machine = try await fake.launch()
      let command = kind == .lima ? "stop" : "restart"
      try fake.set(#"{"\#(command)": {"error": "the instance is not in the mood"}}"#)
      await #expect(throws: Failure.self) { try await machine.reboot(deadline: .seconds(60)) }
      #expect(try fake.count("start") == (kind == .lima ? 1 : 0))
    }
  }

  /// What can pass is tried once more, and the log says so.
  @Test(arguments: FakeKind.allCases) func aRestartThatCameTooLateIsStartedAgain(kind: FakeKind) async throws {
    try await FakeManager.with(kind) { fake in
      let machine = try await fake.launch()
      let text =
        switch kind {
        case .multipass: "timed out waiting for response"
        case .orbstack: "machine didn't start in 30s (missing IP address)"
        case .lima: "did not receive an event with the `running` status"
        }
      let before = try fake.count("start")
      try fake.set(
        kind == .lima
          ? #"{"start": {"error": "\#(text)", "fail": 1}}"# : #"{"restart": {"late": "\#(text)"}}"#)
      try await machine.reboot(deadline: .seconds(60))
      #expect(try fake.count("start") == before + (kind == .lima ? 2 : 1))
      #expect(try FileSystem.readText(fake.folder / "logs/\(kind).log").contains("starting it again"))
      #expect(try await machine.guest.result("echo up").text == "up\n")
    }
  }

  /// One that is made and does not come up is started once more, and a person is told.
  @Test(arguments: [FakeKind.orbstack, .lima]) func aMachineThatOnlyLacksAStart(kind: FakeKind) async throws {
    try await FakeManager.with(kind, #"{"\#(kind.launching)": {"noStart": true}}"#) { fake in
      let told = Told()
      let machine = try await fake.backend().launch(fake.request()) { told.append($0) }
      #expect(try fake.count("start") == (kind == .lima ? 2 : 1))
      #expect(told.lines.contains { $0.hasSuffix("; starting it again") }, "\(told.lines)")
      #expect(try await machine.guest.result("echo up").text == "up\n")
    }
  }

  @Test(arguments: FakeKind.allCases) func aMachineThatStopsByItselfIsDead(kind: FakeKind) async throws {
    try await FakeManager.with(kind) { fake in
      let machine = try await fake.launch()
      let id = try #require(try fake.inits(of: machine.name.text).first)
      async let death = machine.death()
      kill(id, SIGKILL)
      #expect(await death?.message == "the machine stopped by itself")
      #expect(await machine.death()?.blame == .guest)
    }
  }

  /// A client may start what has stopped: the next script is none of the machine that came up, and nobody else's fault.
  @Test(arguments: FakeKind.allCases) func noScriptGoesOnInAnotherBoot(kind: FakeKind) async throws {
    try await FakeManager.with(kind) { fake in
      let machine = try await fake.launch()
      #expect(try await machine.guest.result("touch /run/here").ending == .exited(0))
      try await fake.client.perform(fake.manager.stops(of: machine.name).byForce, deadline: .seconds(60))
      let error = await #expect(throws: GuestError.self) { try await machine.guest.result("touch /root/passed") }
      let trouble = await machine.trouble(after: error)
      // Where its client did start it, what threw says why; else the manager knows.
      if kind == .orbstack {
        #expect(error == ClientGuest.hasRestarted && trouble == nil, "\(String(describing: trouble))")
      } else {
        #expect(trouble?.message == "the machine stopped by itself" && trouble?.blame == .guest)
        try await fake.client.perform(fake.manager.start(of: machine.name, seconds: 60), deadline: .seconds(60))
      }
      await #expect(throws: ClientGuest.hasRestarted) { try await machine.guest.result("touch /root/passed") }
      try await machine.reboot(deadline: .seconds(60))
      #expect(try await machine.guest.result("ls /root/passed").ending == .exited(2))
    }
  }

  /// Lima says that of a machine whose host agent is slow for once.
  @Test func aMachineInTroubleIsNotDead() async throws {
    try await FakeManager.with(.lima) { fake in
      let machine = try await fake.launch()
      try fake.set(#"{"list": {"broken": ["\#(machine.name)"]}}"#)
      #expect(try await fake.backend().machines().map(\.name) == [machine.name])
      // What does not pass meanwhile is not for the release to answer.
      let trouble = await machine.trouble(after: nil)
      #expect(trouble?.blame == .backend && trouble?.evidence == ["\(machine.name): Broken"])
      let before = try fake.count("list")
      let death = Task { await machine.death() }
      while try fake.count("list") < before + 3 { try await Task.sleep(for: .milliseconds(5)) }
      #expect(try await machine.guest.result("echo up").text == "up\n")
      try fake.set("{}")
      try await machine.purge()
      #expect(await death.value == nil)
    }
  }

  @Test(arguments: FakeKind.allCases) func aMachineThatIsGoneIsDead(kind: FakeKind) async throws {
    try await FakeManager.with(kind) { fake in
      let machine = try await fake.launch()
      async let death = machine.death()
      try await fake.client.perform(fake.manager.deletion(of: machine.name), deadline: .seconds(60))
      #expect(await death?.message.hasPrefix("the machine is gone") == true)
    }
  }

  @Test(arguments: FakeKind.allCases) func aMachineThatIsGoneHasNoAddress(kind: FakeKind) async throws {
    try await FakeManager.with(kind) { fake in
      let machine = try await fake.launch()
      #expect(try await machine.address().hasPrefix("10."))
      try await fake.client.perform(fake.manager.deletion(of: machine.name), deadline: .seconds(60))
      let failure = await #expect(throws: Failure.self) { _ = try await machine.address() }
      #expect(failure?.blame == .backend && failure?.message.hasPrefix("the machine is gone") == true)
    }
  }

  /// A client that does not answer, or says what is wrong with itself, is never the fault of what it was to execute.
  @Test(arguments: FakeKind.allCases) func aClientInTroubleIsTold(kind: FakeKind) async throws {
    try await FakeManager.with(kind) { fake in
      let machine = try await fake.launch()
      // A script that takes its time is no trouble.
      #expect(try await machine.guest.result("sleep 1000", deadline: .seconds(10)).ending == .timedOut)
      #expect(await machine.trouble(after: nil) == nil)
      try fake.set(#"{"\#(kind.executing)": {"hang": true}}"#)
      #expect(try await machine.guest.result("true", deadline: .seconds(1)).ending == .timedOut)
      let trouble = await machine.trouble(after: nil)
      #expect(trouble?.blame == .backend && trouble?.hint == kind.words.restartHint, "\(String(describing: trouble))")
      let own =
        switch kind {
        case .multipass: "cannot connect to the multipass socket"
        case .orbstack: "OrbStack is not running"
        case .lima: "must not run as the root user"
        }
      try fake.set(#"{"\#(kind.executing)": {"error": "\#(own)"}}"#)
      let error = await #expect(throws: GuestError.self) { try await machine.guest.result("true") }
      #expect(await machine.trouble(after: error)?.blame == .host)
      // What nobody knows is the manager's too, as long as the machine is there; what its own ssh server does is not.
      try fake.set(#"{"\#(kind.executing)": {"rubbish": true}}"#)
      let unknown = await #expect(throws: GuestError.self) { try await machine.guest.result("true") }
      let rubbish = await machine.trouble(after: unknown)
      #expect(rubbish?.blame == .backend && rubbish?.hint == kind.words.restartHint, "\(String(describing: rubbish))")
      #expect(await machine.trouble(after: GuestError(.unreachable, "ssh: connect to host x: refused")) == nil)
      // Nor where the manager itself does not answer.
      try fake.set(#"{"list": {"error": "\#(own)"}}"#)
      #expect(await machine.trouble(after: nil)?.blame == .host)
      try fake.set("{}")
    }
  }

  @Test func nobodyWaitsForADeathThatIsCancelled() async throws {
    try await FakeManager.with(.multipass) { fake in
      let machine = try await fake.launch()
      let task = Task { await machine.death() }
      task.cancel()
      #expect(await task.value == nil)
    }
  }

  @Test(arguments: FakeKind.allCases) func whatIsKeptIsStopped(kind: FakeKind) async throws {
    try await FakeManager.with(kind) { fake in
      let machine = try await fake.launch()
      let place = try await machine.keep()
      #expect(place.contains(fake.manager.entrance(of: machine.name)))
      #expect(try fake.states == [machine.name.text: "Stopped"])
      #expect(try fake.inits(of: machine.name.text).isEmpty)
      try await fake.backend().purge(fake.relic(machine.name))
      #expect(try fake.states.isEmpty)
    }
  }

  @Test(arguments: FakeKind.allCases) func aLaunchThatFailedIsPurged(kind: FakeKind) async throws {
    let (error, blame) =
      switch kind {
      case .multipass: ("timed out waiting for initialization to complete", Blame.backend)
      case .orbstack: ("make rootfs: fetch index: get index: connection refused", .mirror)
      case .lima: ("failed to download `https://example.org/x`: 503", .mirror)
      }
    try await FakeManager.with(kind, #"{"\#(kind.launching)": {"fail": "\#(error)", "leave": true}}"#) { fake in
      let request = fake.request()
      do {
        _ = try await fake.launch(request)
        Issue.record("it was launched")
      } catch let failure as Failure {
        #expect(failure.message.hasPrefix("\(kind.tool) \(kind.launching) failed: "))
        #expect(failure.message.hasSuffix(error))
        #expect(failure.blame == blame)
        #expect(failure.canPass)
      }
      try await fake.backend().purge(fake.relic(request.name))
      #expect(try fake.count("delete") == 1)
      #expect(try fake.states.isEmpty)
      #expect(try fake.inits(of: request.name.text).isEmpty)
    }
  }

  @Test(arguments: FakeKind.allCases) func aLaunchThatHangsIsEndedAndPurged(kind: FakeKind) async throws {
    let faults = #"{"\#(kind.launching)": {"hang": true, "ignoreTerm": true, "prepareSeconds": 0.3}}"#
    try await FakeManager.with(kind, faults) { fake in
      var patience = fake.patience
      patience.launchGrace = .milliseconds(100)
      // What the client has asked for may take a while to come to where it is done.
      patience.straggler = .seconds(5)
      let request = fake.request(deadline: .milliseconds(500))
      await #expect(throws: Failure.self) { _ = try await fake.launch(request, patience) }
      try await fake.backend(patience).purge(fake.relic(request.name))
      let states = try fake.states
      #expect(states.isEmpty)
    }
  }

  @Test(arguments: FakeKind.allCases) func aMachineThatExecutesNothingIsNone(kind: FakeKind) async throws {
    try await FakeManager.with(kind, #"{"\#(kind.executing)": {"hang": true}}"#) { fake in
      // The launch itself is within it too.
      let request = fake.request(deadline: .seconds(15))
      do {
        _ = try await fake.launch(request)
        Issue.record("it was launched")
      } catch let failure as Failure {
        #expect(failure.blame == .backend)
        #expect(failure.message.hasPrefix("the machine runs, and executes nothing within"))
        // That there is nothing to be ended in it is not found out by another call that hangs.
        #expect(try fake.count(kind.executing) == 1)
      }
      try await fake.backend().purge(fake.relic(request.name))
      let states = try fake.states
      #expect(states.isEmpty)
    }
  }

  @Test(arguments: FakeKind.allCases) func aLaunchThatWasCancelledIsPurged(kind: FakeKind) async throws {
    try await FakeManager.with(kind, #"{"\#(kind.launching)": {"prepareSeconds": 0.6}}"#) { fake in
      let request = fake.request()
      let task = Task { try await fake.launch(request) }
      try await fake.awaited { $0[request.name.text] == "Preparing" }
      task.cancel()
      await #expect(throws: CancellationError.self) { _ = try await task.value }
      try await fake.backend().purge(fake.relic(request.name))
      #expect(try fake.states.isEmpty)
      #expect(try fake.inits(of: request.name.text).isEmpty)
      #expect(try processes { $0.contains("--daemon-launch") && $0.contains(request.name.text) }.isEmpty)
    }
  }
}
