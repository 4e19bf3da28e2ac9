import Foundation
import MusterDiagnostics
import Testing

@testable import MusterMatrix

struct ExtendsTests {
  static let base = """
    muster: 1
    name: Base
    vars: {version: 1.0, tool: greeter}
    resources: {cpus: 1, memory: 1G}
    distros:
      debian-12: {image: debian/12, tags: [base]}
      debian-13: {image: debian/13, provision: [{copy: {from: setup.sh, to: /tmp/setup.sh}}]}
    exclude: [{distro: debian-13, reason: from the base}]
    """

  @Test func mergesByName() throws {
    let fixture = try Fixture([
      "shared/base.yaml": Self.base,
      "m.yaml": """
      muster: 1
      extends: shared/base.yaml
      name: Own
      vars: {version: 2.0}
      resources: {memory: 4G}
      distros:
        debian-12: {image: debian/12}
        arch: {image: arch}
      tests:
        works: {verify: [{run: "${tool} ${version}"}]}
      exclude: [{distro: arch, reason: own}]
      """,
    ])
    let plan = try #require(fixture.read().plan())
    #expect(plan.name == "Own")
    #expect(plan.cells.map(\.name) == ["works@debian-12", "works@debian-13", "works@arch"])
    #expect(plan.cells.map { $0.excluded?.reason } == [nil, nil, "own"])
    let cells = plan.cells.map { $0.resolved() }
    #expect(cells[0].resources == Resources(cpus: 1, memory: 4 << 30, disk: 10 << 30))
    #expect(cells[0].tags == [])
    #expect(cells[0].phases[0].steps[0].title == "run greeter 2.0")
    guard case .copy(let copy) = cells[1].phases[0].steps[0].action else {
      Issue.record("no copy")
      return
    }
    #expect(copy.from == fixture.folder.path + "/shared/setup.sh")
    #expect(cells[1].phases[0].steps[0].location.description == "shared/base.yaml:7:46")
  }

  @Test func takesLaterFilesOverEarlierOnes() throws {
    let file = try Fixture([
      "a.yaml": "name: a\nvars: {x: a, y: a}",
      "b.yaml": "extends: [a.yaml]\nname: b\nvars: {x: b}",
      "m.yaml": """
      extends: [a.yaml, b.yaml]
      muster: 1
      distros: {d: {image: arch}}
      tests: {t: {verify: [{run: "${x}${y}"}]}}
      """,
    ]).read()
    let plan = try #require(file.plan())
    #expect(plan.name == "b")
    #expect(plan.cells[0].resolved().phases[0].steps[0].title == "run ba")
  }

  @Test func pointsIntoTheFileThatIsWrong() throws {
    let file = try Fixture([
      "shared/base.yaml": "distros: {debian-12: {imgae: debian/12, image: debian/12}}\nvras: 1",
      "m.yaml": "muster: 1\nextends: shared/base.yaml\ntests: {t: {vrify: []}}",
    ]).read()
    #expect(
      file.diagnostics.map(\.line) == [
        "shared/base.yaml:1:23-28 error: unknown key 'imgae' in a distro; hint: did you mean 'image'?",
        "shared/base.yaml:2:1-5 error: unknown key 'vras' in the matrix; hint: did you mean 'vars'?",
        "m.yaml:3:13-18 error: unknown key 'vrify' in a test; hint: did you mean 'verify'?",
      ])
    #expect(!file.isUnreadable)
    #expect(file.plan() == nil)
  }

  @Test(
    arguments: [
      ("extends: gone.yaml", "m.yaml:1:10-19 error: cannot read 'gone.yaml': no such file"),
      (
        "extends: m.yaml",
        "m.yaml:1:10-16 error: 'm.yaml' extends this file in turn; hint: move what both need to a third file"
      ),
      (
        "extends: [x/../x/one.yaml]",
        "x/../x/two.yaml:1:10-18 error: 'one.yaml' extends this file in turn; hint: move what both need to a third file"
      ),
      ("extends: list.yaml", "m.yaml:1:10-19 error: 'list.yaml' is not a matrix: it holds no mapping"),
      (
        "extends: {a: b}",
        "m.yaml:1:10-16 error: expected the path of a matrix; hint: write 'extends: base.yaml', or a list"
      ),
    ] as [(String, String)])
  func tellsWhatCannotBeExtended(_ text: String, _ line: String) throws {
    let file = try Fixture([
      "m.yaml": text, "x/one.yaml": "extends: two.yaml", "x/two.yaml": "extends: one.yaml", "list.yaml": "[1]",
    ]).read()
    #expect(file.diagnostics.map(\.line) == [line])
    #expect(!file.isUnreadable)
  }

  @Test func tellsOfAMissingFileApart() throws {
    let file = try Fixture([:]).read()
    #expect(file.isUnreadable)
    #expect(file.plan() == nil)
    #expect(file.diagnostics.count == 1)
  }

  @Test func staysSmallWhereFilesExtendEachOtherManyTimes() throws {
    var files = ["l0.yaml": "vars: {x: y}"]
    for level in 1..<40 {
      files["l\(level).yaml"] = "extends: [l\(level - 1).yaml, l\(level - 1).yaml, l\(level - 1).yaml]"
    }
    files["m.yaml"] =
      "muster: 1\nextends: l39.yaml\ndistros: {d: {image: arch}}\ntests: {t: {verify: [{run: \"${x}\"}]}}"
    #expect(try Fixture(files).read().plan()?.cells.count == 1)
  }
}
