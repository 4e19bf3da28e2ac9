import MusterExecution
import MusterHost
import MusterMatrix

/// The run in the XML of JUnit, in the dialect that Jenkins' xunit plugin prescribes (its junit-10.xsd) and that GitLab
/// reads: a suite for each distro, a case for each cell.
///
/// What blames the release is a `failure`, what has no verdict an `error` with the blame as its type. An expected
/// failure is `skipped`, since it neither passed nor needs anyone's attention; so is a cell that was never begun, unless
/// none was. A flaky cell passes, and each attempt before is a `flakyFailure`, which Jenkins knows and GitLab ignores.
struct JUnit {
  /// Bytes of a cell's `system-out`, at most.
  static let outputLimit = 16 << 10

  private let summary: Summary
  private let write: ([UInt8]) throws -> Void
  /// Whether there is a cell that tells why others were never begun.
  private let isRunBegun: Bool
  private var xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

  /// Writes it a piece at a time.
  static func write(_ summary: Summary, _ write: ([UInt8]) throws -> Void) throws {
    try withoutActuallyEscaping(write) { write in
      var junit = JUnit(summary: summary, write: write)
      try junit.writeSuites()
    }
  }

  private init(summary: Summary, write: @escaping ([UInt8]) throws -> Void) {
    self.summary = summary
    self.write = write
    isRunBegun = summary.cells.contains { $0.started != nil }
  }

  private struct Counts {
    var tests = 0
    var failures = 0
    var errors = 0
    var skipped = 0
    var seconds = 0.0

    mutating func add(_ cell: CellSummary, _ verdict: CellSummary.JUnitVerdict) {
      tests += 1
      seconds += cell.seconds
      switch verdict {
      case .failure: failures += 1
      case .error: errors += 1
      case .skipped: skipped += 1
      case .passed: break
      }
    }
  }

  private mutating func writeSuites() throws {
    var order: [String] = []
    // By the indices of their cells.
    var suites: [String: [Int]] = [:]
    var all = Counts()
    for (index, cell) in summary.cells.enumerated() {
      let distro = cell.header.distro
      if suites[distro] == nil { order.append(distro) }
      suites[distro, default: []].append(index)
      all.add(cell, cell.junitVerdict(isRunBegun))
    }
    let attributes = XML.attributes([
      "name": summary.matrix, "tests": "\(all.tests)", "failures": "\(all.failures)", "errors": "\(all.errors)",
      "time": decimal(summary.seconds),
    ])
    xml += "<testsuites\(attributes)>\n"
    for (id, distro) in order.enumerated() { try writeSuite(distro, id, suites[distro] ?? []) }
    xml += "</testsuites>\n"
    try write(Array(xml.utf8))
  }

  private mutating func writeSuite(_ distro: String, _ id: Int, _ indices: [Int]) throws {
    let cells = indices.lazy.map { [summary] in summary.cells[$0] }
    var counts = Counts()
    for cell in cells { counts.add(cell, cell.junitVerdict(isRunBegun)) }
    let began = cells.compactMap(\.started).first ?? summary.started
    // UTC, without a zone: as the format's first readers want it.
    let attributes = XML.attributes([
      "name": distro, "id": "\(id)", "tests": "\(counts.tests)", "failures": "\(counts.failures)",
      "errors": "\(counts.errors)", "skipped": "\(counts.skipped)", "time": decimal(counts.seconds),
      "timestamp": String(began.iso8601().dropLast()),
    ])
    xml += "  <testsuite\(attributes)>\n"
    writeProperties()
    for cell in cells {
      writeCase(summary.whole(cell))
      guard xml.utf8.count > 1 << 16 else { continue }
      try write(Array(xml.utf8))
      xml = ""
    }
    xml += "  </testsuite>\n"
  }

  private mutating func writeProperties() {
    var properties = [
      ("muster.run", summary.run), ("muster.matrix", summary.file), ("muster.backend", summary.backend),
    ]
    if let accelerator = summary.accelerator { properties.append(("muster.accelerator", accelerator)) }
    xml += "    <properties>\n"
    for (name, value) in properties {
      xml += "      <property\(XML.attributes(["name": name, "value": value]))/>\n"
    }
    xml += "    </properties>\n"
  }

  private mutating func writeCase(_ cell: CellSummary) {
    // What stands behind the last dot is taken for the class, what stands before it for its package.
    let className = [summary.matrix, cell.header.distro].map { $0.replacing(".", with: "_") }.joined(separator: ".")
    let attributes = XML.attributes([
      "name": cell.header.cell, "classname": className, "time": decimal(cell.seconds),
    ])
    xml += "    <testcase\(attributes)>\n"
    writeVerdict(cell)
    element("system-out", [:], Self.output(of: cell, summary))
    xml += "    </testcase>\n"
  }

  private mutating func writeVerdict(_ cell: CellSummary) {
    let message = cell.explanation ?? cell.outcome.word
    switch cell.junitVerdict(isRunBegun) {
    case .failure:
      element("failure", ["type": cell.outcome.rawValue, "message": message], detail(cell))
    case .error:
      let type = cell.blame?.rawValue ?? cell.outcome.rawValue
      element("error", ["type": type, "message": message], detail(cell))
    case .skipped: xml += "      <skipped\(XML.attributes(["message": "\(cell.outcome.word): \(message)"]))/>\n"
    case .passed:
      for attempt in cell.attempts where cell.outcome == .flaky && attempt.outcome != .passed {
        let message = attempt.explanation ?? attempt.outcome.word
        let lines = attempt.detail(summary).joined(separator: "\n")
        element("flakyFailure", ["type": attempt.outcome.rawValue, "message": message], lines)
      }
    }
  }

  private func detail(_ cell: CellSummary) -> String {
    var lines = ["\(cell.header.cell): \(verdict(cell.outcome, cell.blame))"]
    if let attempt = cell.attempts.last, !attempt.detail(summary).isEmpty {
      lines += attempt.detail(summary)
    } else if let reason = cell.reason {
      lines += FailureText(reason, log: nil, output: summary.output).plainLines
    }
    if let remark = cell.remark { lines.append("remark: \(remark.reason) (\(remark.location))") }
    lines.append("matrix: \(cell.decisiveLocation)")
    return lines.joined(separator: "\n")
  }

  /// What was done in the cell.
  private static func output(of cell: CellSummary, _ summary: Summary) -> String {
    var lines: [String] = []
    var size = 0
    func add(_ line: String) {
      if size <= outputLimit { lines.append(size + line.utf8.count > outputLimit ? "… cut" : line) }
      size += line.utf8.count + 1
    }
    for (index, attempt) in cell.attempts.enumerated() {
      add("attempt \(index + 1) in \(attempt.machine): \(attempt.outcome.word)")
      for phase in attempt.phases {
        add("  \(phase.phase.rawValue)  \(human(phase.seconds))")
        for step in phase.steps {
          let log = step.log.map { "  (\(summary.output)/\($0))" } ?? ""
          add("    \(step.outcome.symbol) \(shortTitle(step.title))  \(human(step.seconds))\(log)")
        }
      }
      if let log = attempt.log { add("  logs: \(summary.output)/\(log)") }
    }
    return lines.joined(separator: "\n")
  }

  private mutating func element(_ name: String, _ attributes: KeyValuePairs<String, String>, _ content: String) {
    guard !content.isEmpty || !attributes.isEmpty else { return }
    xml += "      <\(name)\(XML.attributes(attributes))>\(XML.text(content))</\(name)>\n"
  }
}

extension CellSummary {
  fileprivate enum JUnitVerdict {
    case passed
    case failure
    case error
    case skipped
  }

  fileprivate func junitVerdict(_ isRunBegun: Bool) -> JUnitVerdict {
    switch outcome {
    case .passed, .flaky: .passed
    case .skipped, .expectedFailure: .skipped
    case .failed, .unexpectedPass: .failure
    case .timedOut: blamesRelease ? .failure : .error
    case .error: .error
    case .cancelled: started == nil && isRunBegun ? .skipped : .error
    }
  }
}

/// Seconds with three decimals: `12.500`.
private func decimal(_ seconds: Double) -> String {
  let thousandths = String(Int64((max(0, min(seconds, 1e12)) * 1000).rounded()))
  let padded = String(repeating: "0", count: max(0, 4 - thousandths.count)) + thousandths
  return "\(padded.dropLast(3)).\(padded.suffix(3))"
}
