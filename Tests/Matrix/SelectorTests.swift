import MusterCatalog
import Testing

@testable import MusterMatrix

struct SelectorTests {
  static let names = Names(
    tests: ["appimage", "apt", "rpm", "sizes"],
    distros: ["debian-12", "debian-13", "ubuntu-24.04", "fedora-44", "arch"],
    testTags: [["quick"], [], [], ["slow"]],
    distroTags: [["old"], ["new"], ["lts", "new"], ["new"], []],
    families: [.debian, .debian, .debian, .fedora, .arch])

  static func compile(
    _ items: [String], _ domain: SelectorDomain
  ) -> (selector: Selector, problems: [SelectorProblem]) {
    var compiler = SelectorCompiler(names: names, domain: domain)
    var selector = Selector()
    var problems: [SelectorProblem] = []
    for item in items { compiler.add(item, to: &selector) { problems.append($0) } }
    return (selector, problems)
  }

  @Test(
    arguments: [
      (["all"], ["debian-12", "debian-13", "ubuntu-24.04", "fedora-44", "arch"]),
      (["arch", "fedora-44"], ["fedora-44", "arch"]),
      (["debian-*"], ["debian-12", "debian-13"]),
      (["family:debian"], ["debian-12", "debian-13", "ubuntu-24.04"]),
      (["tag:new & family:debian"], ["debian-13", "ubuntu-24.04"]),
      (["tag:new & not family:debian"], ["fedora-44"]),
      (["not arch"], ["debian-12", "debian-13", "ubuntu-24.04", "fedora-44"]),
      (["not debian-12", "family:debian"], ["debian-13", "ubuntu-24.04"]),
      (["family:debian", "not tag:new", "arch"], ["debian-12", "arch"]),
      (["all", "not all"], []),
      (["not not arch"], ["arch"]),
      (["*-[14][24]"], ["debian-12", "fedora-44"]),
      (["??????-1[!3]"], ["debian-12"]),
      (["not family:debian & not arch"], ["fedora-44"]),
    ] as [([String], [String])])
  func choosesDistros(_ items: [String], _ expected: [String]) {
    let (selector, problems) = Self.compile(items, .distros)
    #expect(problems.map(\.message) == [])
    let chosen = Self.names.distros.indices.filter { selector.contains(test: -1, distro: $0) }
    #expect(chosen.map { Self.names.distros[$0] } == expected)
  }

  @Test(
    arguments: [
      ("debian-21", "there is no distro 'debian-21'", "did you mean 'debian-12'?", 0, 9),
      (
        "arch & debain-12", "there is no distro 'debain-12'", "did you mean 'debian-12'?", 7, 9
      ),
      ("debian", "there is no distro 'debian'", "write family:debian for the family", 0, 6),
      ("lts", "there is no distro 'lts'", "write tag:lts for the tag", 0, 3),
      ("tag:lst", "nothing has the tag 'lst'", "did you mean 'lts'?", 0, 7),
      ("family:debain", "unknown family 'debain'", "did you mean 'debian'?", 0, 13),
      ("tags:lts", "unknown kind of selector 'tags:'", "did you mean 'tag'?", 0, 8),
      (
        "arch debian-12", "two names side by side in a selector",
        "write a list for either of them, or 'a & b' for both", 5, 9
      ),
      ("arch,debian-12", "a comma in a selector", "write a list, or repeat the option", 0, 14),
      ("arch &", "a side of '&' that is empty", "write a name, a glob, family:…, tag:… or all", 6, 0),
      ("arch & not", "'not' of nothing", "write a name, a glob, family:…, tag:… or all", 6, 4),
      ("", "a selector that is empty", "write a name, a glob, family:…, tag:… or all", 0, 0),
      ("deb[ian", "the '[' of 'deb[ian' is not closed", "write a set as [abc] or [a-z]", 0, 7),
    ] as [(String, String, String?, Int, Int)])
  func tellsMistakes(_ item: String, _ message: String, _ hint: String?, _ offset: Int, _ length: Int) throws {
    let problem = try #require(Self.compile([item], .distros).problems.first)
    #expect(problem.message == message)
    #expect(problem.hint == hint)
    #expect((problem.offset, problem.length) == (offset, length))
    #expect(!problem.isWarning)
  }

  @Test func warnsOfPatternsThatMatchNothing() throws {
    let problem = try #require(Self.compile(["suse-*"], .distros).problems.first)
    #expect(problem.isWarning)
    #expect(problem.message == "'suse-*' matches no distro")
    #expect(Self.compile(["family:suse"], .distros).problems.isEmpty)
  }

  @Test func asksTestsAndDistrosTogether() {
    let (selector, problems) = Self.compile(["apt & family:debian", "tag:slow"], .either)
    #expect(problems.isEmpty)
    #expect(selector.contains(test: 1, distro: 0))
    #expect(!selector.contains(test: 1, distro: 3))
    #expect(selector.contains(test: 3, distro: 4))
  }

  @Test(arguments: 0..<64)
  func agreesWithAnOracle(_ seed: UInt64) {
    var random = Seeded(seed)
    for _ in 0..<50 {
      let items = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        (0..<Int.random(in: 1...3, using: &random)).map { _ in Oracle.factor(&random) }
      }
      let texts = items.map { $0.map(\.text).joined(separator: " & ") }
      let selector = Self.compile(texts, .either).selector
      for test in Self.names.tests.indices {
        for distro in Self.names.distros.indices {
          #expect(
            selector.contains(test: test, distro: distro) == Oracle.contains(items, test, distro), "\(texts)")
        }
      }
    }
  }
}

/// What selectors mean, said in the plainest way.
private enum Oracle {
  struct Factor {
    var text: String
    var isNegated: Bool
    var holds: (Int, Int) -> Bool
  }

  static func factor(_ random: inout Seeded) -> Factor {
    let names = SelectorTests.names
    let test = Int.random(in: names.tests.indices, using: &random)
    let distro = Int.random(in: names.distros.indices, using: &random)
    let (text, holds): (String, (Int, Int) -> Bool)
    switch Int.random(in: 0..<6, using: &random) {
    case 0: (text, holds) = ("all", { _, _ in true })
    case 1: (text, holds) = (names.tests[test], { one, _ in one == test })
    case 2: (text, holds) = (names.distros[distro], { _, one in one == distro })
    case 3:
      let family = Family.allCases.randomElement(using: &random) ?? .debian
      (text, holds) = ("family:\(family.rawValue)", { _, one in names.families[one] == family })
    case 4:
      let tag = ["old", "new", "lts", "quick", "slow"].randomElement(using: &random) ?? "old"
      (text, holds) = (
        "tag:\(tag)", { test, distro in names.testTags[test].contains(tag) || names.distroTags[distro].contains(tag) }
      )
    default:
      let start = String(names.distros[distro].prefix(Int.random(in: 1...4, using: &random)))
      (text, holds) = (
        start + "*", { test, distro in names.tests[test].hasPrefix(start) || names.distros[distro].hasPrefix(start) }
      )
    }
    let isNegated = Bool.random(using: &random)
    return Factor(text: isNegated ? "not \(text)" : text, isNegated: isNegated, holds: holds)
  }

  static func contains(_ items: [[Factor]], _ test: Int, _ distro: Int) -> Bool {
    let holds = { (item: [Factor]) in item.allSatisfy { $0.holds(test, distro) != $0.isNegated } }
    let positive = items.filter { $0.contains { !$0.isNegated } }
    let negative = items.filter { $0.allSatisfy(\.isNegated) }
    return (positive.isEmpty || positive.contains(where: holds)) && negative.allSatisfy(holds)
  }
}

struct GlobTests {
  @Test(arguments: 0..<32)
  func agreesWithBacktracking(_ seed: UInt64) throws {
    var random = Seeded(seed)
    for _ in 0..<200 {
      let pattern = (0..<Int.random(in: 0...6, using: &random)).map { _ in
        ["a", "b", "*", "?", "[ab]", "[!a]"].randomElement(using: &random) ?? "a"
      }
      let name = String(
        (0..<Int.random(in: 0...6, using: &random)).map { _ in ["a", "b", "c"].randomElement(using: &random) ?? "a" }
          .joined())
      let glob = try Glob(pattern.joined())
      #expect(glob.matches(name) == Self.matches(pattern[...], Array(name)[...]), "\(pattern) \(name)")
    }
  }

  static func matches(_ pattern: ArraySlice<String>, _ name: ArraySlice<Character>) -> Bool {
    guard let first = pattern.first else { return name.isEmpty }
    if first == "*" {
      return (0...name.count).contains { matches(pattern.dropFirst(), name.dropFirst($0)) }
    }
    guard let character = name.first else { return false }
    let fits =
      switch first {
      case "?": true
      case "[ab]": character == "a" || character == "b"
      case "[!a]": character != "a"
      default: String(character) == first
      }
    return fits && matches(pattern.dropFirst(), name.dropFirst())
  }

  @Test func staysQuickOnHostilePatterns() throws {
    let glob = try Glob(String(repeating: "a*", count: 2000) + "b")
    #expect(!glob.matches(String(repeating: "a", count: 4000)))
  }
}
