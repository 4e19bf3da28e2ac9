import MusterDiagnostics
import Testing

@testable import MusterMatrix

/// Mistakes of channels' steps that would else be found on a machine, or never.
struct ReleaseMistakeTests {
  /// What is told of a test with these steps, each on its line, the first on the eighth.
  private func mistakes(_ steps: [String], distro: String = "debian/12") throws -> String {
    try read(
      """
      muster: 1
      secrets: [TOKEN]
      distros: {d: {image: \(distro)}}
      tests:
        t:
          axes: {v: [1.2.0, "1^2"], p: [greeter, gree!ter], place: [dist/apt, "https://a.example"]}
          provision:
      \(steps.map { "      - \($0)" }.joined(separator: "\n"))
      """
    ).diagnostics.map(\.line).joined(separator: "\n")
  }

  @Test func ofVersions() throws {
    #expect(
      try mistakes([
        "apt: {file: a.deb, version: ''}",
        "apt: {file: a.deb, version: true}",
        "apt: {file: a.deb, version: \"1.*\"}",
        "apt: {file: a.deb, version: \"1.2 \"}",
        "apt: {file: a.deb, version: \"1.2-${v}=${cpu}\"}",
        "appimage: {file: G-1.AppImage, version: ü}",
        "check: {package: x, version: ''}",
        "apt: {file: a.deb, version: \"1:2.0~rc1+dfsg-1_x^y!z${TOKEN}${distro}${v}\"}",
      ]) == """
        m.yaml:8:37-39 error: a version that is empty; hint: leave 'version' out for the newest
        m.yaml:9:37-41 error: 'true' is not a version; hint: write one such as 1.2.0
        m.yaml:10:37-42 error: '1.*' is not a version: none has '*'; hint: write one version in full, such as 1.2.0
        m.yaml:11:37-43 error: '1.2 ' is not a version: none has ' '; hint: write one version in full, such as 1.2.0
        m.yaml:12:37-54 error: '1.2-1.2.0=x' is not a version: none has '='; hint: write one version in full, such as 1.2.0
        m.yaml:13:49-50 error: 'ü' is not a version: none has 'ü'; hint: write one version in full, such as 1.2.0
        m.yaml:14:38-40 error: a version that is empty; hint: leave 'version' out for any
        """)
  }

  @Test func ofNamesOfPackages() throws {
    #expect(
      try mistakes([
        "apt: {repository: x, install: greeter=1.2.0-1}",
        "pypi: {repository: x, install: [greeter==1.2.0, \"=x\"]}",
        "apt: {repository: x, install: [-y, gr*, \"a,b\", '']}",
        "apt: {repository: x, install: \"${p}\"}",
        "apt: {repository: x, install: []}",
        "apt: {repository: x, install: }",
        "apt: {repository: x, install: [\"libstdc++6:i386\", a.b-c_d, \"x${distro}\"]}",
        "homebrew: {formula: [user/tap/node@20, \"@scope/x\"]}",
        "homebrew: {tap: dist/tap, formula: [user/tap/x, x]}",
      ]) == """
        m.yaml:8:39-54 error: 'greeter=1.2.0-1' is the name of a package and a version; hint: write the name alone, and 'version: 1.2.0-1' beside it
        m.yaml:9:41-55 error: 'greeter==1.2.0' is the name of a package and a version; hint: write the name alone, and 'version: 1.2.0' beside it
        m.yaml:9:57-61 error: '=x' is not the name of a package: none has '='; hint: write the name alone, in full
        m.yaml:10:40-42 error: '-y' is not the name of a package
        m.yaml:10:44-47 error: 'gr*' is not the name of a package: none has '*'; hint: write the name alone, in full
        m.yaml:10:49-54 error: 'a,b' is not the name of a package; hint: write several as a list: [one, other]
        m.yaml:10:56-58 error: '' is not the name of a package
        m.yaml:11:39-45 error: 'gree!ter' is not the name of a package: none has '!'; hint: write the name alone, in full
        m.yaml:12:39-41 error: a list of packages that is empty
        m.yaml:13:39-39 error: expected a list for 'install', found nothing
        m.yaml:16:45-55 error: 'user/tap/x' names a tap, and 'tap' is another one; hint: write x, without a tap
        """)
  }

  @Test func ofNamesInTheAUR() throws {
    #expect(
      try mistakes(
        ["aur: {package: []}", "aur: {package: greeter bin}", "aur: {package: a, install: b}"], distro: "arch") == """
          m.yaml:8:24-26 error: a list of packages that is empty
          m.yaml:9:24-35 error: 'greeter bin' is not the name of a package; hint: write several as a list: [one, other]
          m.yaml:10:27-34 error: 'package' names the packages already; hint: 'install' goes with 'repository' and 'pkgbuild', and 'package' stands alone
          """)
  }

  /// What other tools, or a shell, would make something else of.
  @Test func ofWhatIsTakenForAPath() throws {
    #expect(
      try mistakes([
        "apt: {repository: \"\", install: a}",
        "apt: {repository: x, suite: \"\", install: a}",
        "apt: {repository: \"deb https://a.example/apt stable main\", install: a}",
        "apt: {repository: \"ppa:owner/name\", install: a}",
        "apt: {repository: \"http:/a.example/apt\", install: a}",
        "apt: {repository: \"https://\", install: a}",
        "apt: {repository: x, install: a, version: latest}",
        "apt: {file: dist/a.rpm}",
        "apt: {file: dist/a-*.deb}",
        "pypi: {file: key.asc}",
      ]) == """
        m.yaml:8:27-29 error: a path that is empty
        m.yaml:9:37-39 error: a name that is empty
        m.yaml:10:27-66 error: a repository is an address or a path of this host, and 'deb https://a.example/apt stable main' is neither; hint: write the address alone, and its 'suite' and 'components' beside it
        m.yaml:11:27-43 error: a repository is an address or a path of this host, and 'ppa:owner/name' is neither; hint: write https://ppa.launchpadcontent.net/OWNER/NAME/ubuntu, and its 'suite' and 'key' beside it
        m.yaml:12:27-48 error: a repository is an address or a path of this host, and 'http:/a.example/apt' is neither; hint: write http:// with two slashes
        m.yaml:13:27-37 error: 'https://' names no host; hint: write the whole address
        m.yaml:14:51-57 error: 'latest' is not a version; hint: leave 'version' out for the newest
        m.yaml:15:21-31 error: 'dist/a.rpm' is not a package for 'apt'; hint: the name of one ends in .deb
        m.yaml:16:21-33 error: 'dist/a-*.deb' is a pattern, and none is expanded here; hint: name the one file; what changes from release to release can be a variable
        m.yaml:17:22-29 error: 'key.asc' is not a package for 'pypi'; hint: the name of one ends in .whl, .tar.gz, .zip
        """)
    #expect(
      try mistakes(["rpm: {repository: \"https://a.example/a.repo\", install: a}"], distro: "fedora/43") == """
        m.yaml:8:27-53 error: 'https://a.example/a.repo' is the settings of a repository; hint: write the 'baseurl' that it has, and the file of its 'key' beside it
        """)
    #expect(
      try mistakes(["aur: {pkgbuild: dist/PKGBUILD}"], distro: "arch") == """
        m.yaml:8:25-38 error: 'pkgbuild' is the folder that the PKGBUILD is in; hint: leave '/PKGBUILD' out
        """)
  }

  @Test func ofPlaces() throws {
    #expect(
      try mistakes([
        "apt: {repository: \"htps://a.example\", install: a}",
        "apt: {repository: \"file:///srv/apt\", install: a}",
        "apt: {repository: ~/apt, install: a}",
        "apt: {repository: \"${place}\", install: a}",
        "apt: {repository: \"https://${place}/~/x\", install: a, key: \"https://a.example/key.asc\"}",
        "apt: {repository: x, install: a, key: ~/key.asc}",
        "apt: {file: \"https://a.example/a.deb\"}",
        "apt: {file: $HOME/a.deb}",
        "appimage: {file: \"ftp://a.example/G-1.AppImage\"}",
        "appimage: {file: ~/G-1.AppImage}",
        "homebrew: {tap: \"https://github.com/u/homebrew-tap\", formula: x}",
        "copy: {from: ~/greeter, to: /usr/bin/greeter}",
        "copy: {from: ~greeter/a~/x, to: /usr/bin/greeter}",
      ]) == """
        m.yaml:8:27-45 error: a repository cannot be had by 'htps://'; hint: write https:// or http://, or a path of this host
        m.yaml:9:27-44 error: 'file:///srv/apt' is a path of this host with 'file://' before it; hint: write the path alone
        m.yaml:10:27-32 error: no shell expands '~' here; hint: write the whole path, or one that starts at this file's folder
        m.yaml:11:27-37 error: 'https://a.example' is taken for a path, since an axis has all of it; hint: write https:// or http:// before the axis
        m.yaml:12:68-95 error: 'https://a.example/key.asc' is an address, and this must be on this host; hint: download it in 'setup', and name the file
        m.yaml:13:47-56 error: no shell expands '~' here; hint: write the whole path, or one that starts at this file's folder
        m.yaml:14:21-46 error: 'https://a.example/a.deb' is an address, and this must be on this host; hint: download it in 'setup', or name its 'repository'
        m.yaml:15:21-32 error: no shell expands '$HOME' here; hint: write the whole path, or one that starts at this file's folder
        m.yaml:16:26-56 error: an AppImage cannot be had by 'ftp://'; hint: write https:// or http://, or a path of this host
        m.yaml:17:26-40 error: no shell expands '~' here; hint: write the whole path, or one that starts at this file's folder
        m.yaml:18:25-60 error: 'https://github.com/u/homebrew-tap' is an address, and this must be on this host; hint: write {formula: user/tap/name} for a tap of the web
        m.yaml:19:22-31 error: no shell expands '~' here; hint: write the whole path, or one that starts at this file's folder
        """)
  }

  @Test func ofAFlatRepository() throws {
    let hint = "hint: add 'suite: …', or leave 'components' out"
    #expect(
      try mistakes([
        "apt: {repository: x, components: main, install: a}",
        "apt: {repository: x, suite: ./, components: [main], install: a}",
        "apt: {repository: x, suite: stable, components: [main], install: a}",
      ]) == """
        m.yaml:8:30-40 error: 'components' are of a suite, and this repository is flat: it has none; \(hint)
        m.yaml:9:41-51 error: 'components' are of a suite, and this repository is flat: it has none; \(hint)
        """)
  }

  @Test func ofAnImagesPath() throws {
    let file = try read(
      """
      muster: 1
      distros: {d: {image: {path: ~/d.qcow2}, family: debian}}
      tests: {t: {verify: [{run: x}]}}
      """)
    #expect(
      file.diagnostics.map(\.line) == [
        "m.yaml:2:29-38 error: no shell expands '~' here; hint: write the whole path, or one that starts at this file's folder"
      ])
  }
}
