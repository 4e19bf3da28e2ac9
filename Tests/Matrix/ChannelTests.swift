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

  private func appImage(_ text: String) throws -> (step: Step, channel: ChannelStep, image: ChannelStep.AppImage)? {
    let step = try step("appimage: {\(text)}")
    guard case .channel(let channel, nil, _) = step.action, case .appImage(let image) = channel.source else {
      #expect(Bool(false), "\(step.action)")
      return nil
    }
    return (step, channel, image)
  }

  @Test func readsAnAppImage() throws {
    let least = try #require(try appImage("file: dist/Greeter-1.2.0-x86_64.AppImage"))
    #expect(least.step.title == "appimage greeter")
    #expect(least.image.command == "greeter" && least.image.run == .mounted && least.image.sha256 == nil)
    guard case .file(let path) = least.image.place else { return #expect(Bool(false), "\(least.image.place)") }
    #expect(path.hasPrefix("/") && path.hasSuffix("/dist/Greeter-1.2.0-x86_64.AppImage"))
    #expect(least.channel.checks == [.sha256, .format, .start, .version, .glibc, .libraries, .desktop])
    let sum = String(repeating: "0A", count: 32)
    let most = try #require(
      try appImage(
        "file: \"https://${TOKEN}@g.example/g/download?name=x\", command: g2, run: extract-and-run, sha256: \(sum), "
          + "version: \"${version}\", checks: {glibc: false, desktop: false}"))
    #expect(most.step.title == "appimage g2 1.2.0")
    #expect(most.image.run == .extractAndRun && most.image.sha256 == sum.lowercased())
    guard case .url(let url) = most.image.place else { return #expect(Bool(false), "\(most.image.place)") }
    #expect(url.secrets == ["TOKEN"])
    #expect(most.channel.checks == [.sha256, .format, .start, .version, .libraries])
  }

  @Test(arguments: [
    ("dist/Greeter-1.2.0-x86_64.AppImage", "greeter"), ("nvim.appimage", "nvim"),
    ("Greeter_1.2.0_amd64.AppImage", "greeter"),
    ("https://g.example/v1.2/Greeter.AppImage?a-b=c", "greeter"), ("Greeter-${cpu}.AppImage", "greeter"),
  ])
  func callsAnAppImageByItsFile(file: String, command: String) throws {
    #expect(try appImage("file: \"\(file)\"")?.image.command == command)
  }

  @Test func runsAnAppImageByAnAxis() throws {
    let plan = try plan(
      """
      muster: 1
      distros: {d: {image: debian/12}}
      tests:
        t:
          distros: all
          axes: {run: [mounted, extract-and-run, extracted], n: [1, 2]}
          provision: [{appimage: {file: G-1.AppImage, run: "${run}"}}]
      """)
    let runs = try plan.cells.map { cell -> ChannelStep.AppImage.Run? in
      let step = try #require(cell.resolved().phases.flatMap(\.steps).first)
      guard case .channel(let channel, nil, _) = step.action, case .appImage(let image) = channel.source else {
        return nil
      }
      return image.run
    }
    #expect(runs == [.mounted, .mounted, .extractAndRun, .extractAndRun, .extracted, .extracted])
  }

  @Test func tellsMistakesOfAppImages() throws {
    let file = try read(
      """
      muster: 1
      distros: {debian: {image: debian/12}}
      tests:
        a:
          distros: all
          axes: {run: [mounted, extract], file: [A-1, B-2]}
          provision:
            - appimage: {file: G-1.AppImage, run: mount}
            - appimage: {file: G-1.AppImage, run: "${run}"}
            - appimage: {command: greeter}
            - appimage: {file: "${file}.AppImage"}
            - appimage: {file: Greeter}
            - appimage: {file: G-1.AppImage, command: "a b", sha256: 12}
            - appimage: {file: G-1.AppImage, install: g, checks: {files: false}}
            - appimage: G-1.AppImage

      """)
    #expect(
      file.diagnostics.map(\.line).joined(separator: "\n") == """
        m.yaml:8:45-50 error: unknown way to run 'mount'; hint: the ways are: mounted, extract-and-run, extracted
        m.yaml:9:45-53 error: unknown way to run 'extract'; hint: did you mean 'extracted'?
        m.yaml:10:19-37 error: 'appimage' needs 'file'; hint: add 'file: …', a path of this host or a URL
        m.yaml:11:26-44 error: the name of the file does not tell what the command is called; hint: add 'command: …' to the step
        m.yaml:12:26-33 error: the name of the file does not tell what the command is called; hint: add 'command: …' to the step
        m.yaml:13:49-54 error: 'a b' cannot be the name of a command; hint: use letters, digits, '.', '-' and '_'
        m.yaml:13:64-66 error: this checksum has 2 digits where 64 are needed
        m.yaml:14:40-47 error: unknown key 'install' in a step with 'appimage'; hint: the keys are: file, command, run, sha256, version, checks
        m.yaml:14:61-66 error: unknown key 'files' in the checks of 'appimage'; hint: the keys are: sha256, format, start, version, glibc, libraries, desktop
        m.yaml:15:19-31 error: expected a mapping for 'appimage', found text; hint: write {file: …}
        """)
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
            - apt: {file: y.deb, key: z}
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
        m.yaml:14:28-31 error: 'key' is of a repository, and this step has 'file'
        m.yaml:16:30-35 error: unknown key 'suite' in a step with 'rpm'; hint: the keys are: repository, file, install, version, checks, key, fingerprint, serve
        m.yaml:16:72-79 error: unknown key 'library' in the checks of 'rpm'; hint: the keys are: version, scripts, files, libraries, glibc, desktop, units, permissions
        m.yaml:18:14-21 error: expected a mapping for 'apt', found text; hint: write {repository: …, key: …, install: …}
        m.yaml:19:9-12 error: unknown step 'atp'; hint: did you mean 'apt'?
        """)
  }

  @Test func readsAFingerprintAndAServer() throws {
    let step = try step(
      "apt: {repository: dist/apt, key: k, fingerprint: 5736 0ac6 f90e 3947 d73f  0f00 b4f1 7533 c2e2 3b4e, "
        + "serve: true, install: greeter}")
    guard case .channel(let channel, nil, _) = step.action, case .repository(let repository) = channel.source else {
      return #expect(Bool(false), "\(step.action)")
    }
    #expect(repository.fingerprint == "57360AC6F90E3947D73F0F00B4F17533C2E23B4E")
    #expect(repository.isServed)
  }

  @Test func readsFormulas() throws {
    let remote = try step("homebrew: {formula: greeter/tap/greeter}")
    #expect(remote.title == "homebrew greeter/tap/greeter")
    guard case .channel(let channel, nil, _) = remote.action else { return #expect(Bool(false), "\(remote.action)") }
    #expect(channel.source == .formula(tap: nil) && channel.packages == ["greeter/tap/greeter"])
    let local = try step("homebrew: {tap: dist/tap, formula: greeter, version: 1.2.0}")
    guard case .channel(let tapped, nil, _) = local.action, case .formula(let folder?) = tapped.source else {
      return #expect(Bool(false), "\(local.action)")
    }
    #expect(folder.hasSuffix("/dist/tap") && tapped.version == "1.2.0")
  }

  @Test func readsApk() throws {
    let step = try step(
      "apk: {repository: dist/apk, key: dist/release-1.rsa.pub, install: greeter}", distro: "{image: alpine/3.23}")
    guard case .channel(let channel, nil, _) = step.action else { return #expect(Bool(false), "\(step.action)") }
    #expect(
      channel.channel == .apk && channel.checks == [.version, .scripts, .files, .libraries, .desktop, .permissions])
  }

  @Test(arguments: [
    (
      "apt: {repository: x, install: a, key: k, fingerprint: 57360AC6}",
      "'57360AC6' is a key's short number, which others can make a key for; hint: write the fingerprint's 40 digits, as 'gpg --show-keys FILE' tells"
    ),
    (
      "apt: {repository: x, install: a, key: k, fingerprint: \"release@greeter.example\"}",
      "'release@greeter.example' is not a fingerprint; hint: write its 40 hexadecimal digits, as 'gpg --show-keys FILE' tells"
    ),
    (
      "apt: {repository: x, install: a, key: k, fingerprint: 57360AC6F90E3947D73F0F00B4F17533C2E23B4}",
      "a fingerprint has 40 hexadecimal digits, and '57360AC6F90E3947D73F0F00B4F17533C2E23B4' has 39; hint: 'gpg --show-keys FILE' tells it"
    ),
    (
      "apt: {repository: x, install: a, fingerprint: 57360AC6F90E3947D73F0F00B4F17533C2E23B4E}",
      "'fingerprint' is of a key, and there is none; hint: add 'key: FILE'"
    ),
    (
      "apt: {repository: \"https://a.example\", install: a, serve: true}",
      "'serve' is for a folder of this host, and this repository is served already; hint: leave it out, or name the folder in place of the URL"
    ),
    ("apt: {file: a.deb, serve: true}", "'serve' is of a repository, and this step has 'file'"),
    ("homebrew: {tap: x}", "'homebrew' needs 'formula'; hint: write {formula: user/tap/name}"),
    (
      "homebrew: {formula: a, install: b}",
      "unknown key 'install' in a step with 'homebrew'; hint: the keys are: tap, formula, version, checks"
    ),
  ])
  func tellsMistakesOf(step: String, message: String) throws {
    #expect(try mistakes(of: step) == [message])
  }

  /// What is told of a test with one step, without places.
  private func mistakes(of step: String, lifecycle: String? = nil) throws -> [String] {
    let file = try read(
      """
      muster: 1
      distros: {debian: {image: debian/12}}
      tests:
        a:
          distros: all
          provision:
            - \(step)
      \(lifecycle.map { "    lifecycle: {\($0)}" } ?? "")
      """)
    return file.diagnostics.map { $0.message + ($0.hint.map { "; hint: \($0)" } ?? "") }
  }

  @Test(
    arguments: [
      (
        "homebrew: {tap: x, formula: a}", "downgrade: {to: 1, tap: y}",
        "Homebrew knows no downgrade; hint: leave it out"
      ),
      (
        "homebrew: {tap: x, formula: a}", "upgrade: 1.1.0",
        "a tap has one version of a formula: 'upgrade' does not say which tap has the older one; hint: write {from: VERSION, tap: FOLDER}"
      ),
      ("homebrew: {tap: x, formula: a}", "upgrade: {from: 1.1.0, tap: y}", nil),
      (
        "apt: {repository: x, install: a}", "upgrade: {from: 1.1.0, tap: y}",
        "unknown key 'tap' in 'upgrade'; hint: the keys are: from, verify, conffiles, repository, file, key, fingerprint, suite, components, serve"
      ),
    ] as [(String, String, String?)])
  func tellsMistakesOfLifecycles(step: String, lifecycle: String, message: String?) throws {
    #expect(try mistakes(of: step, lifecycle: lifecycle) == [message].compactMap(\.self))
  }
}
