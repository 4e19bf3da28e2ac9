import MusterExecution

/// Where a run stands just now, for whoever watches it.
struct Position: Sendable {
  private(set) var total = 0
  private(set) var finished = 0
  private(set) var isRunning = false
  /// The cell that is being worked on, and the run's seconds when it began.
  private(set) var cell: String?
  private(set) var cellSince = 0.0
  private(set) var attempt = 1
  private(set) var phase: PhaseName?
  private(set) var step: String?
  /// The run's seconds when the step, or else the phase, began.
  private(set) var since = 0.0
  /// What is being waited for or worked on beneath the step.
  private(set) var activity: String?

  mutating func add(_ event: Event) {
    switch event.kind {
    case .runStarted(let run):
      total = run.cells.count
      isRunning = true
    case .runFinished: isRunning = false
    case .working(let text), .cellProgress(_, let text): activity = text
    case .setupFinished: activity = nil
    case .cellStarted(let cell):
      self.cell = cell
      cellSince = event.elapsed
      attempt = 1
      enter(nil, at: event.elapsed)
    case .attemptStarted(_, let attempt, _, _):
      self.attempt = attempt
      enter(nil, at: event.elapsed)
    case .phaseStarted(_, _, let phase): enter(phase, at: event.elapsed)
    case .stepStarted(_, _, let phase, let title, _):
      enter(phase, at: event.elapsed)
      step = shortTitle(title)
    case .stepFinished(_, _, let phase, _): enter(phase, at: event.elapsed)
    case .cellFinished:
      finished += 1
      cell = nil
      enter(nil, at: event.elapsed)
    default: break
    }
  }

  private mutating func enter(_ phase: PhaseName?, at elapsed: Double) {
    self.phase = phase
    step = nil
    activity = nil
    since = elapsed
  }

  /// What is being done in the cell, in as many words as there are: `verify, greeter --version`.
  var doing: [String] {
    var parts: [String] = []
    if let phase { parts.append(phase.rawValue) }
    if let step { parts.append(step) }
    if let activity { parts.append(activity) }
    return parts
  }
}
