import MusterCatalog
import MusterDiagnostics
import MusterYAML

/// A whole file, decoded.
struct DecodedMatrix {
  var name: String?
  var backends: [String] = []
  var backendSettings: [String: BackendSettings] = [:]
  var secrets: [String] = []
  var setup: [StepTemplate] = []
  var document: Document
}

extension MatrixDecoder {
  private static let keys =
    [
      "muster", "name", "extends", "backend", "backends", "vars", "secrets", "distros", "setup", "tests", "exclude",
      "expect-failure",
    ] + settingsKeys

  func document(_ root: Node) -> DecodedMatrix {
    var decoded = DecodedMatrix(
      document: Document(defaults: Settings(), distros: [], tests: [], exclusions: [], expectedFailures: []))
    guard let mapping = mapping(root, "a matrix", hint: "write 'muster: 1', 'distros:' and 'tests:'") else {
      return decoded
    }
    for entry in mapping.entries where !Self.keys.contains(entry.key) {
      reportUnknown(entry, in: "the matrix", known: Self.keys)
    }
    version(mapping, at: root.span)
    if let node = mapping["secrets"] { decoded.secrets = secrets(node) }
    let tests = mapping["tests"].flatMap { self.mapping($0, "'tests'", hint: "write {works: {verify: […]}}") }
    let testTags = tests.map(outline) ?? []
    if let node = mapping["vars"] { readVariables(node) }
    decoded.name = mapping["name"].flatMap { constant($0, "the name of the matrix") }
    if let node = mapping["backend"] { decoded.backends = backends(node) }
    if let node = mapping["backends"] { decoded.backendSettings = backendSettings(node) }
    var defaults = Settings()
    for entry in mapping.entries { _ = takeSetting(entry, into: &defaults, Scope()) }

    let forms = require("distros", mapping, root).map(distros) ?? []
    _ = require("tests", mapping, root)
    let names = Names(
      tests: tests?.entries.map(\.key) ?? [], distros: forms.map(\.name), testTags: testTags,
      distroTags: forms.map(\.tags), families: forms.map(\.family))
    conditionCompiler = SelectorCompiler(names: names, domain: .either)
    provisions = forms.map { form in
      form.provision.map { provision($0, Scope()) } ?? []
    }
    if let node = mapping["setup"] { decoded.setup = steps(node, "'setup'", Scope(hasCell: false), .setup) }
    if let tests, tests.entries.isEmpty, let node = mapping["tests"] { report("there are no tests", at: node.span) }
    let known = tests.map { self.tests($0, testTags, names) } ?? []
    let isWhole = known.count == names.tests.count
    for (distro, steps) in provisions.enumerated() where isWhole && Self.needsPackageCheck(steps) {
      for number in known.indices where known[number].distros.contains(distro) {
        checkPackages(steps, on: known[number].distros, number, names)
      }
    }
    let exclusions = mapping["exclude"].map { rules($0, "exclude", isWhole ? known : nil, names) } ?? []
    let expected = mapping["expect-failure"].map { rules($0, "expect-failure", isWhole ? known : nil, names) } ?? []
    let distros = link(forms, provisions, known, exclusions)
    decoded.document = Document(
      defaults: defaults, distros: distros, tests: known, exclusions: exclusions, expectedFailures: expected)
    return decoded
  }

  private func require(_ key: String, _ mapping: Mapping, _ root: Node) -> Node? {
    if let node = mapping[key] { return node }
    guard lacks(mapping, key, known: Self.keys) else { return nil }
    report("the matrix needs '\(key)'", at: Span(file: root.span.file, start: root.span.start, end: root.span.start))
    return nil
  }

  private func version(_ mapping: Mapping, at span: Span) {
    guard let node = mapping["muster"] else {
      report(
        "the matrix does not say which version of the language it is in",
        at: Span(file: span.file, start: span.start, end: span.start), hint: "write 'muster: 1' as its first line")
      return
    }
    guard let text = textNode(node, "the version of the language", hint: "write 'muster: 1'"), text != "1" else {
      return
    }
    report(
      "unknown version \(quoted(text)) of the matrix language", at: node.span,
      hint: Int(text).map { $0 > 1 } ?? false
        ? "this Muster reads version 1; a newer Muster may read it" : "write 'muster: 1'")
  }

  private func secrets(_ node: Node) -> [String] {
    var secrets: [String] = []
    for node in oneOrMore(node, "'secrets'") ?? [] {
      guard let name = textNode(node, "the name of a secret") else { continue }
      if !PlainValues.isVariable(name) || BuiltIn(rawValue: name) != nil {
        report(
          "\(quoted(name)) cannot be the name of a secret", at: node.span,
          hint: "a secret is named like the environment variable that holds it, such as API_TOKEN")
      } else if let first = variables.spans[name] {
        report("the secret '\(name)' is named twice", at: node.span, notes: [.init("first here", at: first)])
      } else {
        secrets.append(name)
        variables.secrets.insert(name)
        variables.spans[name] = node.span
      }
    }
    return secrets
  }

  private func readVariables(_ node: Node) {
    guard let mapping = mapping(node, "'vars'", hint: "write {version: 1.2.0}") else { return }
    for entry in mapping.entries {
      var problem: String?
      if !PlainValues.isVariable(entry.key) {
        problem = "\(quoted(entry.key)) cannot be the name of a variable"
      } else if BuiltIn(rawValue: entry.key) != nil {
        problem = "'\(entry.key)' is a variable that every cell has"
      } else if variables.secrets.contains(entry.key) {
        problem = "'\(entry.key)' is a secret already"
      }
      if let problem {
        report(
          problem, at: entry.keySpan, hint: "use letters, digits and '_', and no digit first",
          notes: variables.spans[entry.key].map { [.init("declared here", at: $0)] } ?? [])
        continue
      }
      variables.values[entry.key] = .unread(entry.value)
      variables.spans[entry.key] = entry.keySpan
    }
    for entry in mapping.entries { readVariable(entry.key) }
  }

  /// The names of backends in order; none for `auto`.
  private func backends(_ node: Node) -> [String] {
    let nodes = oneOrMore(node, "'backend'") ?? []
    var names: [String] = []
    for node in nodes {
      guard let name = constant(node, "the name of a backend") else { continue }
      let available = BackendName.available.map(\.rawValue)
      if name == "auto", nodes.count > 1 {
        report("'auto' stands alone", at: node.span, hint: "write a list of names, or auto")
      } else if names.contains(name) {
        report("'\(name)' is twice in the list", at: node.span)
      } else if available.contains(name) {
        names.append(name)
      } else if name != "auto" {
        report(
          "unknown backend \(quoted(name))", at: node.span,
          hint: Nearest.hint(name, among: ["auto"] + available, listing: "write one of"))
      }
    }
    return names
  }
}
