package import MusterMatrix

/// What a step becomes for a machine of a distro family: a script for its `sh`, and how to read what it prints.
package struct GuestScript: Sendable, Hashable {
  /// The very text that is executed. A secret in it is a variable of the environment.
  package var script: String
  /// The interpreter; the script stops at the first command that fails.
  package var shell = ["sh", "-e"]
  /// The names of the secrets that the script reads from its environment.
  package var secrets: [String]
  /// What the script prints on standard output as lines `name=value`, and what is expected of each.
  package var facts: [Fact]

  package init(_ script: String, secrets: [String] = [], facts: [Fact] = []) {
    self.script = script
    self.secrets = secrets
    self.facts = facts
  }

  /// One after the other.
  static func + (first: GuestScript, second: GuestScript) -> GuestScript {
    GuestScript(
      first.script + second.script, secrets: first.secrets + second.secrets, facts: first.facts + second.facts)
  }
}

/// One thing that a check finds out.
package struct Fact: Sendable, Hashable {
  package enum Comparison: Sendable, Hashable {
    case equals(MaskedText)
    /// A package's version, compared as `PackageVersion` says.
    case version(MaskedText)
  }

  /// What stands before the `=`.
  package var name: String
  package var expected: Comparison

  package init(_ name: String, equals text: MaskedText) {
    self.name = name
    expected = .equals(text)
  }

  package init(_ name: String, version: MaskedText) {
    self.name = name
    expected = .version(version)
  }

  /// Of a package that must be installed, in this version if one is given.
  /// - Parameter others: Further packages, which must be there in it too.
  static func installed(_ version: MaskedText?, others: some Sequence<String> = []) -> [Fact] {
    let versions = version.map { version in
      [Fact("version", version: version)] + others.map { Fact("version of \($0)", version: version) }
    }
    return [Fact("package", equals: "installed")] + (versions ?? [])
  }

  /// What is expected, secrets as `${NAME}`.
  package var expectedText: MaskedText {
    switch expected {
    case .equals(let text), .version(let text): text
    }
  }

  /// Whether the machine's value is what is expected, `reveal` giving each secret's value.
  package func holds(_ actual: String, reveal: (MaskedText) -> String) -> Bool {
    switch expected {
    case .equals(let text): actual == reveal(text)
    case .version(let text): PackageVersion.matches(installed: actual, wanted: reveal(text))
    }
  }
}

/// The answers of a check's script.
package struct CheckAnswers: Sendable, Hashable {
  /// The status by which a check's script says that it cannot find out, with the reason on standard error.
  package static let cannotTell = 69

  private var values: [String: String] = [:]

  /// Reads the lines `name=value` of the script's standard output.
  package init(_ output: String) {
    for line in output.split(separator: "\n") {
      guard let equals = line.firstIndex(of: "=") else { continue }
      values[String(line[..<equals])] = String(line[line.index(after: equals)...])
    }
  }

  /// The value of a fact; `nil` when the script did not say.
  package subscript(fact: Fact) -> String? { values[fact.name] }
}
