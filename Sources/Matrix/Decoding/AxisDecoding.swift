import MusterCatalog
import MusterDiagnostics
import MusterYAML

extension MatrixDecoder {
  /// The axes of a test in the file's order.
  func axes(_ node: Node) -> [Axis] {
    guard let mapping = mapping(node, "'axes'", hint: "write {memory: [512M, 2G]}") else { return [] }
    var axes: [Axis] = []
    for entry in mapping.entries {
      if isAxisName(entry), let values = axisValues(entry) { axes.append(Axis(name: entry.key, values: values)) }
    }
    axes = Axis.strided(axes)
    let (count, overflow) = (axes.first?.stride ?? 1).multipliedReportingOverflow(by: axes.first?.values.count ?? 1)
    guard !overflow, count <= Plan.cellLimit else {
      report(
        "these axes make more than \(Plan.cellLimit) cells on each distro", at: node.span,
        hint: "use fewer axes, or fewer values")
      return []
    }
    return axes
  }

  private func isAxisName(_ entry: Mapping.Entry) -> Bool {
    let name = entry.key
    if name == BuiltIn.cpu.rawValue { return true }
    var problem: String?
    if !PlainValues.isVariable(name) {
      problem = "\(quoted(name)) cannot be the name of an axis"
    } else if BuiltIn(rawValue: name) != nil {
      problem = "'\(name)' is a variable that every cell has"
    } else if name == Lifecycle.Course.axis {
      problem = "'\(name)' is the axis that a test's 'lifecycle' makes"
    } else if variables.values[name] != nil {
      problem = "'\(name)' is a variable already"
    } else if variables.secrets.contains(name) {
      problem = "'\(name)' is a secret already"
    }
    guard let problem else { return true }
    report(
      problem, at: entry.keySpan, hint: "name the axis with letters, digits and '_', unlike any variable",
      notes: variables.spans[name].map { [.init("declared here", at: $0)] } ?? [])
    return false
  }

  private func axisValues(_ entry: Mapping.Entry) -> [String]? {
    guard let nodes = list(entry.value, "an axis", hint: "write the values as a list: [one, other]") else { return nil }
    if nodes.isEmpty {
      report("the axis '\(entry.key)' has no values", at: entry.value.span)
      return nil
    }
    var values: [String] = []
    for node in nodes {
      guard let value = constant(node, "a value of an axis") else { continue }
      if values.contains(value) {
        report("\(quoted(value)) is twice in the axis '\(entry.key)'", at: node.span)
      } else if let bad = value.unicodeScalars.first(where: Self.isAmbiguous) {
        report(
          "\(quoted(value)) cannot be a value of an axis: \(quoted(String(bad))) would make names of cells ambiguous",
          at: node.span, hint: "values of axes have no spaces and none of [ ] , = @ & * ?")
      } else if value.isEmpty {
        report("a value of an axis that is empty", at: node.span)
      } else if entry.key == BuiltIn.cpu.rawValue, CPU(rawValue: value) == nil {
        report(Self.unknownCPU(value), at: node.span)
      } else {
        values.append(value)
      }
    }
    return values.isEmpty ? nil : values
  }

  /// The key `cpu`.
  func cpu(_ node: Node) -> CPU? {
    constant(node, "an architecture") { text throws(ValueProblem) in
      guard let cpu = CPU(rawValue: text) else { throw Self.unknownCPU(text) }
      return cpu
    }
  }

  /// Other names of the architectures are in use everywhere, so they get an answer of their own.
  private static func unknownCPU(_ text: String) -> ValueProblem {
    let meant = CPU.allCases.first { $0.debianName == text || $0.kernelName == text }?.rawValue
    return ValueProblem(
      "unknown architecture \(quoted(text))",
      hint: meant.map { "write \($0)" }
        ?? Nearest.hint(text, among: CPU.allCases.map(\.rawValue), listing: "the architectures are"))
  }

  private static func isAmbiguous(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || scalar.properties.generalCategory == .control
      || "[],=@&*?".unicodeScalars.contains(scalar)
  }
}
