import CustomDump
import MusterCatalog
import MusterDiagnostics
import MusterMatrix
import Testing

@testable import MusterChannels

/// The very commands of each step and family, as text.
@Suite struct GoldenTests {
  private let here = Location(file: "m.yaml", line: 1, column: 1)

  @Test(arguments: Family.allCases)
  func install(family: Family) {
    let script = InstallStep(packages: ["git", "it's"]).script(for: family)
    #expect(diff(script.script, Goldens.install[family]) == nil)
    #expect(script.shell == ["sh", "-e"])
  }

  @Test(arguments: Family.allCases)
  func package(family: Family) {
    let script = CheckStep.package(name: "greeter", version: "1.2.0").script(for: family)
    #expect(diff(script.script, Goldens.package[family]) == nil)
    #expect(script.facts == [Fact("package", equals: "installed"), Fact("version", version: "1.2.0")])
  }

  @Test(arguments: Goldens.checks.keys.sorted())
  func checks(name: String) throws {
    let (check, text) = try #require(Goldens.checks[name])
    for family in Family.allCases { #expect(diff(check.script(for: family).script, text) == nil) }
  }

  /// What is explained is what is executed.
  @Test(arguments: Family.allCases)
  func explanation(family: Family) {
    let install = InstallStep(packages: ["git"])
    let step = Step(action: .install(install), title: "install git", location: here)
    #expect(step.explanation(for: family).joined(separator: "\n") == install.script(for: family).script)
    let run = Step(
      action: .run(RunStep(script: MaskedText(segments: [.text("echo "), .secret("TOKEN"), .text("\nexit 1")]))),
      title: "run", location: here, user: "greeter", directory: "/srv")
    #expect(run.explanation(for: family) == ["# as greeter, in /srv", "echo ${TOKEN}", "exit 1"])
  }
}
