import MusterCatalog

/// Everything that a selector may speak of.
struct Names: Sendable {
  var tests: [String]
  var distros: [String]
  var testTags: [[String]]
  var distroTags: [[String]]
  var families: [Family?]
  private var testNumbers: [String: Int] = [:]
  private var distroNumbers: [String: Int] = [:]
  private(set) var tags: Set<String> = []

  init(
    tests: [String], distros: [String], testTags: [[String]] = [], distroTags: [[String]] = [],
    families: [Family?] = []
  ) {
    self.tests = tests
    self.distros = distros
    self.testTags = testTags
    self.distroTags = distroTags
    self.families = families
    testNumbers.reserveCapacity(tests.count)
    for (number, name) in tests.enumerated() { testNumbers[name] = number }
    for (number, name) in distros.enumerated() { distroNumbers[name] = number }
    for list in testTags where !list.isEmpty { tags.formUnion(list) }
    for list in distroTags where !list.isEmpty { tags.formUnion(list) }
  }

  func test(_ name: String) -> Int? { testNumbers[name] }
  func distro(_ name: String) -> Int? { distroNumbers[name] }
}

/// What a plain name in a selector is the name of.
enum SelectorDomain {
  case distros
  case tests
  /// A test or a distro.
  case either
  /// On the command line: a test, or a cell.
  case testsAndCells
  /// On the command line: a test, a distro, or a cell.
  case anything
  /// On the command line: a tag.
  case tags

  var namesCells: Bool { self == .testsAndCells || self == .anything }
  var namesTests: Bool { self != .distros && self != .tags }
  var namesDistros: Bool { self == .distros || self == .either || self == .anything }

  /// What has the name, in words.
  var noun: String {
    switch self {
    case .distros: "distro"
    case .tests, .testsAndCells: "test"
    case .either, .anything: "test or distro"
    case .tags: "tag"
    }
  }
}
