import MusterDiagnostics
import Testing

@testable import MusterMatrix

struct SelectionTests {
  static let text = """
    muster: 1
    distros:
      debian-12: {image: debian/12, tags: [old]}
      debian-13: {image: debian/13}
      fedora-44: {image: fedora/44, tags: [new]}
    tests:
      apt: {distros: family:debian, tags: [quick], verify: [run: x]}
      sizes:
        axes: {memory: [512M, 2G], locale: [C, tr_TR]}
        distros: [debian-12, fedora-44]
        verify: [run: x]
    exclude: [{test: apt, distro: debian-13, reason: later}]
    """

  func choose(_ selection: Selection) throws -> [String] {
    try plan(Self.text).selecting(selection).cells.map(\.name)
  }

  @Test func choosesByTest() throws {
    #expect(try choose(Selection(tests: ["apt"])) == ["apt@debian-12", "apt@debian-13"])
    #expect(try choose(Selection(tests: ["a*", "sizes[memory=2G,locale=C]@fedora-44"])).count == 3)
    #expect(try choose(Selection(tests: ["apt@debian-13"])) == ["apt@debian-13"])
    #expect(
      try choose(Selection(tests: ["sizes[memory=512M]@debian-*"])) == [
        "sizes[memory=512M,locale=C]@debian-12", "sizes[memory=512M,locale=tr_TR]@debian-12",
      ])
    #expect(try choose(Selection(tests: ["sizes[locale=C]"])).count == 4)
    #expect(try choose(Selection(tests: ["*@fedora-44"])).count == 4)
    #expect(try choose(Selection(tests: ["not sizes"])) == ["apt@debian-12", "apt@debian-13"])
  }

  @Test func findsEveryCellByItsName() throws {
    let all = try plan(Self.text).cells.map(\.name)
    for name in all { #expect(try choose(Selection(tests: [name])) == [name]) }
    for name in all { #expect(try choose(Selection(skips: [name])) == all.filter { $0 != name }) }
  }

  @Test func choosesByTheRest() throws {
    #expect(try choose(Selection(distros: ["not family:debian"])).allSatisfy { $0.hasSuffix("@fedora-44") })
    #expect(try choose(Selection(tags: ["quick"])) == ["apt@debian-12", "apt@debian-13"])
    #expect(try choose(Selection(tags: ["quick & old"])) == ["apt@debian-12"])
    #expect(try choose(Selection(tags: ["quick", "new"], skips: ["sizes"])) == ["apt@debian-12", "apt@debian-13"])
    #expect(try choose(Selection(skips: ["debian-*"])).count == 4)
    #expect(
      try choose(Selection(distros: ["fedora-44"], axes: ["memory=2G"])) == [
        "sizes[memory=2G,locale=C]@fedora-44", "sizes[memory=2G,locale=tr_TR]@fedora-44",
      ])
    #expect(try choose(Selection(axes: ["memory=2G", "memory=512M", "locale=C"])).count == 4)
    #expect(try choose(Selection(tests: ["apt"], axes: ["memory=2G"])).isEmpty)
    #expect(try choose(Selection()).count == 10)
  }

  @Test(
    arguments: [
      (Selection(tests: ["atp"]), "there is no test 'atp'; hint: did you mean 'apt'?"),
      (Selection(tests: ["apt@debian-14"]), "there is no distro 'debian-14'; hint: did you mean 'debian-12'?"),
      (Selection(tests: ["size[memory=2G]"]), "there is no test 'size'; hint: did you mean 'sizes'?"),
      (Selection(tests: ["@debian-12"]), "'@debian-12' is not the name of a cell; hint: write test@distro"),
      (Selection(tests: ["sizes[memory=2G,C]"]), "'C' is not an axis and its value; hint: write axis=value"),
      (Selection(distros: ["apt"]), "there is no distro 'apt'; hint: there are: debian-12, debian-13, fedora-44"),
      (Selection(tags: ["recent"]), "nothing has the tag 'recent'; hint: the tags are: new, old, quick"),
      (Selection(axes: ["memory"]), "'memory' is not an axis and its value; hint: write NAME=VALUE"),
      (Selection(axes: ["memroy=2G"]), "no test has an axis 'memroy'; hint: did you mean 'memory'?"),
      (Selection(axes: ["locale=tr_tr"]), "no axis 'locale' has the value 'tr_tr'; hint: did you mean 'tr_TR'?"),
    ] as [(Selection, String)])
  func tellsMistakes(_ selection: Selection, _ message: String) throws {
    let plan = try plan(Self.text)
    do throws(SelectionError) {
      _ = try plan.selecting(selection)
      Issue.record("nothing was told")
    } catch {
      #expect(error.diagnostics.map(\.line) == ["error: " + message])
    }
  }
}
