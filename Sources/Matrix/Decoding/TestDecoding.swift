import MusterCatalog
import MusterDiagnostics
import MusterYAML

extension MatrixDecoder {
  private static let testKeys = ["distros", "tags", "axes", "machines", "provision", "verify", "lifecycle"]

  /// The tags of each test, and which axes there are: what other texts may speak of before any test is read.
  func outline(_ tests: Mapping) -> [[String]] {
    let entries = tests.entries
    return entries.indices.map { index in
      guard case .mapping(let mapping) = entries[index].value.content else { return [] }
      var tags: [String] = []
      for place in mapping.entries.indices {
        switch mapping.entries[place].key {
        case "tags": tags = self.tags(mapping.entries[place].value)
        case "axes":
          guard case .mapping(let axes) = mapping.entries[place].value.content else { continue }
          for axis in axes.entries where variables.axes[axis.key] == nil {
            variables.axes[axis.key] = entries[index].key
          }
        case "lifecycle" where Self.makesCells(mapping.entries[place].value):
          variables.axes[Lifecycle.Course.axis] = entries[index].key
        default: break
        }
      }
      return tags
    }
  }

  /// The key `tests`.
  func tests(_ mapping: Mapping, _ tags: [[String]], _ names: Names) -> [Test] {
    var chooser = DistroChooser(names: names)
    var tests: [Test] = []
    tests.reserveCapacity(mapping.entries.count)
    for (number, entry) in mapping.entries.enumerated() {
      _ = isName(entry, "a test")
      guard let mapping = self.mapping(entry.value, "a test", hint: "write {verify: [{run: …}]}") else { continue }
      tests.append(test(entry, mapping, tags[number], number, &chooser))
    }
    return tests
  }

  private func test(
    _ entry: Mapping.Entry, _ mapping: Mapping, _ tags: [String], _ number: Int, _ chooser: inout DistroChooser
  ) -> Test {
    var test = Test(
      name: entry.key, span: entry.keySpan, tags: tags, distros: chooser.all, axes: [], settings: Settings(),
      provision: [], verify: [])
    if let node = mapping["axes"] { test.axes = axes(node) }
    if let node = mapping["machines"] { test.machines = machines(node, Scope(axes: test.axes)) }
    let scope = Scope(axes: test.axes, machines: test.machines.map(\.name))
    for entry in mapping.entries {
      switch entry.key {
      case "distros": test.distros = distros(entry.value, &chooser)
      case "tags", "axes", "machines", "lifecycle": break
      case "provision": test.provision = provision(entry.value, scope)
      case "verify": test.verify = steps(entry.value, "'verify'", scope)
      default:
        if !takeSetting(entry, into: &test.settings, scope) {
          reportUnknown(entry, in: "a test", known: Self.testKeys + Self.settingsKeys)
        }
      }
    }
    if let entry = mapping.entries.first(where: { $0.key == "lifecycle" }) {
      test.lifecycle = lifecycle(entry, of: test, number, chooser.compiler.names, scope)
      if let courses = test.lifecycle?.courses, courses.count > 1 {
        test.axes = Axis.strided(test.axes + [Axis(name: Lifecycle.Course.axis, values: courses.map(\.rawValue))])
      }
    }
    if ["verify", "provision"].allSatisfy({ isNoSteps(mapping, $0) }) {
      report("the test '\(test.name)' does nothing", at: entry.keySpan, hint: "add 'verify' with a list of steps")
    }
    if Self.needsPackageCheck(test.provision) {
      checkPackages(test.provision, on: test.distros, number, chooser.compiler.names)
    }
    if Self.needsPackageCheck(test.verify) {
      checkPackages(test.verify, on: test.distros, number, chooser.compiler.names)
    }
    return test
  }

  /// Whether a list of steps is empty or not there, and nothing is told of it already.
  private func isNoSteps(_ mapping: Mapping, _ key: String) -> Bool {
    guard let node = mapping[key] else { return lacks(mapping, key, known: Self.testKeys + Self.settingsKeys) }
    if case .sequence(let nodes) = node.content { return nodes.isEmpty }
    return false
  }

  private func distros(_ node: Node, _ chooser: inout DistroChooser) -> Bits {
    let key = DistroChooser.key(node)
    if let key, let known = chooser.known[key] { return known }
    let before = diagnostics.count
    guard let selector = selector(node, "'distros'", &chooser.compiler) else { return chooser.none }
    let count = chooser.compiler.names.distros.count
    let chosen = Bits(count: count) { selector.contains(test: -1, distro: $0) }
    if diagnostics.count == before {
      // Where there are none at all, that is told.
      if chosen.isEmpty, count > 0 { report("this chooses no distro", at: node.span, severity: .warning) }
      if let key { chooser.known[key] = chosen }
    }
    return chosen
  }

  /// Whether some package of these steps may be without a name.
  static func needsPackageCheck(_ steps: [StepTemplate]) -> Bool {
    steps.indices.contains { index in
      switch steps[index].action {
      case .install, .check(.package): steps[index].action.packages.contains { $0.isPartial }
      case .channel: true
      default: false
      }
    }
  }

  /// Tells where a package has no name for the family of a distro that it is installed on.
  func checkPackages(_ steps: [StepTemplate], on distros: Bits, _ number: Int, _ names: Names) {
    for step in steps {
      if case .channel(let channel) = step.action { checkFamily(of: channel.channel, step, on: distros, number, names) }
      for package in step.action.packages {
        guard case .perFamily(let package) = package else { continue }
        let missing = names.distros.indices.first { distro in
          distros.contains(distro) && (step.when?.contains(test: number, distro: distro) ?? true)
            && !(names.families[distro].map(package.knows) ?? true)
        }
        if let missing, let family = names.families[missing] {
          report(
            "no name of this package for the family '\(family.rawValue)', which '\(names.distros[missing])' is of",
            at: package.span,
            hint: "add '\(family.rawValue): NAME', or '\(family.rawValue):' with nothing if it needs none")
        }
      }
    }
  }
}

extension MatrixDecoder {
  /// Tells where a distro has no such channel.
  private func checkFamily(
    of channel: ChannelStep.Channel, _ step: StepTemplate, on distros: Bits, _ number: Int, _ names: Names
  ) {
    let wrong = names.distros.indices.first { distro in
      distros.contains(distro) && (step.when?.contains(test: number, distro: distro) ?? true)
        && !(names.families[distro].map(channel.families.contains) ?? true)
    }
    guard let wrong, let family = names.families[wrong] else { return }
    let families = channel.families.map { "family:\($0.rawValue)" }.joined(separator: ", ")
    report(
      "'\(channel.rawValue)' is no channel of the family '\(family.rawValue)', which '\(names.distros[wrong])' is of",
      at: step.span, hint: "choose its distros by 'distros: [\(families)]', or the step's by 'when'")
  }
}

extension StepTemplate.Action {
  fileprivate var packages: [StepTemplate.Package] {
    switch self {
    case .install(let packages): packages
    case .check(.package(let package, _)): [package]
    default: []
    }
  }
}

/// Chooses the distros of tests; many tests say the same, and share the answer.
struct DistroChooser {
  var compiler: SelectorCompiler
  var known: [String: Bits] = [:]
  let all: Bits
  let none: Bits

  init(names: Names) {
    compiler = SelectorCompiler(names: names, domain: .distros)
    all = Bits(count: names.distros.count) { _ in true }
    none = Bits(count: names.distros.count)
  }

  /// What a selector says, as one text.
  static func key(_ node: Node) -> String? {
    switch node.content {
    case .scalar(let scalar): return scalar.text
    case .sequence(let nodes):
      var key = ""
      for node in nodes {
        guard case .scalar(let scalar) = node.content else { return nil }
        key += scalar.text
        key += "\n"
      }
      return key
    case .mapping: return nil
    }
  }
}
