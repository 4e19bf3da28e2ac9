import MusterDiagnostics
import MusterYAML

/// The keys `exclude` and `expect-failure`: `{test: …, distro: …, axes: {memory: 512M}, reason: …}`. What is expected to fail
/// can say with which `message`.
extension MatrixDecoder {
  private static func ruleKeys(_ what: String) -> [String] {
    ["test", "distro", "axes", "reason"] + (what == "expect-failure" ? ["message"] : [])
  }

  /// - Parameter tests: The tests; `nil` when some of them could not be read.
  func rules(_ node: Node, _ what: String, _ tests: [Test]?, _ names: Names) -> [Rule] {
    guard let nodes = list(node, "'\(what)'", hint: "write {test: …, distro: …, reason: …} as an item") else {
      return []
    }
    var testCompiler = SelectorCompiler(names: names, domain: .tests)
    var distroCompiler = SelectorCompiler(names: names, domain: .distros)
    return nodes.compactMap { node in
      guard let mapping = mapping(node, "an item of '\(what)'", hint: "write {test: …, distro: …, reason: …}") else {
        return nil
      }
      let before = diagnostics.count
      guard let rule = rule(mapping, node.span, what, &testCompiler, &distroCompiler) else { return nil }
      if let tests, diagnostics.count == before { checkUse(of: rule, tests, names.distros.count) }
      return rule
    }
  }

  private func rule(
    _ mapping: Mapping, _ span: Span, _ what: String, _ tests: inout SelectorCompiler,
    _ distros: inout SelectorCompiler
  ) -> Rule? {
    var rule = Rule(tests: .all, distros: .all, axes: [], reason: "", span: span)
    for entry in mapping.entries {
      switch entry.key {
      case "test": rule.tests = selector(entry.value, "'test'", &tests) ?? Selector()
      case "distro": rule.distros = selector(entry.value, "'distro'", &distros) ?? Selector()
      case "axes": rule.axes = ruleAxes(entry.value)
      case "reason": rule.reason = constant(entry.value, "a reason") ?? ""
      case "message" where Self.ruleKeys(what).contains("message"):
        rule.message = constant(entry.value, "a message")
      default: reportUnknown(entry, in: what, known: Self.ruleKeys(what))
      }
    }
    if let reason = mapping["reason"] {
      if rule.reason.allSatisfy(\.isWhitespace), case .scalar(let scalar) = reason.content, !scalar.isNull {
        report("a reason that is empty", at: reason.span)
      }
    } else if lacks(mapping, "reason", known: Self.ruleKeys(what)) {
      report("'\(what)' needs a reason", at: span, hint: "add 'reason:' so that it can be judged later")
    }
    if !mapping.entries.contains(where: { ["test", "distro", "axes"].contains($0.key) }) {
      report("this does not say which cells it is for", at: span, hint: "add 'test' or 'distro', or both")
      return nil
    }
    return rule
  }

  private func ruleAxes(_ node: Node) -> [(name: String, values: [String])] {
    mapping(node, "'axes'", hint: "write {memory: 512M}")?.entries.compactMap { entry in
      guard variables.axes[entry.key] != nil else {
        report(
          "no test has an axis \(quoted(entry.key))", at: entry.keySpan,
          hint: Nearest.hint(entry.key, among: variables.axes.keys.sorted(), listing: "the axes are"))
        return nil
      }
      return oneOrMore(entry.value, "the values of an axis").map { nodes in
        (entry.key, nodes.compactMap { constant($0, "a value of an axis") })
      }
    } ?? []
  }

  /// Tells of an entry that no cell is meant by.
  private func checkUse(of rule: Rule, _ tests: [Test], _ distros: Int) {
    for axis in rule.axes {
      for value in axis.values
      where !tests.contains(where: { $0.axes.contains { $0.name == axis.name && $0.values.contains(value) } }) {
        report(
          "no axis '\(axis.name)' has the value \(quoted(value))", at: rule.span,
          hint: Nearest.question(
            value, among: tests.flatMap { $0.axes.filter { $0.name == axis.name }.flatMap(\.values) }))
        return
      }
    }
    let isUsed = tests.enumerated().contains { number, test in
      rule.concerns(test, number)
        && (0..<distros).contains { test.distros.contains($0) && rule.distros.contains(test: -1, distro: $0) }
    }
    if !isUsed { report("this matches no cell", at: rule.span, severity: .warning) }
  }
}

extension Rule {
  /// Whether some cells of a test may be meant.
  func concerns(_ test: Test, _ number: Int) -> Bool {
    tests.contains(test: number, distro: -1)
      && axes.allSatisfy { axis in
        test.axes.contains { $0.name == axis.name && $0.values.contains(where: axis.values.contains) }
      }
  }

  /// Whether a cell of such a test is meant.
  func holds(_ test: Test, distro: Int, combination: Int) -> Bool {
    distros.contains(test: -1, distro: distro)
      && axes.allSatisfy { axis in
        test.axes.contains { $0.name == axis.name && axis.values.contains($0.values[$0.index(in: combination)]) }
      }
  }
}
