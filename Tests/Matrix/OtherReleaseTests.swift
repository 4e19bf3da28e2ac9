import MusterDiagnostics
import Testing

@testable import MusterMatrix

/// The other release of an upgrade or a downgrade: where it comes from, and what a lifecycle is about at all.
struct OtherReleaseTests {
  private func matrix(_ steps: [String], _ lifecycle: String, distros: String = "{d: {image: debian/12}}") -> String {
    """
    muster: 1
    vars: {version: 1.2.0}
    distros: \(distros)
    tests:
      t:
        axes: {v: ["1.0", "1.1"]}
        lifecycle: \(lifecycle)
        provision:
    \(steps.map { "      - \($0)" }.joined(separator: "\n"))
    """
  }

  private func mistakes(_ step: String, _ lifecycle: String, distro: String = "debian/12") throws -> [String] {
    try read(matrix([step], lifecycle, distros: "{d: {image: \(distro)}}")).diagnostics.map(\.line)
  }

  private static let file =
    "'upgrade' does not say which file has the older release; hint: write {from: VERSION, file: PATH}"

  @Test(arguments: [
    ("apt: {file: a.deb}", "debian/12", file), ("rpm: {file: a.rpm}", "fedora/43", file),
    ("apk: {file: a.apk}", "alpine/3.23", file), ("pypi: {file: a.whl}", "debian/12", file),
    ("appimage: {file: A-1.AppImage}", "debian/12", file),
    ("appimage: {file: \"https://a.example/A-${v}.AppImage\", command: a}", "debian/12", file),
    (
      "aur: {pkgbuild: dist/aur}", "arch",
      "'upgrade' does not say which folder has the older PKGBUILD; hint: write {from: VERSION, pkgbuild: FOLDER}"
    ),
    (
      "aur: {package: greeter-bin}", "arch",
      "the AUR has one version of a package: 'upgrade' does not say where the older one is; hint: write {from: VERSION, pkgbuild: FOLDER}"
    ),
    (
      "aur: {repository: dist/pacman, install: greeter}", "arch",
      "a repository of pacman has one version of a package: 'upgrade' does not say which has the older one; hint: write {from: VERSION, repository: FOLDER}"
    ),
  ])
  func comesFromAPlaceOfItsOwn(step: String, distro: String, message: String) throws {
    for lifecycle in ["{upgrade: \"1.0\"}", "{upgrade: {from: \"1.0\"}}", "{upgrade: {conffiles: changed}}"] {
      #expect(try mistakes(step, lifecycle, distro: distro) == ["m.yaml:7:17-24 error: \(message)"])
    }
  }

  @Test func downgradesToAPlaceOfItsOwn() throws {
    #expect(
      try mistakes("apt: {file: a.deb}", "{downgrade: 1.1.0}") == [
        "m.yaml:7:17-26 error: 'downgrade' does not say which file has the older release; hint: write {to: VERSION, file: PATH}"
      ])
  }

  @Test(arguments: [
    ("apt: {file: a.deb}", "debian/12", "file: b.deb"), ("aur: {pkgbuild: x}", "arch", "pkgbuild: y"),
    ("aur: {package: greeter}", "arch", "pkgbuild: y"),
    ("aur: {repository: x, install: greeter}", "arch", "repository: y"),
    ("appimage: {file: A-1.AppImage}", "debian/12", "file: \"https://a.example/A-0.AppImage\""),
    ("apt: {file: a.deb, install: a}", "debian/12", "repository: y"),
    ("homebrew: {tap: x, formula: a}", "debian/12", "tap: y"),
  ])
  func findsItsPlace(step: String, distro: String, place: String) throws {
    #expect(try mistakes(step, "{upgrade: {from: 1.1.0, \(place)}}", distro: distro) == [])
  }

  @Test(arguments: [
    (
      "apt: {file: a.deb}", "{upgrade: {file: a.deb}}",
      "m.yaml:7:17-24 error: 'upgrade' goes from the very place that the release itself comes from; hint: name the older release's"
    ),
    (
      "homebrew: {formula: user/tap/a}", "{upgrade: {tap: x}}",
      "m.yaml:7:17-24 error: 'upgrade' goes from one tap to another, which Homebrew does not do; hint: write {tap: FOLDER, formula: NAME} in the step as well"
    ),
    (
      "apt: {file: a.deb}", "{downgrade: {to: 1.1.0, repository: x}}",
      "m.yaml:7:17-26 error: 'downgrade' goes to a repository, and the step does not say which packages it has; hint: add 'install: …' to the step"
    ),
    (
      "apt: {file: a.deb}", "{upgrade: {from: 1.1.0, flie: b.deb}}",
      "m.yaml:7:40-44 error: unknown key 'flie' in 'upgrade'; hint: did you mean 'file'?"
    ),
    (
      "apt: {file: a.deb}", "{upgrade: {from: 1.1.0, pkgbuild: b}}",
      "m.yaml:7:17-24 error: 'upgrade' does not say which file has the older release; hint: write {from: VERSION, file: PATH}\nm.yaml:7:40-48 error: unknown key 'pkgbuild' in 'upgrade'; hint: the keys are: from, verify, conffiles, repository, file, key, fingerprint, suite, components, serve"
    ),
  ])
  func tellsWrongPlaces(step: String, lifecycle: String, message: String) throws {
    #expect(try mistakes(step, lifecycle).joined(separator: "\n") == message)
  }

  @Test(arguments: [
    (
      "{upgrade: true}", "m.yaml:7:26-30 error: 'true' is not a version; hint: write 'upgrade: 1.1.0', or {from: 1.1.0}"
    ),
    (
      "{downgrade: yes}", "m.yaml:7:28-31 error: 'yes' is not a version; hint: write 'downgrade: 1.1.0', or {to: 1.1.0}"
    ),
    ("{upgrade: false}", "m.yaml:7:26-31 error: 'false' is not a version; hint: leave 'upgrade' out"),
    ("{upgrade: {from: true}}", "m.yaml:7:33-37 error: 'true' is not a version; hint: write 'from: 1.1.0'"),
    ("{upgrade: ''}", "m.yaml:7:26-28 error: a version that is empty; hint: write 'upgrade: 1.1.0', or {from: 1.1.0}"),
    (
      "{upgrade: \"1.*\"}",
      "m.yaml:7:26-31 error: '1.*' is not a version: none has '*'; hint: write one version in full, such as 1.2.0"
    ),
    (
      "{upgrade: 1.2.0}",
      "m.yaml:7:26-31 error: 'upgrade' goes from the version of the release itself; hint: write the older version"
    ),
    (
      "{downgrade: {to: \"${version}\"}}",
      "m.yaml:7:33-45 error: 'downgrade' goes to the version of the release itself; hint: write the older version"
    ),
    (
      "{upgrade: {from: 1.2.0, repository: old}}",
      "m.yaml:7:33-38 warning: 'upgrade' goes from the version of the release itself; hint: write the older version"
    ),
    ("{upgrade: \"${v}\"}", nil),
  ])
  func tellsWrongVersions(lifecycle: String, message: String?) throws {
    let step = "apt: {repository: dist/apt, install: greeter, version: \"${version}\"}"
    #expect(try mistakes(step, lifecycle) == [message].compactMap(\.self))
  }

  // MARK: What it has of the release's own repository

  private func other(_ step: String, _ upgrade: String) throws -> ChannelStep.Repository {
    let plan = try plan(matrix([step], "{upgrade: {from: 1.1.0, \(upgrade)}}", distros: "{d: {image: debian/12}}"))
    let release = try #require(plan.cells[1].resolved().lifecycle?.upgrade?.value.release)
    guard case .repository(let repository) = release.source else { throw Mistakes(lines: ["\(release.source)"]) }
    return repository
  }

  private static let own =
    "apt: {repository: dist/apt, install: a, suite: stable, components: [main, extra], key: dist/key.asc, fingerprint: \(digits), serve: true}"
  private static let digits = "57360AC6F90E3947D73F0F00B4F17533C2E23B4E"

  @Test func hasWhatIsNotSaidFromTheReleasesOwn() throws {
    let repository = try other(Self.own, "repository: old/apt")
    guard case .folder(let folder) = repository.place else { return #expect(Bool(false), "\(repository.place)") }
    #expect(folder.hasSuffix("/old/apt"))
    #expect(repository.suite == "stable" && repository.components == ["main", "extra"])
    #expect(repository.key?.hasSuffix("/dist/key.asc") == true)
    #expect(repository.fingerprint == Self.digits && repository.isServed)
  }

  @Test func hasWhatIsSaid() throws {
    let other = try other(
      Self.own, "repository: old/apt, suite: \"${v}\", components: old, key: old.asc, serve: false")
    #expect(other.suite == "1.0" && other.components == ["old"] && !other.isServed)
    #expect(other.key?.hasSuffix("/old.asc") == true)
    #expect(other.fingerprint == nil, "another key has another fingerprint")
  }

  @Test func isFlatIfItSaysSo() throws {
    let other = try other(Self.own, "repository: old/apt, suite: ./")
    #expect(other.suite == nil && other.components == [] && other.key != nil)
  }

  @Test func isNotServedAtAURL() throws {
    #expect(try other(Self.own, "repository: \"https://a.example\"").isServed == false)
  }

  @Test func needsNoNameNorKeyAgain() throws {
    let step = "aur: {repository: \"https://a.example\", name: a, install: a, key: k}"
    let lifecycle = "{upgrade: {from: 1.1.0, repository: \"https://b.example\", fingerprint: \(Self.digits)}}"
    #expect(try mistakes(step, lifecycle, distro: "arch") == [])
    #expect(
      try mistakes(
        "apt: {repository: x, install: a, suite: s}", "{upgrade: {from: 1.1.0, repository: y, components: z}}") == [])
  }

  @Test func anAppImageComesFromAURL() throws {
    let plan = try plan(
      matrix(["appimage: {file: A-1.AppImage}"], "{upgrade: {file: \"https://a.example/A-${v}.AppImage\"}}"))
    let release = try #require(plan.cells[1].resolved().lifecycle?.upgrade?.value.release)
    guard case .appImage(let image) = release.source, case .url(let url) = image.place else {
      return #expect(Bool(false), "\(release.source)")
    }
    #expect(url == "https://a.example/A-1.0.AppImage" && image.command == "a")
  }

  @Test(arguments: [
    ("repository: dist/pypi", true), ("repository: dist/pypi, serve: false", false),
    ("repository: \"https://pypi.org/simple\"", false),
  ])
  func anIndexIsServed(place: String, isServed: Bool) throws {
    let plan = try plan(matrix(["pypi: {\(place), install: a}"], "{remove: true}"))
    let step = try #require(plan.cells[0].resolved().phases.flatMap(\.steps).first)
    guard case .channel(let channel, nil, _) = step.action, case .repository(let repository) = channel.source else {
      return #expect(Bool(false), "\(step.action)")
    }
    #expect(repository.isServed == isServed)
    #expect(
      try other("pypi: {\(place), install: a}", "repository: old/pypi").isServed
        == (place != "repository: dist/pypi, serve: false"))
  }

  // MARK: What a lifecycle is about

  @Test func isOfTheTestsOwnRelease() throws {
    let distros = "{d: {image: debian/12, provision: [{apt: {repository: x, install: a}}]}}"
    #expect(
      try read(matrix(["run: x"], "{remove: true}", distros: distros)).diagnostics.map(\.line) == [
        "m.yaml:7:5-14 error: 'lifecycle' is of a release that the test installs, and only the distro 'd' installs one; hint: write the step into the test's own 'provision'; note at 3:46: 'd' installs it here"
      ])
    let plan = try plan(matrix(["apt: {repository: y, install: b}"], "{remove: true}", distros: distros))
    #expect(plan.cells[0].resolved().lifecycle?.remove != nil)
  }

  private static let two = "{d: {image: debian/12}, f: {image: fedora/43}}"

  @Test func isOfTheLastRelease() throws {
    let steps = ["apt: {repository: x, install: a}", "apt: {repository: x, install: b}"]
    #expect(
      try read(matrix(steps, "{remove: true}")).diagnostics.map(\.line) == [
        "m.yaml:7:5-14 warning: 'lifecycle' is of the last release that is installed, and there is another before it; hint: write a test of its own for each; note at 10:9: this is the last; note at 9:9: nothing happens to this one"
      ])
  }

  @Test func isOfOneReleaseInTwoVersions() throws {
    let steps = [1, 2].map { "apt: {repository: x, install: a, version: \($0)}" }
    #expect(try read(matrix(steps, "{remove: true}")).diagnostics.map(\.line) == [])
  }

  @Test func isOfTheReleaseOfEachDistro() throws {
    let steps = [
      "{apt: {file: a.deb, install: a}, when: family:debian}",
      "{rpm: {repository: x, install: a}, when: family:fedora}",
    ]
    #expect(try read(matrix(steps, "{remove: true}", distros: Self.two)).diagnostics.map(\.line) == [])
    #expect(
      try read(matrix(steps, "{upgrade: 1.1.0}", distros: Self.two)).diagnostics.map(\.line) == [
        "m.yaml:7:17-24 error: \(Self.file)"
      ])
  }

  @Test func warnsWhereThereIsNoRelease() throws {
    let steps = ["{apt: {repository: x, install: a}, when: family:debian}"]
    #expect(
      try read(matrix(steps, "{remove: true}", distros: Self.two)).diagnostics.map(\.line) == [
        "m.yaml:7:5-14 warning: 'lifecycle' is of a release, and on 'f' the test installs none; hint: choose the test's distros by 'distros: …', or the step's by 'when'"
      ])
  }
}
