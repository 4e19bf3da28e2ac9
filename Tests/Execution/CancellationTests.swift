import MusterHost
import MusterMachines
import Synchronization
import Testing

@testable import MusterExecution

@Suite struct CancellationTests {
  private static let matrix = """
    attempts: {launch: 2}
    tests:
      a: {provision: [{run: "true"}], verify: [{run: exit 1}]}
      b: {verify: [{run: "true"}]}
    """

  /// Whatever has been told when a run is interrupted: each machine is purged, once, and everything has an end.
  @Test func atEveryEvent() async throws {
    let passing = Failure(.backend, "the port was taken", canPass: true)
    var index = 0
    while true {
      let fixture = try Fixture(LocalBackend.Faults(launches: [passing]))
      let interruption = Interruption()
      let target = index
      let events = try await fixture.run(Self.matrix, interruption: interruption) { _ in
      } onEvent: { number, _ in
        if number == target { interruption.interrupt(signal: 15) }
      }
      let launched = fixture.backend.launched
      #expect(fixture.backend.purges == Dictionary(uniqueKeysWithValues: launched.map { ($0, 1) }), "at event \(index)")
      for request in fixture.backend.requests {
        let left = events.compactMap { if case .machineLeft(_, _, let reason) = $0 { reason.message } else { nil } }
        #expect(try FileSystem.information(request.workspace) == nil, "at event \(index): \(left)")
      }
      expectGrammar(events, at: index)
      #expect(events.cells.count == 2, "at event \(index)")
      // Once the event is one that the whole run does not have, every place has been tried.
      if events.count <= index { break }
      if index < events.count - 1 { #expect(events.end?.signal == 15, "at event \(index)") }
      index += 1
    }
    #expect(index > 30)
  }

  /// What begins ends, in order, once.
  private func expectGrammar(_ events: [Event.Kind], at index: Int) {
    var open: [String] = []
    var machines: Set<String> = []
    for event in events {
      switch event {
      case .runStarted: open.append("run")
      case .cellStarted(let cell): open.append(cell)
      case .attemptStarted: open.append("attempt")
      case .phaseStarted(_, _, let phase): open.append(phase.rawValue)
      case .stepStarted: open.append("step")
      case .stepFinished: #expect(open.popLast() == "step", "at event \(index)")
      case .phaseFinished(_, _, let phase, _): #expect(open.popLast() == phase.rawValue, "at event \(index)")
      case .attemptFinished: #expect(open.popLast() == "attempt", "at event \(index)")
      case .cellFinished(let cell):
        if open.last == cell.cell { open.removeLast() }
        #expect(open == ["run"], "at event \(index)")
      case .runFinished: #expect(open.popLast() == "run", "at event \(index)")
      case .machineLaunched(_, let machine, _): machines.insert(machine)
      case .machinePurged(_, let machine), .machineKept(_, let machine, _), .machineLeft(_, let machine, _):
        #expect(machines.remove(machine) != nil, "at event \(index)")
      default: break
      }
    }
    #expect(open.isEmpty, "at event \(index)")
    #expect(machines.isEmpty, "at event \(index)")
  }

  @Test func aRunningStepIsEndedAtOnce() async throws {
    let fixture = try Fixture()
    let interruption = Interruption()
    let events = try await fixture.run(
      "tests: {a: {verify: [{run: 'sleep 1000'}]}, b: {verify: [{run: 'true'}]}}\n", interruption: interruption
    ) { _ in
    } onEvent: { _, event in
      if case .stepStarted = event.kind { interruption.interrupt(signal: 2) }
    }
    #expect(events.steps.map(\.outcome) == [.cancelled])
    #expect(events.outcomes == [.cancelled, .cancelled])
    #expect(events.end?.signal == 2)
  }

  /// A step that ignores TERM, a launch that hangs.
  @Test func stubbornWorkIsEnded() async throws {
    let interruption = Interruption()
    let stubborn = try Fixture()
    let events = try await stubborn.run(
      "tests: {a: {verify: [{run: 'trap \"\" TERM; echo up; sleep 1000'}]}}\n", interruption: interruption
    ) { _ in
    } onEvent: { _, event in
      if case .stepStarted = event.kind { interruption.interrupt(signal: 2) }
    }
    #expect(events.outcomes == [.cancelled])
    let hanging = try Fixture(LocalBackend.Faults(hangsAtLaunch: true))
    let second = Interruption()
    let hung = try await hanging.run("tests: {a: {verify: [{run: 'true'}]}}\n", interruption: second) { _ in
    } onEvent: { _, event in
      if case .cellProgress(_, "starting") = event.kind { second.interrupt(signal: 1) }
    }
    #expect(hung.outcomes == [.cancelled])
  }

  @Test func theTasksOwnCancellationCountsToo() async throws {
    let fixture = try Fixture()
    let started = Promise<Void>()
    let run = Task {
      try await fixture.run("tests: {a: {verify: [{run: 'sleep 1000'}]}}\n") { _ in
      } onEvent: { _, event in
        if case .stepStarted = event.kind { started.keep(()) }
      }
    }
    _ = await started.value()
    run.cancel()
    let events = try await run.value
    #expect(events.outcomes == [.cancelled])
    #expect(events.end?.signal == nil)
    #expect(fixture.backend.purges.values.elementsEqual([1]))
  }

  /// After a signal a purge that hangs is not waited for until its own limit.
  @Test func aSignalHurries() async throws {
    let fixture = try Fixture(LocalBackend.Faults(hangsAtPurge: true))
    let interruption = Interruption()
    let events = try await fixture.run(
      "tests: {a: {verify: [{run: 'sleep 1000'}]}}\n", interruption: interruption,
      options: {
        $0.pauses.purge = .seconds(3600)
        $0.pauses.hurriedPurge = .milliseconds(10)
      }
    ) { _, event in
      switch event.kind {
      case .stepStarted: interruption.interrupt(signal: 2)
      default: break
      }
    }
    #expect(events.briefs.contains("left: it is not purged yet"))
    #expect(events.outcomes == [.cancelled])
    fixture.backend.release.keep(())
    for request in fixture.backend.requests { try FileSystem.removeTree(request.workspace) }
  }
}
