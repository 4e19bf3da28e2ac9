import MusterDiagnostics
import Testing

@testable import MusterMatrix

/// `cache` on the first steps of `provision`, and `start`.
@Suite struct CacheTests {
  private func matrix(_ distro: String, _ test: String, _ more: String = "") -> String {
    """
    muster: 1
    secrets: [TOKEN]
    \(more)
    distros:
      d:
        image: debian/12
        provision: [\(distro)]
    tests:
      t:
        provision: [\(test)]
        verify: [run: x]
        \(more.isEmpty ? "" : "tags: [x]")
    """
  }

  @Test func theFirstStepsOfBothAreKept() throws {
    let text = matrix(
      "{install: [curl], cache: true}", "{copy: {from: a, to: /a}, cache: 2h}, {run: b, cache: false}, {run: c}")
    let kept = try plan(text).cells[0].resolved().keptSteps
    #expect(kept.map(\.step.title) == ["install curl", "copy a to /a"])
    #expect(kept.map(\.lifetime) == [.seconds(86_400), .seconds(7200)])
    #expect(kept.map(\.isSaved) == [true, true])
  }

  /// Machines are saved where a distro's steps end, and at the end.
  @Test func whereMachinesAreSaved() throws {
    let text = matrix(
      "{run: a, cache: 1h}, {run: b, cache: 2h}", "{run: c, cache: true}, {run: d, cache: true}, {run: e}")
    let kept = try plan(text).cells[0].resolved().keptSteps
    #expect(kept.map(\.isSaved) == [false, true, false, true])
    #expect(kept.allSatisfy { $0.lifetime == .seconds(3600) })
    let mixed = matrix("{run: a, cache: true}, {run: b}", "")
    #expect(try plan(mixed).cells[0].resolved().keptSteps.map(\.isSaved) == [true])
  }

  @Test func aStepBetweenEndsIt() throws {
    let text = matrix("{install: [curl], cache: true}, {run: a}", "{run: b, cache: true}")
    #expect(try plan(text).cells[0].resolved().keptSteps.map(\.lifetime) == [.seconds(86_400)])
  }

  /// Secrets of the whole matrix are seen by all steps; a machine that boots has nothing to go on from.
  @Test func someKeepNothing() throws {
    let step = "{run: a, cache: true}"
    #expect(try plan(matrix(step, step)).cells[0].resolved().keptSteps.count == 2)
    #expect(try plan(matrix(step, step, "env: {T: \"${TOKEN}\"}")).cells[0].resolved().keptSteps.isEmpty)
    #expect(try plan(matrix(step, step, "start: cold")).cells[0].resolved().keptSteps.isEmpty)
  }

  @Test func howMachinesStart() throws {
    let text = """
      muster: 1
      start: cold
      distros: {a: {image: arch}, b: {image: arch, start: warm}}
      tests:
        s: {verify: [run: x]}
        t: {verify: [run: x], start: cold}
      """
    #expect(try plan(text).cells.map { $0.resolved().start } == [.cold, .cold, .warm, .cold])
  }

  struct Mistake: Sendable, CustomTestStringConvertible {
    var distro: String
    var test: String
    var told: String
    var testDescription: String { told }
  }

  static let mistakes = [
    Mistake(
      distro: "", test: "{run: a}, {run: b, cache: true}",
      told:
        "a step is only kept behind kept ones; hint: write it before those that are not, or add 'cache: true' to them"
        + "; note at 10:18: this one is not"),
    Mistake(
      distro: "{run: \"a ${TOKEN}\", cache: true}", test: "",
      told: "what a step does that sees a secret is never kept; hint: leave 'cache' out"),
    Mistake(
      distro: "{run: a, env: {T: \"${TOKEN}\"}, cache: true}", test: "",
      told: "what a step does that sees a secret is never kept; hint: leave 'cache' out"),
    Mistake(
      distro: "{install: [a], cache: maybe}", test: "",
      told: "'maybe' is not a duration; hint: write a number and a unit (ms, s, m, h, d), such as 90s or 1h30m"),
    Mistake(
      distro: "", test: "{apt: {file: a.deb}, cache: true}",
      told: "'cache' goes with 'run', not with 'apt'; hint: what 'run', 'install' and 'copy' do can be kept"),
    Mistake(
      distro: "{reboot: , cache: true}", test: "",
      told: "'cache' goes with 'run', not with 'reboot'; hint: what 'run', 'install' and 'copy' do can be kept"),
  ]

  @Test(arguments: mistakes) func aMistakeIsTold(_ mistake: Mistake) throws {
    let file = try read(matrix(mistake.distro, mistake.test))
    #expect(file.diagnostics.map { String($0.line.split(separator: "error: ").last ?? "") } == [mistake.told])
  }

  @Test func onlyInProvision() throws {
    let file = try read(
      """
      muster: 1
      distros: {d: {image: debian/12}}
      setup: [{run: a, cache: true}]
      tests: {t: {verify: [{run: a, cache: true}]}}
      """)
    let told = "only what is done first in 'provision' can be kept; hint: leave 'cache' out, or move the step"
    #expect(file.diagnostics.map { String($0.line.split(separator: "error: ").last ?? "") } == [told, told])
  }
}
