import MusterExecution
import MusterHost
import MusterMatrix

/// The run as Markdown, as GitHub and GitLab read it: a table of tests and distros, and what did not go as it should.
struct Markdown {
  /// GitHub takes no more of a step's summary than this many bytes.
  static let stepSummaryLimit = 1 << 20

  private let summary: Summary
  private let limit: Int?
  private var text = ""
  private var size = 0

  /// - Parameter limit: Bytes, at most; what does not fit is left out, with a note.
  static func bytes(of summary: Summary, limit: Int? = nil) -> [UInt8] {
    var markdown = Markdown(summary: summary, limit: limit)
    markdown.write()
    return Array(markdown.text.utf8)
  }

  private init(summary: Summary, limit: Int?) {
    self.summary = summary
    self.limit = limit
  }

  private mutating func write() {
    let machines = summary.machines
    let kept = machines.kept.isEmpty ? "" : ", \(machines.kept.count) kept"
    let left = machines.left.map { "\n- left: \(Self.code($0.machine + ($0.reason.map { ": \($0.message)" } ?? "")))" }
    // The end is never cut off.
    let end =
      "machines: \(machines.launched) launched, \(machines.purged) purged\(kept), \(machines.left.count) left"
      + left.prefix(20).joined() + "\n"
    let note = "More is left out here; the summary in JSON holds all.\n\n"
    let room = limit.map { $0 - end.utf8.count - note.utf8.count }
    var isCut = false
    func add(_ blocks: some Sequence<String>) {
      for block in blocks {
        if let room, size + block.utf8.count > room { isCut = true } else { append(block) }
      }
    }
    add(head())
    add(CollectionOfOne(table()))
    add(details())
    add(asides())
    if isCut { append(note) }
    if limit.map({ size + end.utf8.count <= $0 }) ?? true { append(end) }
  }

  private mutating func append(_ block: String) {
    text += block
    size += block.utf8.count
  }

  private func head() -> [String] {
    let outcome = summary.outcome
    let totals = summary.totals
    let parts = Outcome.allCases.compactMap { outcome in totals[outcome].map { "\($0) \(outcome.word)" } }
    let accelerator = summary.accelerator.map { " (\($0))" } ?? ""
    var line =
      "\(count(summary.cells.count, "cell")) in \(human(summary.seconds)) on "
      + Self.escape("\(summary.backend)\(accelerator)")
    if !parts.isEmpty { line += ": \(parts.joined(separator: ", "))" }
    if let time = summary.time.text { line += "\n\ntime: \(time)" }
    if let reason = summary.reason { line += "\n\nEnded early: \(Self.code(reason.message))" }
    if let signal = summary.signal { line += "\n\nEnded by signal \(signal)." }
    return ["## \(outcome.symbol) \(Self.escape(summary.matrix)): \(outcome.word)\n\n", line + "\n\n"]
  }

  /// Tests down, distros across.
  private func table() -> String {
    var rows: [String] = []
    var columns: [String] = []
    var cells: [String: [String: Outcome]] = [:]
    var isColumn: Set<String> = []
    for cell in summary.cells {
      let axes = cell.header.axes.map { "\($0.axis)=\($0.value)" }.joined(separator: ",")
      let row = axes.isEmpty ? cell.header.test : "\(cell.header.test)[\(axes)]"
      if cells[row] == nil { rows.append(row) }
      if isColumn.insert(cell.header.distro).inserted { columns.append(cell.header.distro) }
      cells[row, default: [:]][cell.header.distro] = cell.outcome
    }
    guard !rows.isEmpty else { return "" }
    var table = "| test | " + columns.map(Self.escape).joined(separator: " | ") + " |\n"
    table += "|---|" + String(repeating: ":-:|", count: columns.count) + "\n"
    for row in rows {
      table += "| \(Self.escape(row)) |"
      for column in columns {
        guard let outcome = cells[row]?[column] else {
          table += " |"
          continue
        }
        table += outcome == .passed ? " \(outcome.symbol) |" : " \(outcome.symbol) \(outcome.word) |"
      }
      table += "\n"
    }
    return table + "\n"
  }

  private func details() -> some Sequence<String> {
    summary.cells.lazy.filter { $0.needsAttention }.map { [summary] cell in
      let cell = summary.whole(cell)
      var lines = cell.attempts.last?.detail(summary) ?? []
      if lines.isEmpty { lines = [PlainText.line(cell.explanation ?? cell.outcome.word)] }
      if cell.outcome == .unexpectedPass, let explanation = cell.explanation { lines = [PlainText.line(explanation)] }
      lines.append("matrix: \(PlainText.line("\(cell.decisiveLocation)"))")
      let title = "\(cell.outcome.symbol) \(verdict(cell.outcome, cell.blame)): \(Self.code(cell.header.cell))"
      return "### \(title)\n\n\(Self.fenced(lines))\n"
    }
  }

  /// What is as expected and yet worth a line.
  private func asides() -> [String] {
    let asides = summary.cells.filter { [.flaky, .expectedFailure, .skipped].contains($0.outcome) }
    return asides.map { cell in
      let cell = summary.whole(cell)
      let explanation = cell.explanation.map { ": \(Self.code($0))" } ?? ""
      return "- \(cell.outcome.word): \(Self.code(cell.header.cell))\(explanation)\n"
    } + (asides.isEmpty ? [] : ["\n"])
  }

  // MARK: Escapes

  /// A block that shows its lines as they are, fenced by more backticks than any of them holds.
  static func fenced(_ lines: [String]) -> String {
    let fence = String(repeating: "`", count: max(3, lines.map(longestRun).max().map { $0 + 1 } ?? 3))
    return "\(fence)text\n\(lines.joined(separator: "\n"))\n\(fence)\n"
  }

  /// A span that shows its text as it is; not for tables, where a pipe would end it.
  static func code(_ text: String) -> String {
    let text = PlainText.line(text)
    guard !text.isEmpty else { return "" }
    let fence = String(repeating: "`", count: longestRun(text) + 1)
    // One space at each end is taken off again; it keeps backticks of the text apart from the fence.
    let space = text.hasPrefix("`") || text.hasSuffix("`") || (text.hasPrefix(" ") && text.hasSuffix(" ")) ? " " : ""
    return fence + space + text + space + fence
  }

  /// Text in which no character means anything, in a table either.
  static func escape(_ text: String) -> String {
    var escaped = ""
    for character in PlainText.line(text).unicodeScalars {
      switch character {
      // A reader of tables and a reader of text do not agree on a backslash before these.
      case "|": escaped += "&#124;"
      case "\\": escaped += "&#92;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "&": escaped += "&amp;"
      case "`", "*", "_", "[", "]", "#", "~", "!", "$": escaped += "\\\(character)"
      default: escaped.unicodeScalars.append(character)
      }
    }
    return escaped
  }

  private static func longestRun(_ text: String) -> Int {
    var longest = 0
    var run = 0
    for byte in text.utf8 {
      run = byte == UInt8(ascii: "`") ? run + 1 : 0
      longest = max(longest, run)
    }
    return longest
  }
}

extension CellSummary {
  /// Whether it did not go as it should, once it was begun.
  var needsAttention: Bool {
    !outcome.isAsExpected && (outcome != .cancelled || started != nil)
  }
}
