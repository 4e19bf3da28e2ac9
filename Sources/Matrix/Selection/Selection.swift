package import MusterDiagnostics

/// What the command line chooses of a plan's cells: those that every kind of choice that is given chooses.
package struct Selection: Sendable, Hashable {
  /// Names or globs of tests, or names of cells as they are printed; several are united.
  package var tests: [String]
  /// Selectors of distros; several are united.
  package var distros: [String]
  /// Tags, of a distro or a test; several are united.
  package var tags: [String]
  /// Selectors of tests, distros or cells to leave out.
  package var skips: [String]
  /// `NAME=VALUE`: several of one axis are united, several axes must all hold.
  package var axes: [String]

  package init(
    tests: [String] = [], distros: [String] = [], tags: [String] = [], skips: [String] = [], axes: [String] = []
  ) {
    self.tests = tests
    self.distros = distros
    self.tags = tags
    self.skips = skips
    self.axes = axes
  }
}

/// What is wrong with a selection; the diagnostics have no place, for they are not about a file.
package struct SelectionError: Error, Sendable {
  package var diagnostics: [Diagnostic]
}

extension Plan {
  /// The plan with only the chosen cells, in their order. It may be left with none.
  package func selecting(_ selection: Selection) throws(SelectionError) -> Plan {
    if selection == Selection() { return self }
    let names = document.names
    var diagnostics: [Diagnostic] = []
    let compiled = { (items: [String], domain: SelectorDomain) -> Selector? in
      if items.isEmpty { return nil }
      var compiler = SelectorCompiler(names: names, domain: domain)
      var selector = Selector()
      for item in items {
        compiler.add(item, to: &selector) { problem in
          // A pattern that matches nothing is a choice of nothing, which is told once for the whole selection.
          guard !problem.isWarning else { return }
          diagnostics.append(Diagnostic(.error, problem.message, at: nil, hint: problem.hint))
        }
      }
      return selector
    }
    let tests = compiled(selection.tests, .testsAndCells)
    let distros = compiled(selection.distros, .distros)
    let tags = compiled(selection.tags, .tags)
    let skips = compiled(selection.skips, .anything)
    let axes = wantedAxes(selection.axes, &diagnostics)
    guard diagnostics.isEmpty else { throw SelectionError(diagnostics: diagnostics) }
    var plan = self
    plan.cells = cells.filter { cell in
      let test = Int(cell.testNumber)
      let distro = Int(cell.distroNumber)
      let chooses = { (selector: Selector) in
        selector.contains(test: test, distro: distro) { cell.axisValue($0) }
      }
      return tests.map(chooses) ?? true && distros?.contains(test: -1, distro: distro) ?? true
        && tags.map(chooses) ?? true && !(skips.map(chooses) ?? false)
        && axes.allSatisfy { name, values in cell.axisValue(name).map(values.contains) ?? false }
    }
    return plan
  }

  private func wantedAxes(_ texts: [String], _ diagnostics: inout [Diagnostic]) -> [(String, [String])] {
    var wanted: [(String, [String])] = []
    for text in texts {
      let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard sides.count == 2 else {
        diagnostics.append(
          Diagnostic(.error, "\(quoted(text)) is not an axis and its value", at: nil, hint: "write NAME=VALUE"))
        continue
      }
      let axes = document.tests.flatMap(\.axes)
      let values = axes.filter { $0.name == sides[0] }.flatMap(\.values)
      if values.isEmpty {
        diagnostics.append(
          Diagnostic(
            .error, "no test has an axis \(quoted(sides[0]))", at: nil,
            hint: Nearest.hint(sides[0], among: axes.map(\.name).distinct, listing: "the axes are")))
      } else if !values.contains(sides[1]) {
        diagnostics.append(
          Diagnostic(
            .error, "no axis '\(sides[0])' has the value \(quoted(sides[1]))", at: nil,
            hint: Nearest.hint(sides[1], among: values.distinct, listing: "the values are")))
      } else if let index = wanted.firstIndex(where: { $0.0 == sides[0] }) {
        wanted[index].1.append(sides[1])
      } else {
        wanted.append((sides[0], [sides[1]]))
      }
    }
    return wanted
  }
}

extension Document {
  var names: Names {
    Names(
      tests: tests.map(\.name), distros: distros.map(\.name), testTags: tests.map(\.tags),
      distroTags: distros.map(\.tags), families: distros.map(\.family))
  }
}

extension Cell {
  /// The cell's value of an axis; `nil` when its test has no such axis.
  func axisValue(_ name: String) -> String? {
    definition.axes.first { $0.name == name }.map { $0.values[$0.index(in: Int(combination))] }
  }
}

extension [String] {
  fileprivate var distinct: [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}
