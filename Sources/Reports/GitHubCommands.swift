import MusterDiagnostics
import MusterExecution
import MusterHost

/// Workflow commands of GitHub Actions: lines on the standard streams that start with `::` and that the runner obeys
/// (docs.github.com, "Workflow commands for GitHub Actions"). It also obeys an older form, `##[`, anywhere in a line.
struct GitHubCommands: Sendable {
  /// As many annotations of one type are shown of a step; GitHub drops the rest.
  static let limit = 10

  /// The folder of the checkout: paths below it are told relative to it, so that GitHub finds them.
  var workspace: String?
  /// The folder that relative paths start from.
  var directory: String
  /// What ends a stretch of text in which commands are not obeyed: nobody who writes such text may guess it.
  var token: String

  init(workspace: String?, directory: String, token: String? = nil) {
    self.workspace = workspace
    self.directory = directory
    self.token =
      token ?? "muster-" + String(UInt64.random(in: .min ... .max), radix: 36)
      + String(UInt64.random(in: .min ... .max), radix: 36)
  }

  func group(_ title: String) -> String { "::group::" + Self.data(PlainText.line(title)) }

  let endGroup = "::endgroup::"

  /// The lines, with commands switched off around them if any could be taken for one.
  func neutral(_ lines: [String]) -> [String] {
    guard lines.contains(where: { $0.contains("::") || $0.contains("##[") }) else { return lines }
    return ["::stop-commands::\(token)"] + lines + ["::\(token)::"]
  }

  // MARK: Annotations

  /// An annotation for each cell that a person should look at, worst first.
  func annotations(_ summary: Summary) -> [String] {
    let errors = summary.cells.filter { $0.blamesRelease } + summary.cells.filter { $0.hasNoVerdict }
    let warnings = summary.cells.filter { $0.outcome == .flaky }
    return setup(summary) + annotations("error", errors, summary) + annotations("warning", warnings, summary)
  }

  /// What ended the run before its first cell.
  private func setup(_ summary: Summary) -> [String] {
    summary.setup.filter { $0.outcome != .passed && $0.outcome != .cancelled }.map { step in
      let location = step.decisiveLocation.map {
        "file=\(Self.property(path($0.file))),line=\($0.line),col=\($0.column),"
      }
      let message = FailureText(step, output: summary.output).plainLines.joined(separator: "\n")
      let title = Self.property(PlainText.line("setup: \(shortTitle(step.title)): \(step.outcome.word)"))
      return "::error \(location ?? "")title=\(title)::\(Self.data(message))"
    }
  }

  private func annotations(_ type: String, _ cells: [CellSummary], _ summary: Summary) -> [String] {
    // The last place is for the note that says how many are not shown.
    let shown = cells.count > Self.limit ? cells.prefix(Self.limit - 1) : cells[...]
    var lines = shown.map { annotation(type, summary.whole($0), summary) }
    if cells.count > shown.count {
      let message = "\(cells.count - shown.count) more; GitHub shows at most \(Self.limit) of a kind, the summary all"
      lines.append("::\(type) title=\(Self.property(summary.matrix))::\(Self.data(message))")
    }
    return lines
  }

  private func annotation(_ type: String, _ cell: CellSummary, _ summary: Summary) -> String {
    let location = cell.decisiveLocation
    let title = "\(cell.header.cell): \(verdict(cell.outcome, cell.blame))"
    let properties = [
      "file=\(Self.property(path(location.file)))", "line=\(location.line)", "col=\(location.column)",
      "title=\(Self.property(PlainText.line(title)))",
    ]
    return "::\(type) \(properties.joined(separator: ","))::\(Self.data(message(cell, summary)))"
  }

  private func message(_ cell: CellSummary, _ summary: Summary) -> String {
    var lines = cell.outcome.isAsExpected ? [] : cell.attempts.last?.detail(summary) ?? []
    if lines.isEmpty {
      lines.append(PlainText.line(cell.explanation ?? cell.outcome.word))
      if let hint = cell.reason?.hint { lines.append("hint: " + PlainText.line(hint)) }
    }
    return lines.joined(separator: "\n")
  }

  /// A path as GitHub wants it: relative to the checkout where it lies inside.
  func path(_ path: String) -> String {
    let absolute = path.hasPrefix("/") ? path : directory + "/" + path
    guard let workspace else { return path }
    let folder = Self.components(workspace)
    let file = Self.components(absolute)
    return file.starts(with: folder) ? file.dropFirst(folder.count).joined(separator: "/") : path
  }

  /// The names in a path, without `.` and with `..` taken back.
  private static func components(_ path: String) -> [Substring] {
    path.split(separator: "/").reduce(into: []) { names, name in
      if name == ".." { _ = names.popLast() } else if name != "." { names.append(name) }
    }
  }

  // MARK: Escapes, as the runner takes them back

  static func data(_ text: String) -> String {
    escape(text) { character in
      switch character {
      case "%": "%25"
      case "\r": "%0D"
      case "\n": "%0A"
      default: nil
      }
    }
  }

  static func property(_ text: String) -> String {
    escape(data(text)) { character in
      switch character {
      case ":": "%3A"
      case ",": "%2C"
      default: nil
      }
    }
  }

  private static func escape(_ text: String, _ replacement: (Unicode.Scalar) -> String?) -> String {
    var escaped = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if let replacement = replacement(scalar) {
        escaped.append(contentsOf: replacement.unicodeScalars)
      } else {
        escaped.append(scalar)
      }
    }
    return String(escaped)
  }
}

extension CellSummary {
  /// Whether it was begun and could not be told.
  var hasNoVerdict: Bool {
    switch outcome {
    case .error: true
    case .timedOut: !blamesRelease
    default: false
    }
  }
}
