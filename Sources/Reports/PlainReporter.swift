import MusterExecution
import MusterHost

/// A run in lines, for logs and pipes: each change is a line that starts with the time, and while nothing changes a line
/// every 30 seconds says that the run is alive and what it is doing.
struct PlainReporter: Sendable {
  /// Seconds without a line after which one says what is being done.
  static let heartbeat = 30.0

  private var text: ConsoleText
  private let verbosity: Verbosity
  private var github: GitHubCommands?
  private var position = Position()
  private var lastLine = 0.0
  /// The kind of work that was told last, without its numbers.
  private var toldActivity: Substring?
  private var hasToldFailure = false
  private var written: [ConsoleOutput] = []

  init(paint: Paint, verbosity: Verbosity, github: GitHubCommands? = nil) {
    text = ConsoleText(paint: paint)
    self.verbosity = verbosity
    self.github = github
  }

  /// - Parameter cell: What the cell came to that this event ends.
  mutating func receive(_ event: Event, finished cell: CellSummary?) -> [ConsoleOutput] {
    written = []
    if let github, case .cellStarted(let cell) = event.kind, verbosity != .quiet { write(github.group(cell)) }
    position.add(event)
    tell(event, cell)
    if !written.isEmpty { lastLine = event.elapsed }
    return written
  }

  /// What the run has to say although nothing happened.
  /// - Parameter elapsed: Seconds since the run started.
  mutating func tick(elapsed: Double) -> [ConsoleOutput] {
    written = []
    guard position.isRunning, verbosity != .quiet, elapsed - lastLine >= Self.heartbeat else { return [] }
    lastLine = elapsed
    let doing = ([position.cell].compactMap { $0 } + position.doing).joined(separator: ", ")
    progress(
      elapsed,
      "still " + VisibleText.line(doing.isEmpty ? "running" : doing) + ", for \(human(elapsed - position.since))")
    return written
  }

  /// The end of the run.
  func end(_ summary: Summary, reports: [String]) -> [ConsoleOutput] {
    var last = self
    last.written = []
    if let github { for command in github.annotations(summary) { last.write(command) } }
    last.result(text.end(summary, reports: reports))
    return last.written
  }

  private mutating func tell(_ event: Event, _ finished: CellSummary?) {
    switch event.kind {
    case .runStarted(let run):
      text.output = run.output
      let accelerator = run.accelerator.map { " (\($0))" } ?? ""
      progress(
        event.elapsed,
        VisibleText.line("\(run.matrix): \(count(run.cells.count, "cell")) on \(run.backend)\(accelerator)"))
    case .notice(let notice): progress(event.elapsed, VisibleText.line(notice))
    case .working(let activity), .cellProgress(_, let activity): tell(activity: activity, at: event.elapsed)
    case .setupFinished(let step): tell(step, of: "setup", at: event.elapsed)
    case .cellStarted(let cell):
      toldActivity = nil
      progress(event.elapsed, "\(VisibleText.line(cell)) (\(position.finished + 1) of \(position.total))")
    case .attemptStarted(_, let attempt, _):
      hasToldFailure = false
      if attempt > 1 { progress(event.elapsed, "  attempt \(attempt)") }
    case .phaseStarted(_, _, let phase): progress(event.elapsed, "  \(phase.rawValue)")
    case .stepFinished(let cell, _, let phase, let step):
      tell(step, of: "\(cell), \(phase.rawValue)", at: event.elapsed)
    case .attemptFinished(let attempt):
      guard attempt.outcome != .passed, attempt.outcome != .cancelled, !hasToldFailure else { break }
      result(text.failure(attempt))
    case .cellFinished: if let finished { finish(finished, at: event.elapsed) }
    case .stepStarted(_, _, _, let title, _):
      if verbosity == .verbose { progress(event.elapsed, "    \(VisibleText.line(shortTitle(title))) …") }
    case .launchRetried, .slow, .stepRetried, .machineLaunched, .machineKept, .machineLeft: remark(event)
    case .machinePurged, .phaseFinished, .runFinished: break
    }
  }

  private mutating func remark(_ event: Event) {
    switch event.kind {
    case .launchRetried(_, _, let reason):
      progress(event.elapsed, "  " + VisibleText.line("launch failed and is tried again: \(reason.message)"))
    case .slow(_, let what, let seconds, let limit):
      progress(event.elapsed, "  slow: " + VisibleText.line(what) + " has taken \(human(seconds)) of \(human(limit))")
    case .stepRetried(_, _, let title, let reason):
      progress(event.elapsed, "    " + VisibleText.line("\(shortTitle(title)) is tried again: \(reason.message)"))
    case .machineLaunched(_, let machine): progress(event.elapsed, "  machine \(VisibleText.line(machine))")
    case .machineKept(_, let machine, let path):
      progress(event.elapsed, "  " + VisibleText.line("kept \(machine) in \(path)"))
    case .machineLeft(_, let machine, let reason):
      result([text.paint("left: \(VisibleText.line("\(machine): \(reason.message)"))", .red)])
    default: break
    }
  }

  private mutating func tell(_ step: StepFinished, of place: String, at elapsed: Double) {
    progress(elapsed, "    " + text.line(step))
    if step.outcome == .passed {
      if verbosity == .verbose { write(.error, text.tail(step)) }
    } else if step.outcome != .cancelled {
      hasToldFailure = true
      result(text.failure(step, of: place))
    }
  }

  /// Work tells its numbers many times a second; a log needs each kind of work once.
  private mutating func tell(activity: String, at elapsed: Double) {
    let kind = activity.prefix { $0 != ":" }
    guard kind != toldActivity else { return }
    toldActivity = kind
    progress(elapsed, "    " + VisibleText.line(activity))
  }

  private mutating func finish(_ cell: CellSummary, at elapsed: Double) {
    // Failures have been told already, at length.
    guard verbosity != .quiet else { return }
    if let github, cell.started != nil { write(github.endGroup) }
    result([Self.clock(elapsed) + text.line(cell)])
  }

  // MARK: Lines

  private mutating func progress(_ elapsed: Double, _ line: String) {
    guard verbosity != .quiet else { return }
    write(.error, [Self.clock(elapsed) + line])
  }

  private mutating func result(_ lines: [String]) {
    write(.out, lines)
  }

  private mutating func write(_ stream: ConsoleOutput.Stream, _ lines: [String]) {
    guard !lines.isEmpty else { return }
    // GitHub reads commands from both streams, each at its own pace: only one stream keeps the order.
    guard let github else {
      written.append(ConsoleOutput(stream, lines.joined(separator: "\n") + "\n"))
      return
    }
    written.append(ConsoleOutput(.out, github.neutral(lines).joined(separator: "\n") + "\n"))
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
