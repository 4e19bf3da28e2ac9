import MusterDiagnostics
import Testing

@testable import MusterMatrix

/// The key `lifecycle` of a test.
struct LifecycleTests {
  private func matrix(_ lifecycle: String, provision: String? = nil) -> String {
    """
    muster: 1
    vars: {version: 1.2.0}
    distros: {d: {image: debian/12}, f: {image: fedora/43}}
    tests:
      t:
        distros: [d]
        axes: {locale: [C, tr_TR]}
        provision:
          - \(provision ?? "apt: {repository: dist/apt, key: key.asc, install: greeter, version: \"${version}\"}")
        lifecycle: \(lifecycle)
    """
  }

  private func mistakes(_ lifecycle: String, provision: String? = nil) throws -> String {
    try read(matrix(lifecycle, provision: provision)).diagnostics.map(\.line).joined(separator: "\n")
  }

  @Test func coursesAreCellsOfTheirOwn() throws {
    let plan = try plan(matrix("{upgrade: 1.1.0, downgrade: {to: 1.0.0}, remove: true, refuses: [unsigned]}"))
    #expect(
      plan.cells.map(\.name) == [
        "t[locale=C]@d", "t[locale=C,lifecycle=upgrade]@d", "t[locale=C,lifecycle=downgrade]@d",
        "t[locale=C,lifecycle=refuse]@d", "t[locale=tr_TR]@d", "t[locale=tr_TR,lifecycle=upgrade]@d",
        "t[locale=tr_TR,lifecycle=downgrade]@d", "t[locale=tr_TR,lifecycle=refuse]@d",
      ])
    let lifecycles = plan.cells.prefix(4).map { $0.resolved().lifecycle }
    #expect(lifecycles.map { $0?.course } == [.install, .upgrade, .downgrade, .refuse])
    #expect(lifecycles[1]?.upgrade?.value.release.version == "1.1.0")
    #expect(lifecycles[1]?.upgrade?.value.release.source == lifecycles[0]?.downgrade?.value.release.source)
    #expect(lifecycles[2]?.downgrade?.value.release.version == "1.0.0")
    #expect(lifecycles[3]?.refuses.map(\.value) == [.unsigned])
    #expect(lifecycles[0]?.remove?.line == 10)
  }

  @Test func whatIsPrintedCanBeTyped() throws {
    let plan = try plan(matrix("{upgrade: 1.1.0, remove: true}"))
    let chosen = { (selection: Selection) in try plan.selecting(selection).cells.map(\.name) }
    #expect(try chosen(Selection(tests: ["t[locale=C,lifecycle=upgrade]@d"])) == ["t[locale=C,lifecycle=upgrade]@d"])
    #expect(
      try chosen(Selection(axes: ["lifecycle=install"])) == ["t[locale=C]@d", "t[locale=tr_TR]@d"])
    #expect(try chosen(Selection(tests: ["t"])).count == 4)
  }

  @Test func withoutCellsOfItsOwnNamesStayAsTheyAre() throws {
    let plan = try plan(matrix("{reinstall: true, purge: true, install-again: true, leftovers: true}"))
    #expect(plan.cells.map(\.name) == ["t[locale=C]@d", "t[locale=tr_TR]@d"])
    let lifecycle = try #require(plan.cells[0].resolved().lifecycle)
    #expect(lifecycle.course == .install && lifecycle.purge != nil && lifecycle.installAgain != nil)
    #expect(lifecycle.reinstall != nil && lifecycle.remove == nil && lifecycle.leftovers?.value == [])
  }

  @Test func whatIsSwitchedOffIsNotDone() throws {
    let plan = try plan(matrix("{reinstall: false, remove: true, leftovers: false}"))
    let lifecycle = try #require(plan.cells[0].resolved().lifecycle)
    #expect(lifecycle.reinstall == nil && lifecycle.leftovers == nil && lifecycle.remove != nil)
  }

  @Test func anotherPlaceAndConffiles() throws {
    let plan = try plan(
      matrix(
        """
        {upgrade: {from: "${locale}", file: old/x.deb, conffiles: changed, verify: [{run: greeter --old}]}, remove: true,
              leftovers: {ignore: [/var/log/greeter, {path: "/var/lib/${distro}*", reason: data}]}}
        """))
    let lifecycle = try #require(plan.cells[1].resolved().lifecycle)
    let other = try #require(lifecycle.upgrade?.value)
    #expect(other.release.version == "C" && other.settings == .changed)
    guard case .file(let path) = other.release.source else { return #expect(Bool(false), "\(other.release.source)") }
    #expect(path.hasPrefix("/") && path.hasSuffix("/old/x.deb"))
    #expect(other.verify.map(\.title) == ["run greeter --old"])
    #expect(
      lifecycle.leftovers?.value == [
        Lifecycle.Ignored(path: "/var/log/greeter"), Lifecycle.Ignored(path: "/var/lib/d*", reason: "data"),
      ])
  }

  @Test func anotherAppImage() throws {
    let plan = try plan(
      matrix(
        "{upgrade: {from: 1.1.0, file: old/Greeter.AppImage}}",
        provision: "appimage: {file: Greeter-1.2.0.AppImage, command: hi, run: extracted}"))
    let release = try #require(plan.cells[1].resolved().lifecycle?.upgrade?.value.release)
    guard case .appImage(let image) = release.source, case .file(let path) = image.place else {
      return #expect(Bool(false), "\(release.source)")
    }
    #expect(path.hasSuffix("/old/Greeter.AppImage") && image.command == "hi" && image.run == .extracted)
    #expect(release.version == "1.1.0")
  }

  @Test func rulesSpeakOfCourses() throws {
    let plan = try plan(
      matrix("{upgrade: 1.1.0}") + """

        exclude: [{axes: {lifecycle: upgrade, locale: C}, reason: r}]
        expect-failure: [{axes: {lifecycle: upgrade}, reason: r, message: "it asks"}]
        """)
    #expect(plan.cells.map { $0.excluded != nil } == [false, true, false, false])
    #expect(plan.cells.map(\.expectedMessage) == [nil, "it asks", nil, "it asks"])
  }

  @Test func tellsMistakes() throws {
    #expect(
      try mistakes("{removed: true}")
        == "m.yaml:10:17-24 error: unknown key 'removed' in 'lifecycle'; hint: did you mean 'remove'?")
    #expect(
      try mistakes("{remove: true}", provision: "run: x")
        == "m.yaml:10:5-14 error: 'lifecycle' is of a release, and no step of 'provision' installs one; hint: use a channel there: \(ChannelStep.Channel.allCases.map(\.rawValue).joined(separator: ", "))"
    )
    #expect(
      try mistakes("{leftovers: true}")
        == "m.yaml:10:17-26 error: 'leftovers' comes after the release is removed; hint: add 'remove: true' or 'purge: true'"
    )
    #expect(
      try mistakes("{upgrade: {verify: [{run: x}]}}")
        == "m.yaml:10:17-24 error: 'upgrade' does not say which release it goes from; hint: write {from: VERSION}, or name another 'repository' or 'file'"
    )
    #expect(
      try mistakes("{refuses: [unsigned]}", provision: "apt: {file: x.deb}")
        == "m.yaml:10:17-24 error: 'refuses' needs a repository with a key that is a folder of this host; hint: a copy of it is tampered with in the machine"
    )
    #expect(
      try mistakes("{refuses: [unsinged, expired, expired]}")
        == """
        m.yaml:10:27-35 error: 'unsinged' is not something that is refused; hint: did you mean 'unsigned'?
        m.yaml:10:46-53 error: 'expired' is listed twice
        """)
    #expect(
      try mistakes("{downgrade: {to: 1.0, conffiles: changed}}")
        == "m.yaml:10:38-47 error: unknown key 'conffiles' in 'downgrade'; hint: the keys are: to, verify, repository, file, key, fingerprint, suite, components, serve"
    )
    #expect(
      try mistakes("{remove: true, leftovers: {ignore: [var/log]}}")
        == "m.yaml:10:52-59 error: 'var/log' is not a whole path in the machine; hint: start it with '/', such as /root or /tmp"
    )
  }
}
