import MusterDiagnostics
import MusterExecution
import MusterHost
import MusterMatrix

extension Outcome {
  /// A sign that tells outcomes apart without colour.
  var symbol: String {
    switch self {
    case .passed: "✓"
    case .flaky: "~"
    case .failed, .timedOut: "✗"
    case .error: "!"
    case .skipped: "-"
    case .expectedFailure: "≈"
    case .unexpectedPass: "?"
    case .cancelled: "⊘"
    }
  }

  /// As a person reads it.
  var word: String {
    switch self {
    case .timedOut: "timed out"
    case .expectedFailure: "failed as expected"
    case .unexpectedPass: "passed unexpectedly"
    default: rawValue
    }
  }

  var tone: Tone {
    switch self {
    case .passed: .green
    case .failed, .unexpectedPass, .timedOut: .red
    case .error, .flaky: .yellow
    case .skipped, .expectedFailure, .cancelled: .faint
    }
  }
}

/// A step's title, which may be a script of many lines, as one line.
func shortTitle(_ title: String) -> String {
  let lines = title.split(whereSeparator: \.isNewline)
  guard let first = lines.first else { return title }
  return lines.count == 1 ? String(first) : "\(first) …"
}

/// `error (mirror)`: the outcome, with the blame where there is one.
func verdict(_ outcome: Outcome, _ blame: Blame?) -> String {
  switch (outcome, blame) {
  case (.error, let blame?), (.timedOut, let blame?): "\(outcome.word) (\(blame.rawValue))"
  default: outcome.word
  }
}

/// `1 cell`, `3 cells`.
func count(_ number: Int, _ noun: String) -> String {
  "\(number) \(noun)\(number == 1 ? "" : "s")"
}

/// Seconds for people: `1m 30s`.
func human(_ seconds: Double) -> String {
  Duration.milliseconds(Int64(max(0, min(seconds, 1e12)) * 1000)).human
}

extension CellSummary {
  /// Why the cell is what it is, in one line; `nil` where there is nothing to say.
  var explanation: String? {
    if let remark, [.skipped, .expectedFailure, .unexpectedPass].contains(outcome) {
      return outcome == .unexpectedPass ? "expected to fail: \(remark.reason)" : remark.reason
    }
    if outcome == .flaky {
      return "passed in attempt \(attempts.count)" + (attempts.first?.explanation.map { "; before: \($0)" } ?? "")
    }
    return attempts.last?.explanation ?? reason?.message
  }
}

extension AttemptSummary {
  /// The step that made the attempt what it is: the last that did not pass. One that was stopped is no cause.
  var decisiveStep: (phase: PhaseName, step: StepFinished)? {
    for phase in phases.reversed() {
      if let step = phase.steps.last(where: { $0.outcome != .passed && $0.outcome != .cancelled }) {
        return (phase.phase, step)
      }
    }
    return nil
  }

  /// Why the attempt did not pass, in one line.
  var explanation: String? {
    guard let (phase, step) = decisiveStep else { return reason?.message }
    return "\(phase.rawValue): \(shortTitle(step.title)): \(step.explanation)"
  }
}

extension StepFinished {
  /// What went wrong, in one line.
  var explanation: String {
    guard let mismatch else { return reason?.message ?? outcome.word }
    let expected = DisplayWidth.trim(mismatch.expected, to: 120)
    return "expected \(mismatch.subject) \(expected), got \(DisplayWidth.trim(mismatch.actual, to: 120))"
  }

  /// Where a person should look.
  var decisiveLocation: Location? { mismatch?.location ?? location }
}
