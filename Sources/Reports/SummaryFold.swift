package import MusterExecution
import MusterHost

/// Folds events into a summary. After each event `summary` is what the run would have come to if it had been killed then:
/// cells that have not ended are `cancelled`, and machines that were launched and not purged are left.
package struct SummaryFold: Sendable {
  package private(set) var summary = Summary()
  private var indices: [String: Int] = [:]
  private var time = TimeFold()
  /// The machines that may exist, by name.
  private var alive: Set<String> = []
  /// The cell that has begun and not ended, and the run's seconds when it began.
  private var running: (index: Int, since: Double)?

  /// - Parameter record: Where the events are written to; `nil` where no cell will be released.
  package init(record: String? = nil) {
    summary.record = record
  }

  package init(_ events: some Sequence<Event>) {
    for event in events { add(event) }
  }

  /// What a released cell came to, with all that it did: read from the record again. A cell of which the record is gone
  /// stays as it is.
  static func whole(_ cell: CellSummary, _ record: String?) -> CellSummary {
    guard let record, let range = cell.released, let events = try? EventLine.events(in: range, of: record),
      case .cellFinished(let end)? = events.last?.kind, end.cell == cell.header.cell
    else { return cell }
    var fold = SummaryFold()
    fold.summary.cells = [CellSummary(header: cell.header)]
    fold.indices = [cell.header.cell: 0]
    for event in events { fold.add(event) }
    return fold.summary.cells[0]
  }

  /// Forgets what a finished cell did, so that a run of any length takes little memory.
  /// - Parameter range: Where the record has all that was told of it.
  mutating func release(_ cell: String, to range: Range<Int64>) {
    update(cell) {
      // Of one that was never begun there is nothing to forget.
      guard $0.started != nil else { return }
      $0.released = range
      $0.attempts = []
      $0.reason?.evidence = []
    }
  }

  /// What the cell has come to so far.
  package func cell(_ name: String) -> CellSummary? {
    indices[name].map { summary.cells[$0] }
  }

  package mutating func add(_ event: Event) {
    if summary.run.isEmpty {
      summary.started = Timestamp(milliseconds: event.time - Int64(event.elapsed * 1000))
    }
    summary.seconds = max(summary.seconds, event.elapsed)
    time.add(event, to: &summary.time)
    if let running { summary.cells[running.index].seconds = event.elapsed - running.since }
    switch event.kind {
    case .runStarted(let run): start(run)
    case .notice(let text): summary.notices.append(text)
    case .setupFinished(let step): summary.setup.append(step)
    case .runFinished(let end):
      summary.isFinished = true
      summary.signal = end.signal
      summary.reason = end.reason
    case .machineLaunched, .machinePurged, .machineLeft, .machineKept: countMachine(event)
    case .working, .cellProgress, .imageReady, .waiting, .launchRetried, .slow, .stepRetried, .stepStarted: break
    case .cellStarted, .attemptStarted, .phaseStarted, .stepFinished, .phaseFinished, .attemptFinished, .cellFinished:
      follow(event)
    }
  }

  private mutating func start(_ run: RunStarted) {
    summary.run = run.run
    summary.matrix = run.matrix
    summary.file = run.file
    summary.backend = run.backend
    summary.accelerator = run.accelerator
    summary.output = run.output
    summary.cells = run.cells.map(CellSummary.init)
    indices = Dictionary(
      run.cells.enumerated().map { ($1.cell, $0) }, uniquingKeysWith: { first, _ in first })
  }

  private mutating func follow(_ event: Event) {
    switch event.kind {
    case .cellStarted(let cell):
      running = indices[cell].map { ($0, event.elapsed) }
      update(cell) { $0.started = Timestamp(milliseconds: event.time) }
    case .attemptStarted(let cell, _, let machine, _):
      update(cell) { $0.attempts.append(AttemptSummary(machine: machine)) }
    case .phaseStarted(let cell, _, let phase):
      updateAttempt(cell) { $0.phases.append(PhaseSummary(phase: phase)) }
    case .stepFinished(let cell, _, let phase, let step):
      updateAttempt(cell) { $0.withPhase(phase) { $0.steps.append(step) } }
    case .phaseFinished(let cell, _, let phase, let seconds):
      updateAttempt(cell) { $0.withPhase(phase) { $0.seconds = seconds } }
    case .attemptFinished(let attempt):
      updateAttempt(attempt.cell) {
        $0.machine = attempt.machine
        $0.outcome = attempt.outcome
        $0.reason = attempt.reason
        $0.log = attempt.log
      }
    case .cellFinished(let end):
      running = nil
      update(end.cell) {
        $0.outcome = end.outcome
        $0.seconds = end.seconds
        $0.reason = end.reason
        $0.location = end.location
        $0.remark = end.remark
      }
    default: break
    }
  }

  /// A cell that the run did not announce is ignored.
  private mutating func update(_ cell: String, _ body: (inout CellSummary) -> Void) {
    guard let index = indices[cell] else { return }
    body(&summary.cells[index])
  }

  private mutating func updateAttempt(_ cell: String, _ body: (inout AttemptSummary) -> Void) {
    update(cell) {
      guard let last = $0.attempts.indices.last else { return }
      body(&$0.attempts[last])
    }
  }

  private mutating func countMachine(_ event: Event) {
    switch event.kind {
    case .machineLaunched(_, let machine, _):
      guard alive.insert(machine).inserted else { return }
      summary.machines.launched += 1
      summary.machines.left.append(LeftMachine(machine: machine))
    case .machinePurged(_, let machine):
      // A machine whose launch failed is purged too, and counts for nothing.
      forget(machine)
      if alive.remove(machine) != nil { summary.machines.purged += 1 }
    case .machineKept(_, let machine, let path):
      alive.remove(machine)
      forget(machine)
      summary.machines.kept.append(KeptMachine(machine: machine, path: path))
    case .machineLeft(_, let machine, let reason):
      // It may be left even where its launch did not succeed.
      if alive.insert(machine).inserted { summary.machines.launched += 1 }
      forget(machine)
      summary.machines.left.append(LeftMachine(machine: machine, reason: reason))
    default: break
    }
  }

  private mutating func forget(_ machine: String) {
    // From the end, where it nearly always is.
    if let index = summary.machines.left.lastIndex(where: { $0.machine == machine }) {
      summary.machines.left.remove(at: index)
    }
  }
}

extension AttemptSummary {
  fileprivate mutating func withPhase(_ name: PhaseName, _ body: (inout PhaseSummary) -> Void) {
    // Phases come one after the other, so the one that is meant is the last or has not been announced.
    if let index = phases.lastIndex(where: { $0.phase == name }) {
      body(&phases[index])
    } else {
      phases.append(PhaseSummary(phase: name))
      body(&phases[phases.count - 1])
    }
  }
}
