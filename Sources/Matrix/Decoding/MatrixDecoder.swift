import MusterCatalog
import MusterDiagnostics
import MusterYAML

/// Makes a document of a file's nodes, and collects every mistake on the way.
final class MatrixDecoder {
  /// The absolute folder that paths given on the command line start from.
  let workingDirectory: String
  /// The architecture of machines where the matrix says none.
  let cpu: CPU
  var diagnostics: [Diagnostic] = []
  var locator = Locator()
  var variables = Variables()
  /// The selectors of `when` met before, by their text.
  var conditions: [String: Selector] = [:]
  var conditionCompiler = SelectorCompiler(names: Names(tests: [], distros: []), domain: .either)
  /// Texts with variables met before, whose value is the same everywhere.
  var knownTexts: [String: String] = [:]
  /// The regular expressions that were found right.
  var knownPatterns: Set<String> = []
  /// The steps of each distro's own provision.
  var provisions: [[StepTemplate]] = []
  /// The folders of the files that were met.
  private var directories: [ObjectIdentifier: String] = [:]

  init(workingDirectory: String, cpu: CPU) {
    self.workingDirectory = workingDirectory
    self.cpu = cpu
  }

  /// Once enough is told, there is no more: to find hints for all of it would take long.
  func report(
    _ message: String, at span: Span, hint: @autoclosure () -> String? = nil, notes: [Diagnostic.Note] = [],
    severity: Diagnostic.Severity = .error
  ) {
    if isFull { return }
    diagnostics.append(Diagnostic(severity, message, at: span, notes: notes, hint: hint()))
  }

  /// Whether enough mistakes are told.
  var isFull: Bool { diagnostics.count >= Self.mostMistakes }
  static let mostMistakes = 500

  func report(_ problem: ValueProblem, at span: Span) {
    report(problem.message, at: span, hint: problem.hint)
  }

  /// The absolute folder of the file that something stands in: where its relative paths start.
  func directory(of span: Span) -> String {
    if let known = directories[ObjectIdentifier(span.file)] { return known }
    let directory = Path.folder(of: Path.absolute(span.file.path, in: workingDirectory))
    directories[ObjectIdentifier(span.file)] = directory
    return directory
  }

  // MARK: Shapes

  func mapping(_ node: Node, _ what: String, hint: @autoclosure () -> String? = nil) -> Mapping? {
    if case .mapping(let mapping) = node.content { return mapping }
    report("expected a mapping for \(what), found \(kind(of: node))", at: node.span, hint: hint())
    return nil
  }

  func list(_ node: Node, _ what: String, hint: @autoclosure () -> String? = nil) -> [Node]? {
    if case .sequence(let nodes) = node.content { return nodes }
    report("expected a list for \(what), found \(kind(of: node))", at: node.span, hint: hint())
    return nil
  }

  /// A list, or a single scalar in its place.
  func oneOrMore(_ node: Node, _ what: String) -> [Node]? {
    if case .scalar(let scalar) = node.content, !scalar.isNull { return [node] }
    return list(node, what)
  }

  /// The raw text of a scalar.
  func textNode(_ node: Node, _ what: String, hint: @autoclosure () -> String? = nil) -> String? {
    if case .scalar(let scalar) = node.content, !scalar.isNull { return scalar.text }
    report("expected text for \(what), found \(kind(of: node))", at: node.span, hint: hint())
    return nil
  }

  func kind(of node: Node) -> String {
    switch node.content {
    case .scalar(let scalar): scalar.isNull ? "nothing" : "text"
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }

  func reportUnknown(_ entry: Mapping.Entry, in what: String, known: [String]) {
    report(
      "unknown key \(quoted(entry.key)) in \(what)", at: entry.keySpan,
      hint: Nearest.hint(entry.key, among: known, listing: "the keys are"))
  }

  /// Whether a key is not there, not even misspelt, which is told as an unknown key already.
  func lacks(_ mapping: Mapping, _ key: String, known: [String]) -> Bool {
    !mapping.entries.contains { entry in
      entry.key == key || (!known.contains(entry.key) && nearest(to: entry.key, in: [key]) != nil)
    }
  }

  // MARK: Values

  /// Text with variables.
  func template(_ node: Node, _ what: String, _ scope: Scope, _ uses: Uses = .builtIns) -> Template? {
    textNode(node, what).flatMap { template($0, at: node.span, what, scope, uses) }
  }

  /// Text in which only variables of the matrix may stand.
  func constant(_ node: Node, _ what: String) -> String? {
    template(node, what, Scope(), [])?.constant
  }

  func constant<Value>(
    _ node: Node, _ what: String, _ parse: (String) throws(ValueProblem) -> Value
  ) -> Value? {
    guard let text = constant(node, what) else { return nil }
    do throws(ValueProblem) {
      return try parse(text)
    } catch {
      report(error, at: node.span)
      return nil
    }
  }

  /// A value that may depend on axes: each of their values is tried.
  func setting<Value: Sendable>(
    _ node: Node, _ what: String, _ scope: Scope, _ parse: (String) throws(ValueProblem) -> Value
  ) -> Setting<Value>? {
    guard let template = template(node, what, scope, []) else { return nil }
    do throws(ValueProblem) {
      if let text = template.constant { return .fixed(try parse(text)) }
      let (axes, texts) = try texts(of: template, what, scope)
      var values: [Value] = []
      for text in texts { values.append(try parse(text)) }
      return .byAxes(axes, values)
    } catch {
      report(error, at: node.span)
      return nil
    }
  }

  /// Tells what is wrong with a text of a cell. Each value of the axes in it is tried, and a word stands for what is not
  /// known yet.
  func check(
    _ template: Template, at span: Span, _ scope: Scope, _ parse: (String) throws(ValueProblem) -> Void
  ) {
    do throws(ValueProblem) {
      if let text = template.constant { return try parse(text) }
      for text in try texts(of: template, "a text", scope).texts { try parse(text) }
    } catch {
      report(error, at: span)
    }
  }

  /// What a text can be: the numbers of its axes, and a text for each combination of theirs, the last axis changing first.
  private func texts(
    of template: Template, _ what: String, _ scope: Scope
  ) throws(ValueProblem) -> (axes: [Int], texts: [String]) {
    var axes: [Int] = []
    for case .axis(let axis) in template.parts where !axes.contains(axis) { axes.append(axis) }
    let count = axes.reduce(1) { min($0, 1 << 20) * scope.axes[$1].values.count }
    guard count <= Plan.cellLimit else {
      throw ValueProblem("\(what) has \(count) values, by its axes", hint: "use fewer axes in it")
    }
    let texts = combinations(axes.map { scope.axes[$0].values.count }).map { choice in
      template.parts.reduce(into: "") { text, part in
        switch part {
        case .text(let more): text += more
        case .axis(let axis): text += scope.axes[axis].values[choice[axes.firstIndex(of: axis) ?? 0]]
        case .builtIn, .secret, .address: text += "x"
        }
      }
    }
    return (axes, texts)
  }

  /// Every choice of one number below each count, the last changing first.
  private func combinations(_ counts: [Int]) -> [[Int]] {
    counts.reduce([[]]) { choices, count in choices.flatMap { choice in (0..<count).map { choice + [$0] } } }
  }

  func bool(_ node: Node, _ what: String) -> Bool? { constant(node, what, PlainValues.bool) }

  /// One of the words of an enumeration.
  func word<Word: RawRepresentable & CaseIterable>(_ node: Node, _ what: String) -> Word?
  where Word.RawValue == String {
    constant(node, what) { text throws(ValueProblem) in
      guard let word = Word(rawValue: text) else {
        let words = Word.allCases.map(\.rawValue)
        throw ValueProblem(
          "\(quoted(text)) is not \(what)", hint: Nearest.hint(text, among: words, listing: "write one of"))
      }
      return word
    }
  }
}

/// Paths as texts.
enum Path {
  static func absolute(_ path: String, in directory: String) -> String {
    if path.utf8.first == UInt8(ascii: "/") { return path }
    var rest = path[...]
    while rest.hasPrefix("./") { rest = rest.dropFirst(2).drop { $0 == "/" } }
    if rest.isEmpty || rest == "." { return directory }
    return directory == "/" ? "/\(rest)" : "\(directory)/\(rest)"
  }

  static func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last part, without its extension.
  static func stem(of path: String) -> String {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return String(name) }
    return String(name[..<dot])
  }
}
