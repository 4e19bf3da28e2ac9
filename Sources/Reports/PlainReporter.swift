import MusterExecution
import MusterHost

/// A run in lines, for logs and pipes: each change is a line that starts with the time, and while nothing changes a line
/// every 30 seconds says that the run is alive and what it is doing.
struct PlainReporter: Sendable {
  /// Seconds without a line after which one says what is being done.
  static let heartbeat = 30.0

  /// How results and progress are written: one of the streams may be coloured and the other not.
  private var results: ConsoleText
  private let progress: ConsoleText
  private let verbosity: Verbosity
  /// Whether a live line shows what is being done, so that lines tell only what should stay.
  private let isLive: Bool
  private let github: GitHubCommands?
  private var position = Position()
  private var lastLine = 0.0
  /// The kind of work that was told last, without its numbers.
  private var toldActivity: Substring?
  private var hasToldFailure = false
  /// The cells that the matrix expects to fail: that they do is no news.
  private var expectedFailures: Set<String> = []
  private var isGroupOpen = false
  private var written: [ConsoleOutput] = []

  init(
    results: Paint, progress: Paint, verbosity: Verbosity, isLive: Bool = false, github: GitHubCommands? = nil
  ) {
    self.results = ConsoleText(paint: results)
    self.progress = ConsoleText(paint: progress)
    self.verbosity = verbosity
    self.isLive = isLive
    self.github = github
  }

  /// - Parameter cell: What the cell came to that this event ends.
  mutating func receive(_ event: Event, finished cell: CellSummary?) -> [ConsoleOutput] {
    written = []
    if let github, case .cellStarted(let cell) = event.kind, verbosity != .quiet {
      write(github.group(cell))
      isGroupOpen = true
    }
    position.add(event)
    tell(event, cell)
    if !written.isEmpty { lastLine = event.elapsed }
    return written
  }

  /// What the run has to say although nothing happened.
  /// - Parameter elapsed: Seconds since the run started.
  mutating func tick(elapsed: Double) -> [ConsoleOutput] {
    written = []
    guard position.isRunning, elapsed - lastLine >= Self.heartbeat else { return [] }
    lastLine = elapsed
    let doing = ([position.cell].compactMap { $0 } + position.doing).joined(separator: ", ")
    let time = human((elapsed - position.since).rounded(.down))
    note("still " + VisibleText.line(doing.isEmpty ? "running" : doing) + ", for \(time)", at: elapsed)
    return written
  }

  /// The end of the run.
  mutating func end(_ summary: Summary, reports: [String]) -> [ConsoleOutput] {
    written = []
    if let github {
      if isGroupOpen { write(github.endGroup) }
      for command in github.annotations(summary) { write(command) }
    }
    write(.out, results.end(summary, reports: reports))
    return written
  }

  // MARK: What happened

  private mutating func tell(_ event: Event, _ finished: CellSummary?) {
    switch event.kind {
    case .runStarted(let run):
      results.output = run.output
      expectedFailures = Set(run.cells.lazy.filter { $0.expectedFailure != nil }.map(\.cell))
      let accelerator = run.accelerator.map { " (\($0))" } ?? ""
      note("\(run.matrix): \(count(run.cells.count, "cell")) on \(run.backend)\(accelerator)", at: event.elapsed)
    case .working(let activity), .cellProgress(_, let activity): tell(activity: activity, at: event.elapsed)
    case .cellStarted(let cell):
      toldActivity = nil
      hasToldFailure = false
      change("\(cell) (\(position.finished + 1) of \(position.total))", at: event.elapsed)
    case .attemptStarted(_, let attempt, _, _):
      hasToldFailure = false
      if attempt > 1 { change("  attempt \(attempt)", at: event.elapsed) }
    case .machineLaunched(_, let machine, _): change("  machine \(machine)", at: event.elapsed)
    case .phaseStarted(_, _, let phase): change("  \(phase.rawValue)", at: event.elapsed)
    case .stepStarted(_, _, _, let title, _):
      if verbosity == .verbose { change("    \(shortTitle(title)) …", at: event.elapsed) }
    case .setupFinished(let step): tell(step, of: "setup", isExpectedToFail: false, at: event.elapsed)
    case .stepFinished(let cell, _, let phase, let step):
      let isExpectedToFail = step.outcome == .failed && expectedFailures.contains(cell)
      tell(step, of: "\(cell), \(phase.rawValue)", isExpectedToFail: isExpectedToFail, at: event.elapsed)
    case .attemptFinished(let attempt):
      guard attempt.outcome != .passed, attempt.outcome != .cancelled, !hasToldFailure,
        attempt.outcome != .failed || !expectedFailures.contains(attempt.cell)
      else { break }
      hasToldFailure = true
      write(.out, results.failure(attempt))
    case .cellFinished: if let finished { tell(finished, at: event.elapsed) }
    case .notice, .launchRetried, .slow, .stepRetried, .machineKept, .machineLeft: tellNotable(event)
    case .imageReady, .waiting, .machinePurged, .phaseFinished, .runFinished: break
    }
  }

  private mutating func tellNotable(_ event: Event) {
    switch event.kind {
    case .notice(let notice): note(notice, at: event.elapsed)
    case .launchRetried(let cell, _, let reason):
      note("  \(cell): the launch failed and is tried again: \(reason.message)", at: event.elapsed)
    case .slow(let cell, let what, let seconds, let limit):
      note("  \(cell): slow: \(what) has taken \(human(seconds)) of \(human(limit))", at: event.elapsed)
    case .stepRetried(let cell, _, let title, let reason):
      note("  \(cell): \(shortTitle(title)) is tried again: \(reason.message)", at: event.elapsed)
    case .machineKept(let cell, let machine, let path):
      note("  \(cell): kept \(machine) in \(path)", at: event.elapsed)
    case .machineLeft(let cell, let machine, let reason):
      write(.out, [results.paint("left: \(VisibleText.line("\(machine) of \(cell): \(reason.message)"))", .red)])
    default: break
    }
  }

  private mutating func tell(
    _ step: StepFinished, of place: String, isExpectedToFail: Bool, at elapsed: Double
  ) {
    let line = "    " + progress.line(step)
    if !isLive || verbosity == .verbose { write(line, at: elapsed) }
    if step.outcome == .passed {
      if verbosity == .verbose { write(.error, progress.tail(step)) }
    } else if step.outcome != .cancelled, !isExpectedToFail || verbosity == .verbose {
      hasToldFailure = true
      write(.out, results.failure(step, of: place))
    }
  }

  /// Work tells its numbers many times a second; a log needs each kind of work once.
  private mutating func tell(activity: String, at elapsed: Double) {
    let kind = activity.prefix { $0 != ":" }
    guard kind != toldActivity else { return }
    toldActivity = kind
    change("    \(activity)", at: elapsed)
  }

  private mutating func tell(_ cell: CellSummary, at elapsed: Double) {
    if cell.needsAttention, cell.outcome != .cancelled, !hasToldFailure {
      write(.out, results.failure(cell))
    }
    // The totals say how many were never begun.
    guard verbosity != .quiet, cell.started != nil || cell.outcome != .cancelled else { return }
    if let github, isGroupOpen {
      write(github.endGroup)
      isGroupOpen = false
    }
    write(.out, [(isLive ? "" : Self.clock(elapsed)) + results.line(cell)])
  }

  // MARK: Lines

  /// A change that the next one makes old.
  private mutating func change(_ text: String, at elapsed: Double) {
    if !isLive || verbosity == .verbose { note(text, at: elapsed) }
  }

  /// Something that is worth reading later, too.
  private mutating func note(_ text: String, at elapsed: Double) {
    write(VisibleText.line(text), at: elapsed)
  }

  private mutating func write(_ line: String, at elapsed: Double) {
    guard verbosity != .quiet else { return }
    write(.error, [Self.clock(elapsed) + line])
  }

  private mutating func write(_ stream: ConsoleOutput.Stream, _ lines: [String]) {
    guard !lines.isEmpty else { return }
    // GitHub reads commands from both streams, each at its own pace: only one stream keeps the order.
    let text = (github?.neutral(lines) ?? lines).joined(separator: "\n") + "\n"
    written.append(ConsoleOutput(github == nil ? stream : .out, text))
  }

  /// A line that is a command.
  private mutating func write(_ command: String) {
    written.append(ConsoleOutput(.out, command + "\n"))
  }

  /// `   1:05  `: minutes and seconds of the run.
  static func clock(_ elapsed: Double) -> String {
    let seconds = Int(max(0, min(elapsed, 1e9)))
    let rest = seconds % 60
    let clock = "\(seconds / 60):\(rest < 10 ? "0" : "")\(rest)"
    return String(repeating: " ", count: max(0, 7 - clock.count)) + clock + "  "
  }
}
