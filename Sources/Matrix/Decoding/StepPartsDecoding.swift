import MusterDiagnostics
import MusterYAML

/// What goes with a step's action.
extension MatrixDecoder {
  private static let plainShells: Set<String> = ["sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "busybox sh"]

  /// An interpreter as a command line or a list. A shell without arguments gets `-e`, as the default has it.
  func shell(_ node: Node) -> [String]? {
    var words: [String]
    if case .sequence(let nodes) = node.content {
      words = nodes.compactMap { constant($0, "a shell") }
    } else {
      guard let text = constant(node, "a shell") else { return nil }
      words = text.split { $0 == " " || $0 == "\t" || $0 == "\n" }.map(String.init)
      if Self.plainShells.contains(words.joined(separator: " ")) { words.append("-e") }
    }
    if words.last == "-c" {
      report("a shell gets its script as a file, not as text after '-c'", at: node.span, hint: "leave '-c' out")
      return nil
    }
    if words.isEmpty {
      report("a shell that is empty", at: node.span, hint: "write bash, or bash -euo pipefail")
      return nil
    }
    return words
  }

  /// The user that a script runs as.
  func user(_ node: Node, _ scope: Scope) -> Template? {
    guard let user = template(node, "a user", scope) else { return nil }
    do throws(ValueProblem) {
      _ = try user.constant.map(PlainValues.account)
      return user
    } catch {
      report(error, at: node.span)
      return nil
    }
  }

  /// `3`, or `{count: 3, delay: 5s}`.
  func retry(_ node: Node) -> Retry {
    var retry = Retry()
    let count = { (node: Node) in
      self.constant(node, "a number of retries") { text throws(ValueProblem) in
        try Bound.within(0...1000, PlainValues.integer(text), "retries")
      }
    }
    guard case .mapping(let mapping) = node.content else {
      retry.count = count(node) ?? 0
      return retry
    }
    for entry in mapping.entries {
      switch entry.key {
      case "count": retry.count = count(entry.value) ?? 0
      case "delay": retry.delay = constant(entry.value, "a delay", TimeSpan.parse) ?? retry.delay
      default: reportUnknown(entry, in: "retry", known: ["count", "delay"])
      }
    }
    if mapping["count"] == nil {
      report("'retry' needs 'count'", at: node.span, hint: "write {count: 3, delay: 5s}")
    }
    return retry
  }

  func exitStatuses(_ node: Node) -> [Int] {
    let statuses: [Int] =
      oneOrMore(node, "'exit'")?.compactMap {
        constant($0, "an exit status") { text throws(ValueProblem) in
          let status = try PlainValues.integer(text)
          guard (0...255).contains(status) else {
            throw ValueProblem("\(status) is not an exit status", hint: "they go from 0 to 255")
          }
          return status
        }
      } ?? []
    if case .sequence(let nodes) = node.content, nodes.isEmpty {
      report("a list of exit statuses that is empty", at: node.span)
    }
    return statuses
  }

  /// `{equals: …, contains: …, matches: …, not-contains: …}`, each with a text or a list of texts.
  func expectations(_ node: Node, _ scope: Scope) -> [StepTemplate.Expected] {
    guard let mapping = mapping(node, "what is expected", hint: "write {contains: …} or {equals: …}") else { return [] }
    var expected: [StepTemplate.Expected] = []
    for entry in mapping.entries {
      guard let kind = Expectation.Kind(rawValue: entry.key) else {
        reportUnknown(entry, in: "what is expected", known: Expectation.Kind.allCases.map(\.rawValue))
        continue
      }
      let nodes: [Node]
      if case .sequence(let several) = entry.value.content, kind != .equals {
        nodes = several
      } else {
        nodes = [entry.value]
      }
      for node in nodes {
        guard let text = expectedText(node, kind, scope), kind != .matches || isPattern(text, at: node.span, scope)
        else { continue }
        expected.append(StepTemplate.Expected(kind: kind, text: text, span: node.span))
      }
    }
    return expected
  }

  private func expectedText(_ node: Node, _ kind: Expectation.Kind, _ scope: Scope) -> Template? {
    guard let text = template(node, "an expectation", scope, .all) else { return nil }
    if kind != .equals, text.constant?.isEmpty ?? false {
      report("every output \(kind == .contains ? "contains" : "has") the empty text", at: node.span)
      return nil
    }
    return text
  }

  /// Whether a regular expression can be read, with each axis at its first value and a word in place of what is not known yet.
  private func isPattern(_ template: Template, at span: Span, _ scope: Scope) -> Bool {
    let text = template.parts.reduce(into: "") { text, part in
      switch part {
      case .text(let plain): text += plain
      case .axis(let axis): text += scope.axes[axis].values.first ?? ""
      case .builtIn, .secret, .address: text += "x"
      }
    }
    if knownPatterns.contains(text) { return true }
    do {
      _ = try Regex(text)
      knownPatterns.insert(text)
      return true
    } catch {
      report("\(quoted(text)) is not a regular expression: \(error)", at: span)
      return false
    }
  }

  /// A selector over the cells, by names of tests and distros, families and tags.
  func condition(_ node: Node) -> Selector? {
    if case .scalar(let scalar) = node.content, let known = conditions[scalar.text] { return known }
    let before = diagnostics.count
    guard let selector = selector(node, "'when'", &conditionCompiler) else { return nil }
    if case .scalar(let scalar) = node.content, diagnostics.count == before { conditions[scalar.text] = selector }
    return selector
  }

  /// A selector: an item, or a list of them.
  func selector(_ node: Node, _ what: String, _ compiler: inout SelectorCompiler) -> Selector? {
    guard let nodes = oneOrMore(node, what) else { return nil }
    if nodes.isEmpty {
      report("\(what) chooses nothing", at: node.span, hint: "write all, a name, a glob, family:… or tag:…")
      return nil
    }
    var selector = Selector()
    for node in nodes {
      guard let text = textNode(node, what) else { continue }
      compiler.add(text, to: &selector) { problem in
        report(
          problem.message,
          at: locator.span(of: problem.offset..<problem.offset + problem.length, in: text, at: node.span),
          hint: problem.hint, severity: problem.isWarning ? .warning : .error)
      }
    }
    return selector
  }

  /// A path in the machine: from its root.
  func guestPath(_ node: Node, _ what: String, _ scope: Scope) -> Template? {
    guard let path = template(node, what, scope) else { return nil }
    if path.constant?.utf8.first == UInt8(ascii: "/") { return path }
    let starts: [String] =
      switch path.parts.first {
      case .text(let text): [text]
      case .axis(let axis): scope.axes[axis].values
      case .builtIn, .secret, .address, nil: [""]
      }
    if let wrong = starts.first(where: { !$0.hasPrefix("/") }) {
      report(
        "\(quoted(path.constant ?? wrong)) is not a whole path in the machine", at: node.span,
        hint: "start it with '/', such as /root or /tmp")
      return nil
    }
    return path
  }
}
