import MusterCatalog

/// Turns items as written into a selector, and tells every name in them that does not exist.
struct SelectorCompiler {
  var names: Names
  var domain: SelectorDomain
  /// Patterns met before: many items of a large matrix say the same.
  private var known: [SelectorSyntax.Term: Selector.Member] = [:]

  init(names: Names, domain: SelectorDomain) {
    self.names = names
    self.domain = domain
  }

  /// Adds an item to `selector`; what is wrong with it goes to `report`.
  mutating func add(_ text: String, to selector: inout Selector, report: (SelectorProblem) -> Void) {
    do throws(SelectorProblem) {
      let syntax = try SelectorSyntax(text, namesCells: domain.namesCells)
      var factors: [Selector.Factor] = []
      var isWhole = true
      for factor in syntax.factors {
        do throws(ValueProblem) {
          let member = try member(factor.term)
          factors.append(Selector.Factor(negated: factor.negated, member: member))
          if case .several(let tests, let distros) = member, tests.isEmpty, distros.isEmpty,
            !isFamily(factor.term)
          {
            report(
              SelectorProblem(
                message: "\(quoted(factor.text)) matches no \(domain.noun)", isWarning: true, offset: factor.offset,
                length: factor.length))
          }
        } catch {
          isWhole = false
          report(
            SelectorProblem(
              message: error.message, hint: error.hint, offset: factor.offset, length: factor.length))
        }
      }
      guard isWhole else { return }
      if syntax.isRemoval { selector.removals.append(factors) } else { selector.additions.append(factors) }
    } catch {
      report(error)
    }
  }

  private mutating func member(_ term: SelectorSyntax.Term) throws(ValueProblem) -> Selector.Member {
    if case .all = term { return .all }
    if case .name(let name) = term, domain != .tags, !Glob.isPattern(name) { return try one(name) }
    if let member = known[term] { return member }
    let member = try newMember(term)
    known[term] = member
    return member
  }

  private func newMember(_ term: SelectorSyntax.Term) throws(ValueProblem) -> Selector.Member {
    switch term {
    case .all: return .all
    case .name(let name):
      if domain == .tags { return try tagged(name) }
      let glob = try Glob(name)
      return .several(
        tests: tests { domain.namesTests && glob.matches(names.tests[$0]) },
        distros: distros { domain.namesDistros && glob.matches(names.distros[$0]) })
    case .tag(let name): return try tagged(name)
    case .family(let name):
      guard domain != .tests else {
        throw ValueProblem("a test is of no family", hint: "choose by family among distros")
      }
      let glob = try Glob(name)
      let known = Family.allCases.map(\.rawValue)
      guard known.contains(where: glob.matches) else {
        throw ValueProblem(
          "unknown family \(quoted(name))", hint: Nearest.hint(name, among: known, listing: "the families are"))
      }
      return .several(
        tests: tests { _ in false },
        distros: distros { names.families[$0].map { glob.matches($0.rawValue) } ?? false })
    case .cell(let test, let axes, let distro):
      return .cell(
        tests: try set(test, among: names.tests, names.test, noun: "test"), axes: axes,
        distros: try set(distro, among: names.distros, names.distro, noun: "distro"))
    }
  }

  /// The tests of which it holds; none where selectors are not asked about tests.
  private func tests(_ isMember: (Int) -> Bool) -> Bits {
    domain == .distros ? Bits(count: 0) : Bits(count: names.tests.count, where: isMember)
  }

  private func distros(_ isMember: (Int) -> Bool) -> Bits {
    domain == .tests ? Bits(count: 0) : Bits(count: names.distros.count, where: isMember)
  }

  private func one(_ name: String) throws(ValueProblem) -> Selector.Member {
    let test = domain.namesTests ? names.test(name) : nil
    let distro = domain.namesDistros ? names.distro(name) : nil
    guard test != nil || distro != nil else {
      // A name that was refused is not to be offered.
      let candidates = ((domain.namesTests ? names.tests : []) + (domain.namesDistros ? names.distros : []))
        .filter(PlainValues.isName)
      var hint = Nearest.question(name, among: candidates)
      if hint == nil, Family(rawValue: name) != nil { hint = "write family:\(name) for the family" }
      if hint == nil, names.tags.contains(name) { hint = "write tag:\(name) for the tag" }
      hint = hint ?? Nearest.hint(name, among: candidates, listing: "there are")
      throw ValueProblem("there is no \(domain.noun) \(quoted(name))", hint: hint)
    }
    return .one(test: test ?? -1, distro: distro ?? -1)
  }

  private func tagged(_ name: String) throws(ValueProblem) -> Selector.Member {
    let glob = try Glob(name)
    if !Glob.isPattern(name), !names.tags.contains(name) {
      throw ValueProblem(
        "nothing has the tag \(quoted(name))",
        hint: Nearest.hint(name, among: names.tags.sorted(), listing: "the tags are"))
    }
    let matches = Glob.isPattern(name) ? glob.matches : { $0 == name }
    return .several(
      tests: tests { names.testTags[$0].contains(where: matches) },
      distros: distros { names.distroTags[$0].contains(where: matches) })
  }

  private func set(
    _ pattern: String, among all: [String], _ number: (String) -> Int?, noun: String
  ) throws(ValueProblem) -> Bits {
    if let number = number(pattern) {
      var bits = Bits(count: all.count)
      bits.insert(number)
      return bits
    }
    guard Glob.isPattern(pattern) else {
      throw ValueProblem(
        "there is no \(noun) \(quoted(pattern))", hint: Nearest.hint(pattern, among: all, listing: "there are"))
    }
    let glob = try Glob(pattern)
    return Bits(count: all.count) { glob.matches(all[$0]) }
  }

  private func isFamily(_ term: SelectorSyntax.Term) -> Bool {
    if case .family = term { true } else { false }
  }
}
