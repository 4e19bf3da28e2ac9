import MusterExecution
import MusterHost

/// The words of a run on a terminal or in a log: harmless, and coloured where that is wanted.
struct ConsoleText: Sendable {
  var paint: Paint
  /// The run's output folder.
  var output = ""

  /// What a finished cell came to: `✓ passed   appimage@debian-12  1m 30s`.
  func line(_ cell: CellSummary) -> String {
    let verdict = verdict(cell.outcome, cell.blame)
    let padding = String(repeating: " ", count: max(0, 18 - verdict.count))
    var line = paint("\(cell.outcome.symbol) \(verdict)", cell.outcome.tone) + padding
    line += " " + paint(VisibleText.line(cell.header.cell), .bold)
    if cell.outcome != .skipped { line += "  " + human(cell.seconds) }
    if cell.outcome != .passed, let explanation = cell.explanation {
      line += "  " + VisibleText.line(explanation)
    }
    return line
  }

  func line(_ step: StepFinished) -> String {
    let symbol = paint(step.outcome.symbol, step.outcome.tone)
    let word = step.outcome == .passed ? "" : " " + verdict(step.outcome, step.reason?.blame)
    let tries = step.tries > 1 ? ", \(step.tries) tries" : ""
    return "\(symbol)\(paint(word, step.outcome.tone)) \(VisibleText.line(shortTitle(step.title)))  "
      + (step.isKept ? "kept" : "\(human(step.seconds))\(tries)")
  }

  /// A step that did not pass, at length.
  func failure(_ step: StepFinished, of place: String) -> [String] {
    block(
      verdict(step.outcome, step.reason?.blame), step.outcome, "\(place): \(shortTitle(step.title))",
      FailureText(step, output: output))
  }

  /// An attempt that did not pass where no step is the cause.
  func failure(_ attempt: AttemptFinished) -> [String] {
    let reason = attempt.reason ?? Reason(attempt.outcome.word)
    return block(
      verdict(attempt.outcome, reason.blame), attempt.outcome, attempt.cell,
      FailureText(reason, log: attempt.log, output: output))
  }

  /// A cell that did not go as it should where no attempt told why.
  func failure(_ cell: CellSummary) -> [String] {
    block(
      verdict(cell.outcome, cell.blame), cell.outcome, cell.header.cell,
      FailureText(
        Reason(
          cell.explanation ?? cell.outcome.word, evidence: cell.reason?.evidence ?? [], hint: cell.reason?.hint),
        location: cell.decisiveLocation, log: cell.attempts.last?.log, output: output))
  }

  private func block(_ verdict: String, _ outcome: Outcome, _ title: String, _ text: FailureText) -> [String] {
    [paint("\(outcome.symbol) \(verdict)", outcome.tone) + ": " + paint(VisibleText.line(title), .bold)]
      + text.lines.map { line in
        switch line.kind {
        case .label(let label):
          let padding = line.text.isEmpty ? 0 : max(0, 10 - label.count)
          return "    " + paint(label, .faint) + String(repeating: " ", count: padding) + VisibleText.line(line.text)
        case .output: return "      " + paint("|", .faint) + " " + VisibleText.line(line.text)
        }
      }
  }

  /// The lines of output that were kept of a step.
  func tail(_ step: StepFinished) -> [String] {
    step.tail.map { "      " + paint("|", .faint) + " " + VisibleText.line($0) }
  }

  // MARK: The end

  /// The whole run: what did not go as it should, the totals, the reports, and what became of the machines.
  func end(_ summary: Summary, reports: [String]) -> [String] {
    var lines = [""]
    for cell in summary.cells where cell.needsAttention { lines += compact(summary.whole(cell)) }
    if let reason = summary.reason {
      lines.append(paint("ended early", .yellow) + ": " + VisibleText.line(reason.message))
      if let hint = reason.hint { lines.append("    " + VisibleText.line(hint)) }
    }
    if let signal = summary.signal { lines.append(paint("ended by signal \(signal)", .yellow)) }
    if lines.count > 1 { lines.append("") }
    lines.append(totals(summary))
    if let time = summary.time.text { lines.append("time: \(human(summary.seconds)) = \(time)") }
    if !reports.isEmpty {
      lines.append("reports: " + reports.map(VisibleText.line).joined(separator: ", "))
    }
    lines += machines(summary.machines)
    return lines
  }

  private func compact(_ cell: CellSummary) -> [String] {
    var lines = [line(cell)]
    var place = ["\(cell.decisiveLocation)"]
    if let log = cell.decisiveStep?.log ?? cell.attempts.last?.log { place.append("log: \(output)/\(log)") }
    lines.append("    " + VisibleText.line(place.joined(separator: ", ")))
    return lines
  }

  private func totals(_ summary: Summary) -> String {
    let totals = summary.totals
    let parts = Outcome.allCases.compactMap { outcome in
      totals[outcome].map { paint("\($0) \(outcome.word)", outcome.tone) }
    }
    let head = "\(count(summary.cells.count, "cell")) in \(human(summary.seconds))"
    return parts.isEmpty ? head : "\(head): \(parts.joined(separator: ", "))"
  }

  private func machines(_ machines: MachineCounts) -> [String] {
    var lines: [String] = []
    for machine in machines.kept { lines.append("kept: \(VisibleText.line("\(machine.machine) in \(machine.path)"))") }
    for machine in machines.left {
      let reason = machine.reason.map { ": \($0.message)" } ?? ": the run ended before it was purged"
      lines.append(paint("left: \(VisibleText.line(machine.machine + reason))", .red))
      if let hint = machine.reason?.hint { lines.append("    " + VisibleText.line(hint)) }
    }
    let kept = machines.kept.isEmpty ? "" : "\(machines.kept.count) kept, "
    let left = paint("\(machines.left.count) left", machines.left.isEmpty ? .green : .red)
    return lines + ["machines: \(machines.launched) launched, \(machines.purged) purged, \(kept)\(left)"]
  }
}
