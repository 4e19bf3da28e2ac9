import MusterDiagnostics
import MusterExecution
import MusterHost

/// What did not go as it should, in the lines a person reads first: the same wherever a report is text.
struct FailureText {
  /// How many lines of output are worth showing before the log is.
  static let tailLimit = 20

  /// A line and how it is indented and meant.
  struct Line {
    enum Kind {
      case label(String)
      case output
    }

    var kind: Kind
    /// Raw: whoever shows it makes it harmless.
    var text: String
  }

  var lines: [Line] = []

  /// - Parameter output: The run's output folder, which the log's path starts from.
  init(_ step: StepFinished, output: String) {
    if let location = step.decisiveLocation { add("at", "\(location)") }
    if let mismatch = step.mismatch {
      add("expected", "\(mismatch.subject) \(mismatch.expected)")
      add("actual", mismatch.actual)
    }
    // What came says more than any words about it.
    if let reason = step.reason { add(reason, withMessage: step.mismatch == nil) }
    if step.tries > 1 { add("tries", "\(step.tries)") }
    addOutput(step.tail)
    if let log = step.log { add("log", "\(output)/\(log)") }
  }

  /// For what no step tells: a launch that failed, a cell that ran out of time.
  init(_ reason: Reason, location: Location? = nil, log: String?, output: String) {
    if let location { add("at", "\(location)") }
    add(reason, withMessage: true)
    if let log { add("log", "\(output)/\(log)") }
  }

  private mutating func add(_ label: String, _ text: String) {
    let parts = text.split(separator: "\n", omittingEmptySubsequences: false)
    lines.append(Line(kind: .label(label), text: parts.first.map(String.init) ?? ""))
    let rest = parts.dropFirst()
    for part in rest.prefix(Self.tailLimit) { lines.append(Line(kind: .label(""), text: String(part))) }
    if rest.count > Self.tailLimit {
      lines.append(Line(kind: .label(""), text: "… \(count(rest.count - Self.tailLimit, "more line"))"))
    }
  }

  private mutating func add(_ reason: Reason, withMessage: Bool) {
    if withMessage { add("reason", reason.message) }
    for line in reason.evidence.suffix(Self.tailLimit) { lines.append(Line(kind: .output, text: line)) }
    if let hint = reason.hint { add("hint", hint) }
  }

  private mutating func addOutput(_ tail: [String]) {
    guard !tail.isEmpty else { return }
    add("output", tail.count > Self.tailLimit ? "the last \(Self.tailLimit) lines" : "")
    for line in tail.suffix(Self.tailLimit) { lines.append(Line(kind: .output, text: line)) }
  }
}

extension FailureText {
  /// As text without colours; whoever puts it somewhere escapes it.
  var plainLines: [String] {
    lines.map { line in
      switch line.kind {
      case .label(""): "  \(PlainText.line(line.text))"
      case .label(let label): line.text.isEmpty ? "\(label):" : "\(label): \(PlainText.line(line.text))"
      case .output: "| \(PlainText.line(line.text))"
      }
    }
  }
}

extension AttemptSummary {
  /// Why the attempt did not pass, at length, as plain text: its steps that did not pass, or else its reason.
  func detail(_ summary: Summary) -> [String] {
    var lines: [String] = []
    for phase in phases {
      for step in phase.steps where step.outcome != .passed {
        lines.append("step: \(phase.phase.rawValue): \(PlainText.line(shortTitle(step.title)))")
        lines += FailureText(step, output: summary.output).plainLines
      }
    }
    if lines.isEmpty, let reason {
      lines = FailureText(reason, log: log, output: summary.output).plainLines
    }
    return lines
  }
}
