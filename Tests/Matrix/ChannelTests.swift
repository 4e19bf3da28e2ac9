import MusterDiagnostics
import Testing

@testable import MusterMatrix

struct ChannelTests {
  private func step(_ text: String, distro: String = "{image: debian/12}") throws -> Step {
    try #require(try StepTests.steps("- \(text)", distro: distro).first)
  }

  @Test func readsARepository() throws {
    let step = try step(
      "apt: {repository: dist/apt, suite: stable, components: [main, extra], key: dist/key.asc, install: greeter, "
        + "version: \"${version}\"}")
    #expect(step.title == "apt greeter 1.2.0")
    guard case .channel(let channel, nil, _) = step.action else { return #expect(Bool(false), "\(step.action)") }
    #expect(channel.channel == .apt)
    #expect(channel.packages == ["greeter"])
    #expect(channel.version == "1.2.0")
    #expect(
      channel.checks == [.version, .scripts, .files, .libraries, .glibc, .desktop, .units, .permissions])
    guard case .repository(let repository) = channel.source else { return #expect(Bool(false), "\(channel.source)") }
    guard case .folder(let folder) = repository.place else { return #expect(Bool(false), "\(repository.place)") }
    #expect(folder.hasPrefix("/") && folder.hasSuffix("/dist/apt"))
    #expect(repository.suite == "stable")
    #expect(repository.components == ["main", "extra"])
    #expect(repository.key?.hasSuffix("/dist/key.asc") == true)
  }

  @Test func readsAFileAndAURL() throws {
    let file = try step("apt: {file: dist/greeter_1.2.0_amd64.deb, checks: {libraries: false, glibc: false}}")
    #expect(file.title == "apt greeter_1.2.0_amd64.deb")
    guard case .channel(let channel, nil, _) = file.action, case .file(let path) = channel.source else {
      return #expect(Bool(false), "\(file.action)")
    }
    #expect(path.hasSuffix("/dist/greeter_1.2.0_amd64.deb"))
    #expect(channel.packages == [] && channel.checks == [.version, .scripts, .files, .desktop, .units, .permissions])
    let remote = try step(
      "rpm: {repository: \"https://${TOKEN}@rpm.example/\", install: [a, b]}", distro: "{image: fedora/43}")
    guard case .channel(let rpm, nil, _) = remote.action, case .repository(let repository) = rpm.source,
      case .url(let url) = repository.place
    else { return #expect(Bool(false), "\(remote.action)") }
    #expect(url.description == "https://${TOKEN}@rpm.example/" && url.secrets == ["TOKEN"])
    #expect(rpm.packages == ["a", "b"])
  }

  @Test func tellsMistakes() throws {
    let file = try read(
      """
      muster: 1
      distros: {debian: {image: debian/12}, fedora: {image: fedora/43}}
      tests:
        a:
          distros: all
          provision:
            - apt: {repository: x, install: greeter}
            - apt: {repository: x}
              when: debian
            - apt: {install: greeter}
              when: debian
            - apt: {repository: x, file: y, install: greeter}
              when: debian
            - apt: {file: y, key: z}
              when: debian
            - rpm: {repository: x, suite: stable, install: greeter, checks: {library: no}}
              when: fedora
            - apt: greeter
            - atp: {repository: x, install: greeter}

      """)
    #expect(
      file.diagnostics.map(\.line).joined(separator: "\n") == """
        m.yaml:7:9-12 error: 'apt' is no channel of the family 'fedora', which 'fedora' is of; hint: choose its distros by 'distros: [family:debian]', or the step's by 'when'
        m.yaml:8:14-29 error: 'apt' needs 'install'; hint: name the release's packages
        m.yaml:10:14-32 error: 'apt' does not say where the release comes from; hint: add 'repository: …' (a folder of this host, or a URL) or 'file: …'
        m.yaml:12:30-34 error: a release comes from one place, and this has both 'repository' and 'file'; hint: write two steps
        m.yaml:14:24-27 error: 'key' is of a repository, and this step has 'file'
        m.yaml:16:30-35 error: unknown key 'suite' in a step with 'rpm'; hint: the keys are: repository, file, install, version, checks, key
        m.yaml:16:72-79 error: unknown key 'library' in the checks of 'rpm'; hint: the keys are: version, scripts, files, libraries, glibc, desktop, units, permissions
        m.yaml:18:14-21 error: expected a mapping for 'apt', found text; hint: write {repository: …, key: …, install: …}
        m.yaml:19:9-12 error: unknown step 'atp'; hint: did you mean 'apt'?
        """)
  }
}
