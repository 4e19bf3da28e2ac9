import MusterCatalog
import MusterDiagnostics
import MusterYAML

extension DecodedMatrix {
  /// The cells of the document, in the order of `Plan.cells`.
  func cells() -> [Cell] {
    let exclusions = RuleIndex(document.exclusions, document.tests)
    let expectations = RuleIndex(document.expectedFailures, document.tests)
    var cells: [Cell] = []
    cells.reserveCapacity(document.cellCount)
    // A test is never taken out of the array: that would copy it, for each distro.
    let tests = document.tests
    for distro in document.distros.indices {
      for number in tests.indices where tests[number].distros.contains(distro) {
        for combination in 0..<tests[number].combinations {
          cells.append(
            Cell(
              document: document, testNumber: Int32(number), distroNumber: Int32(distro),
              combination: Int32(combination),
              exclusion: exclusions.first(number, tests, distro, combination),
              expectation: expectations.first(number, tests, distro, combination)))
        }
      }
    }
    return cells
  }

  /// Steps on the host see the matrix's environment, and secrets, but no cell.
  func setupSteps(in directory: String) -> [Step] {
    let shared = document.defaults.environment.filter { $0.value.isKnownWithoutCell }
    return setup.compactMap { step in
      guard case .run(let run) = step.action else { return nil }
      let mask = { (template: Template) in template.masked { if case .text(let text) = $0 { text } else { "" } } }
      let expectations = { (all: [StepTemplate.Expected]) in
        all.map { Expectation(kind: $0.kind, text: mask($0.text), location: $0.span.location) }
      }
      var timeout: Duration?
      if case .fixed(let value)? = step.details?.timeout ?? document.defaults.stepTimeout { timeout = value }
      return Step(
        action: .run(
          RunStep(
            script: mask(run.script), shell: run.shell, exit: run.exit, stdout: expectations(run.stdout),
            stderr: expectations(run.stderr))),
        title: step.title(outsideCells: { mask($0).description }), location: step.span.location,
        directory: MaskedText(
          step.details?.directory.map { Path.absolute(mask($0).description, in: directory) } ?? directory),
        environment: VariableTemplate.merged([shared, step.details?.environment ?? []]).map {
          EnvironmentVariable(name: $0.name, value: mask($0.value))
        },
        timeout: timeout, retry: step.details?.retry ?? Retry())
    }
  }
}

extension Document {
  /// How many cells there are, up to one more than there may be.
  var cellCount: Int {
    var count = 0
    for index in tests.indices {
      let (cells, overflow) = tests[index].combinations.multipliedReportingOverflow(by: tests[index].distros.count)
      if overflow || cells > Plan.cellLimit { return Plan.cellLimit + 1 }
      count += cells
      if count > Plan.cellLimit { return Plan.cellLimit + 1 }
    }
    return count
  }
}

extension Template {
  fileprivate var isKnownWithoutCell: Bool {
    parts.allSatisfy { if case .builtIn = $0 { false } else { true } }
  }
}

/// Which rules may speak of the cells of each test.
private struct RuleIndex {
  private let rules: [Rule]
  private let byTest: [[Int32]]

  init(_ rules: [Rule], _ tests: [Test]) {
    self.rules = rules
    byTest =
      rules.isEmpty
      ? []
      : tests.enumerated().map { number, test in
        rules.indices.filter { rules[$0].concerns(test, number) }.map { Int32($0) }
      }
  }

  /// The first rule that means a cell; -1 for none.
  func first(_ number: Int, _ tests: [Test], _ distro: Int, _ combination: Int) -> Int32 {
    if byTest.isEmpty { return -1 }
    return byTest[number].first { rules[Int($0)].holds(tests[number], distro: distro, combination: combination) } ?? -1
  }
}
