import MusterDiagnostics
import MusterExecution
import MusterHost
import MusterMatrix
import MusterReports
import Testing

@Suite struct SummaryFoldTests {
  @Test func wholeRun() throws {
    let summary = SummaryFold(SampleRun.events).summary
    #expect(
      summary.cells.map(\.outcome) == [
        .passed, .failed, .skipped, .expectedFailure, .error, .unexpectedPass, .passed, .flaky, .timedOut, .cancelled,
        .cancelled,
      ])
    #expect(summary.outcome == .failed)
    #expect(summary.signal == 2)
    #expect(summary.isFinished)
    #expect(summary.started.milliseconds == EventScript.start)
    #expect(summary.notices.count == 1)
    #expect(summary.setup.map(\.title) == ["./build-packages.sh"])
    let flaky = summary.cells[7]
    #expect(flaky.attempts.map(\.outcome) == [.failed, .passed])
    #expect(flaky.attempts[0].phases.map(\.phase) == [.launch, .verify, .purge])
    #expect(flaky.attempts[0].phases[1].steps.map(\.outcome) == [.failed])
    #expect(summary.cells[4].blame == .mirror)
    #expect(summary.cells[1].decisiveLocation == Location(file: "matrix.yaml", line: 42, column: 27))
  }

  @Test func machines() {
    let machines = SummaryFold(SampleRun.events).summary.machines
    #expect(machines.launched == 9)
    #expect(machines.purged == 8)
    #expect(machines.left.map(\.machine) == ["muster-boot-1"])
    #expect(machines.left.first?.reason?.hint == "kill -9 4711")
  }

  /// Wherever a run is killed, what was launched by then is purged or left, and what was begun has no verdict.
  @Test func killedAnywhere() {
    let events = SampleRun.events
    for end in 1..<events.count {
      let summary = SummaryFold(events[..<end]).summary
      #expect(summary.machines.launched == summary.machines.purged + summary.machines.left.count)
      #expect(!summary.isFinished)
      let finished = events[..<end].count { if case .cellFinished = $0.kind { true } else { false } }
      #expect(summary.cells.count { $0.outcome != .cancelled } == finished)
    }
  }

  @Test func killedInACell() {
    var script = EventScript()
    script.start(["a@x", "b@x"])
    script.begin("a@x")
    script.launch("a@x")
    let summary = SummaryFold(script.events).summary
    #expect(summary.cells[0].seconds == 8.75)
    #expect(summary.cells[0].started != nil)
    #expect(summary.cells[1].seconds == 0)
    #expect(summary.cells[1].started == nil)
    #expect(summary.machines.left.map(\.machine) == ["muster-a-1"])
    #expect(ExitStatus(summary) == .machineLeft)
  }

  @Test func keptMachineIsNotLeft() {
    var script = EventScript()
    script.start(["a@x"])
    script.begin("a@x")
    script.launch("a@x")
    script.add(.machineKept(cell: "a@x", machine: "muster-a-1", path: "/state/a.qcow2"))
    script.add(.machinePurged(cell: "a@x", machine: "muster-a-1"))
    let machines = SummaryFold(script.events).summary.machines
    #expect(machines.kept.map(\.path) == ["/state/a.qcow2"])
    #expect(machines.purged == 0)
    #expect(machines.left.isEmpty)
  }

  @Test func machineThatIsPurgedAfterAllIsNotLeft() {
    var script = EventScript()
    script.start(["a@x"])
    script.launch("a@x")
    script.add(.machineLeft(cell: "a@x", machine: "muster-a-1", reason: Reason("busy")))
    script.add(.machinePurged(cell: "a@x", machine: "muster-a-1"))
    // One whose launch failed is purged too.
    script.add(.machinePurged(cell: "a@x", machine: "muster-a-2"))
    let machines = SummaryFold(script.events).summary.machines
    #expect(machines.left.isEmpty)
    #expect(machines.purged == 1)
    #expect(machines.launched == 1)
  }

  @Test func unknownCellIsIgnored() {
    var script = EventScript()
    script.start(["a@x"])
    script.cell("b@x", .failed, .failing())
    #expect(SummaryFold(script.events).summary.cells.map(\.outcome) == [.cancelled])
  }
}

@Suite struct ExitStatusTests {
  private func summary(_ outcomes: [(Outcome, Blame?)], left: Bool = false) -> Summary {
    var script = EventScript()
    script.start(outcomes.indices.map { "c\($0)@x" })
    for (index, (outcome, blame)) in outcomes.enumerated() {
      script.finish("c\(index)@x", outcome, 1, blame.map { Reason("because", blame: $0) })
    }
    if left { script.add(.machineLeft(cell: "c0@x", machine: "m", reason: Reason("stuck"))) }
    script.add(.runFinished(RunFinished()))
    return SummaryFold(script.events).summary
  }

  @Test(
    arguments: [
      ([(.passed, nil)], 0), ([(.passed, nil), (.flaky, nil), (.skipped, nil), (.expectedFailure, nil)], 0),
      ([(.skipped, nil)], 0), ([], 4),
      ([(.passed, nil), (.failed, nil)], 1), ([(.unexpectedPass, nil)], 1), ([(.timedOut, nil)], 1),
      ([(.timedOut, .guest)], 3), ([(.error, .mirror), (.passed, nil)], 3), ([(.cancelled, nil), (.passed, nil)], 3),
      ([(.error, .mirror), (.failed, nil), (.cancelled, nil)], 1),
    ] as [([(Outcome, Blame?)], Int32)])
  func table(outcomes: [(Outcome, Blame?)], status: Int32) {
    #expect(ExitStatus(summary(outcomes)).rawValue == status)
    // A machine that is left outranks all but a failure, and so does, after it, a report that is not written.
    #expect(ExitStatus(summary(outcomes, left: true)).rawValue == (status == 1 ? 1 : 5))
    #expect(ExitStatus(summary(outcomes), reportsWritten: false).rawValue == (status == 1 ? 1 : 74))
    #expect(ExitStatus(summary(outcomes, left: true), reportsWritten: false).rawValue == (status == 1 ? 1 : 5))
  }
}
