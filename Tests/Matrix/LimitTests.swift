import MusterDiagnostics
import Testing

@testable import MusterMatrix

/// Files that ask for too much, and those that ask for a lot.
struct LimitTests {
  static let distro = "muster: 1\ndistros: {d: {image: arch}}\n"

  @Test func refusesAxesThatMultiplyWithoutEnd() throws {
    let values = (0..<100).map(String.init).joined(separator: ", ")
    let axes = (0..<20).map { "a\($0): [\(values)]" }.joined(separator: ", ")
    let file = try read(Self.distro + "tests: {t: {axes: {\(axes)}, verify: [run: x]}}\n")
    #expect(file.diagnostics.map(\.message) == ["these axes make more than 1000000 cells on each distro"])
  }

  @Test func refusesMoreCellsThanAnyoneRuns() throws {
    let distros = (0..<1100).map { "  d\($0): {image: arch}\n" }.joined()
    let tests = (0..<1000).map { "  t\($0): {verify: [run: x]}\n" }.joined()
    let file = try read("muster: 1\ndistros:\n\(distros)tests:\n\(tests)")
    #expect(
      file.diagnostics.map(\.line) == [
        "m.yaml:1:1-1 error: the matrix makes more than 1000000 cells; hint: use fewer axes, or several matrices"
      ])
  }

  @Test func tellsOnlySoManyMistakes() throws {
    let steps = (0..<2000).map { "      - run: echo ${v\($0)}\n" }.joined()
    let file = try read(Self.distro + "tests:\n  t:\n    verify:\n" + steps)
    #expect(file.diagnostics.count == 501)
    #expect(file.diagnostics.last?.message == "these are 500 mistakes, and no more are told")
  }

  @Test func plansManyCells() throws {
    let distros = (0..<300).map { "  d\($0): {image: arch, tags: [t\($0 % 7)]}\n" }.joined()
    let tests = (0..<100).map { "  t\($0): {verify: [{run: \"x ${distro}\"}]}\n" }.joined()
    let plan = try plan("muster: 1\ndistros:\n\(distros)tests:\n\(tests)exclude: [{distro: tag:t3, reason: r}]\n")
    #expect(plan.cells.count == 30_000)
    #expect(plan.cells.count { $0.excluded != nil } == 4_300)
    #expect(plan.cells.last?.resolved().phases[0].steps[0].title == "run x d299")
    #expect(try plan.selecting(Selection(tests: ["t1?@d2*"], distros: ["tag:t0"])).cells.count == 160)
  }
}
