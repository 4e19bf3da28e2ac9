import MusterDiagnostics
import Testing

@testable import MusterMatrix

struct VariableTests {
  static func script(_ text: String, vars: String = "{version: 1.2.0}") throws -> MaskedText {
    let quoted = text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
    let plan = try plan(
      """
      muster: 1
      vars: \(vars)
      secrets: [TOKEN]
      distros: {debian-12: {image: debian/12}}
      tests:
        works:
          axes: {locale: [tr_TR]}
          verify: [{run: '\(quoted)'}]
      """)
    guard case .run(let run) = plan.cells[0].resolved().phases[0].steps[0].action else { return "" }
    return run.script
  }

  @Test(
    arguments: [
      ("greeter ${version}", "greeter 1.2.0"),
      ("${version}${version}", "1.2.01.2.0"),
      ("${locale} ${distro} ${test} ${family} ${cpu}", "tr_TR debian-12 works debian x86_64"),
      ("${cell}", "works[locale=tr_TR]@debian-12"),
      ("$${version}", "${version}"),
      ("$$${version}", "$${version}"),
      ("$$ $HOME $(id) $version {version} $", "$$ $HOME $(id) $version {version} $"),
      ("$${x:-y} $${#a}", "${x:-y} ${#a}"),
      ("${TOKEN}", "${TOKEN}"),
      ("ü${version}ü", "ü1.2.0ü"),
    ] as [(String, String)])
  func expands(_ text: String, _ expected: String) throws {
    #expect(try Self.script(text).description == expected)
  }

  @Test func keepsSecretsApart() throws {
    #expect(
      try Self.script("curl -H ${TOKEN}$${TOKEN} ${version}").segments == [
        .text("curl -H "), .secret("TOKEN"), .text("${TOKEN} 1.2.0"),
      ])
    #expect(
      try Self.script("${auth} ${distro}", vars: "{auth: 'Bearer ${TOKEN}'}").segments == [
        .text("Bearer "), .secret("TOKEN"), .text(" debian-12"),
      ])
  }

  @Test func readsVariablesOfVariablesInAnyOrder() throws {
    #expect(try Self.script("${a}", vars: "{a: '${b}-${c}', b: '${c}', c: 24.10}").description == "24.10-24.10")
    #expect(try Self.script("${where}", vars: "{where: '${distro}/${cpu}'}").description == "debian-12/x86_64")
    #expect(try Self.script("${a} ${b} ${c}", vars: "{a: no, b: 1e3, c: 0755}").description == "no 1e3 0755")
  }

  @Test func tellsOfCircles() throws {
    let file = try read(
      """
      muster: 1
      vars:
        a: ${b}
        b: x${c}
        c: "${a}"
        d: ${d}
        e: fine
      distros: {debian-12: {image: debian/12}}
      tests: {works: {verify: [{run: "echo ${a} ${e}"}]}}
      """)
    #expect(
      file.diagnostics.map(\.line) == [
        "m.yaml:5:7-11 error: the variable 'a' needs itself; hint: write its value out",
        "m.yaml:6:6-10 error: the variable 'd' needs itself; hint: write its value out",
      ])
  }

  @Test func findsThePlaceInEveryKindOfScalar() throws {
    let file = try read(
      """
      muster: 1
      distros: {debian-12: {image: debian/12}}
      tests:
        works:
          verify:
            - run: echo ${a}
            - run: "tab\\t\\"${b}\\""
            - run: 'it''s ${c}'
            - run: |
                first
                  ünd ${d} $${d} ${d}
            - run: >-
                folded
                text ${e}
            - run: plain
                over lines ${f}
            - run: "\\x24{g}"
      """)
    #expect(
      file.diagnostics.map(\.line).map { $0.prefix { $0 != ";" } } == [
        "m.yaml:6:19-23 error: unknown variable 'a'",
        "m.yaml:7:22-26 error: unknown variable 'b'",
        "m.yaml:8:21-25 error: unknown variable 'c'",
        "m.yaml:11:17-21 error: unknown variable 'd'",
        "m.yaml:11:28-32 error: unknown variable 'd'",
        "m.yaml:14:16-20 error: unknown variable 'e'",
        "m.yaml:16:22-26 error: unknown variable 'f'",
        "m.yaml:17:14-23 error: unknown variable 'g'",
      ])
  }

  @Test func refusesVariablesThatGrowWithoutEnd() throws {
    var vars = "  v0: 0123456789abcdef\n"
    for number in 1...30 { vars += "  v\(number): ${v\(number - 1)}${v\(number - 1)}\n" }
    let file = try read("muster: 1\nvars:\n\(vars)distros: {d: {image: arch}}\ntests: {t: {verify: [run: x]}}\n")
    #expect(file.diagnostics.map(\.message) == ["the text is longer than 1M with its variables in place"])
  }

  @Test func refusesVariablesThatGoTooDeep() throws {
    let vars = (0..<5000).map { "  v\($0): x${v\($0 + 1)}\n" }.joined()
    let file = try read(
      "muster: 1\nvars:\n\(vars)  v5000: x\ndistros: {d: {image: arch}}\ntests: {t: {verify: [run: x]}}\n")
    #expect(file.diagnostics.first?.message == "more than 64 variables need each other in a row")
  }
}
