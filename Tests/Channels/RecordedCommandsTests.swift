import Foundation
import MusterCatalog
import MusterHost
import MusterMatrix
import Testing

@testable import MusterChannels

/// What the channels that no machine here can have really call, and what they make of what comes back.
@Suite struct RecordedCommandsTests {
  // MARK: - Homebrew

  private static let tap = ChannelStep(
    channel: .homebrew, source: .formula(tap: "/host/tap"), packages: ["greeter"], version: "1.2.0")
  private static let released = ChannelStep(
    channel: .homebrew, source: .formula(tap: nil), packages: ["greeter/tap/greeter"])

  /// A brew that has the formula once it was told to install it.
  private static func brew(_ misbehavior: String = "") -> [String: String] {
    [
      "brew": """
      if [ "$HOMEBREW_NO_AUTO_UPDATE$HOMEBREW_NO_ASK$HOMEBREW_CURL_RETRIES" != 115 ]; then exit 98; fi
      case $* in
        \(misbehavior)
        --repository*) echo "$MACHINE/home/linuxbrew/.linuxbrew/Homebrew/Library/Taps/muster/homebrew-tap" ;;
        '--prefix '*) echo "$MACHINE/home/linuxbrew/.linuxbrew/opt/greeter" ;;
        --prefix) echo "$MACHINE/home/linuxbrew/.linuxbrew" ;;
        'commands --quiet') printf 'tap\\ntrust\\n' ;;
        'install --formula --only'*) ;;
        'install '*)
          mkdir -p "$MACHINE/home/linuxbrew/.linuxbrew/Cellar/greeter/1.2.0_1" "$MACHINE/home/linuxbrew/.linuxbrew/opt"
          ln -s ../Cellar/greeter/1.2.0_1 "$MACHINE/home/linuxbrew/.linuxbrew/opt/greeter"
          ;;
        'list --formula --versions'*)
          if [ -d "$MACHINE/home/linuxbrew/.linuxbrew/Cellar/greeter" ]; then echo greeter 1.1.0 1.2.0_1; else exit 1; fi ;;
        uninstall*)
          rm -r "$MACHINE/home/linuxbrew/.linuxbrew/Cellar/greeter" "$MACHINE/home/linuxbrew/.linuxbrew/opt/greeter" ;;
      esac
      """,
      "runuser": "", "useradd": "", "chown": "", "curl": "", "stat": "echo linuxbrew",
      "getent": "echo \"linuxbrew:x:1001:1001::$MACHINE/home/linuxbrew:/bin/bash\"",
      "ln": "PATH=/usr/bin:/bin; exec ln \"$@\"",
    ]
  }

  private static func bringTap(_ guest: borrowing RecordedGuest) throws {
    try guest.write("class Greeter < Formula\nend\n", to: "/var/lib/muster/homebrew-1/repository/Formula/greeter.rb")
  }

  @Test func homebrewByATap() async throws {
    let guest = try RecordedGuest(Self.brew())
    try Self.bringTap(guest)
    let last = try await guest.run(Self.tap, .debian)
    #expect(last.part == "x: test" && last.result.status == 0 && last.result.mismatch == nil, "\(last)")
    for part in [ChannelPart.reinstall, .upgrade(.untouched), .remove, .removed(purged: false)] {
      let result = try await guest.run(part, of: Self.tap, .debian)
      #expect(result.status == 0 && result.mismatch == nil, "\(part): \(result)")
    }
    #expect(
      try guest.calls(of: "brew") == [
        "brew --repository muster/tap", "brew commands --quiet", "brew trust --formula muster/tap/greeter",
        "brew fetch --retry muster/tap/greeter", "brew install --formula muster/tap/greeter",
        "brew list --formula --versions muster/tap/greeter", "brew --prefix muster/tap/greeter",
        "brew linkage --test muster/tap/greeter",
        "brew install --formula --only-dependencies --include-test muster/tap/greeter", "brew test muster/tap/greeter",
        "brew reinstall --formula muster/tap/greeter", "brew upgrade --formula muster/tap/greeter",
        "brew uninstall --formula --force muster/tap/greeter", "brew --prefix",
        "brew list --formula --versions muster/tap/greeter",
      ])
    let installed = guest.path(
      "/home/linuxbrew/.linuxbrew/Homebrew/Library/Taps/muster/homebrew-tap/Formula/greeter.rb")
    #expect(FileManager.default.fileExists(atPath: installed))
    // Never as root, and with a home folder of its own.
    let calls = try guest.calls(of: "brew", "runuser")
    for (index, call) in calls.enumerated() where call.hasPrefix("brew ") {
      #expect(calls[index - 1] == "runuser -u linuxbrew -- env HOME=/home/linuxbrew \(call)")
    }
  }

  @Test func homebrewByItsInstaller() async throws {
    let guest = try RecordedGuest(Self.brew())
    _ = try await guest.run(.bring, of: Self.released, .fedora)
    let calls = try guest.calls(of: "useradd", "curl", "runuser")
    #expect(calls.count == 3)
    #expect(calls.first == "useradd -m -d /home/linuxbrew -s /bin/bash linuxbrew")
    #expect(calls[1].hasSuffix(" https://raw.githubusercontent.com/Homebrew/install/HEAD/install.sh"))
    #expect(
      calls[2].hasPrefix(
        "runuser -u linuxbrew -- env HOME=/home/linuxbrew USER=linuxbrew NONINTERACTIVE=1 /bin/bash "))
  }

  @Test func homebrewThatIsThere() async throws {
    let guest = try RecordedGuest(Self.brew())
    try guest.write("", to: "/home/linuxbrew/.linuxbrew/bin/brew")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: guest.path("/home/linuxbrew/.linuxbrew/bin/brew"))
    let result = try await guest.run(.bring, of: Self.released, .fedora)
    #expect(result.status == 0)
    #expect(try guest.calls(of: "useradd", "curl", "runuser") == [])
  }

  @Test func homebrewByAName() async throws {
    let guest = try RecordedGuest(Self.brew())
    _ = try await guest.run(.add, of: Self.released, .fedora)
    #expect(
      try guest.calls(of: "brew") == [
        "brew tap greeter/tap", "brew commands --quiet", "brew trust --formula greeter/tap/greeter",
      ])
  }

  /// What goes wrong, at which part, and how it is told.
  @Test(
    arguments: [
      ("fetch*) echo 'curl: (6) Could not resolve host: greeter.example' >&2; exit 1 ;;", "x: fetch", 1, nil),
      (
        "'install --formula muster'*) echo 'Error: The `brew link` step did not complete successfully' >&2; exit 1 ;;",
        "x: install", 1, nil
      ),
      ("list*) exit 1 ;;", "x: version", 0, "package=muster/tap/greeter is not installed"),
      (
        "linkage*) printf 'Missing libraries:\\n  libgreeter.so.1\\n'; exit 1 ;;", "x: linkage", 0,
        "linkage=muster/tap/greeter: Missing libraries: libgreeter.so.1 "
      ),
      (
        "test*) echo 'Error: muster/tap/greeter: failed' >&2; exit 1 ;;", "x: test", 0,
        "test=muster/tap/greeter does not pass its own test"
      ),
    ] as [(String, String, Int, String?)])
  func homebrewThatFails(misbehavior: String, part: String, status: Int, mismatch: String?) async throws {
    let guest = try RecordedGuest(Self.brew(misbehavior))
    try Self.bringTap(guest)
    let last = try await guest.run(Self.tap, .debian)
    #expect(last.part == part)
    #expect(last.result.status == status)
    #expect(last.result.mismatch == mismatch)
  }

  @Test func homebrewThatLeavesSomething() async throws {
    let guest = try RecordedGuest(Self.brew("uninstall*) ;;"))
    try Self.bringTap(guest)
    _ = try await guest.run(Self.tap, .debian)
    _ = try await guest.run(.remove, of: Self.tap, .debian)
    let result = try await guest.run(.removed(purged: false), of: Self.tap, .debian)
    #expect(result.mismatch?.hasSuffix("/.linuxbrew/opt/greeter is still there") == true, "\(result)")
  }

  // MARK: - dnf 5

  private static let rpm = ChannelStep(
    channel: .rpm,
    source: .repository(ChannelStep.Repository(place: .folder("/host/rpm"), key: "/host/key.asc")),
    packages: ["greeter"], version: "1.2.0", checks: [.version])

  private static func dnf5(_ misbehavior: String = "") -> [String: String] {
    [
      "dnf5": "case $* in\n\(misbehavior)\n*) ;;\nesac",
      "rpm": "case $* in -q*) echo 1.2.0-1.fc44 ;; esac",
    ]
  }

  @Test func dnf5() async throws {
    let guest = try RecordedGuest(Self.dnf5())
    for part in [
      ChannelPart.add, .refresh, .install, .check(.version), .reinstall, .upgrade(.untouched), .downgrade,
    ] {
      let result = try await guest.run(part, of: Self.rpm, .fedora)
      #expect(result.status == 0 && result.mismatch == nil, "\(part): \(result)")
    }
    #expect(
      try guest.calls(of: "dnf5") == [
        "dnf5 -y --disablerepo=* --enablerepo=muster-1 makecache", "dnf5 -y install greeter-1.2.0",
        "dnf5 -y reinstall greeter-1.2.0", "dnf5 -y upgrade greeter-1.2.0", "dnf5 -y downgrade greeter-1.2.0",
      ])
    let settings = try String(contentsOfFile: guest.path("/etc/yum.repos.d/muster-1.repo"), encoding: .utf8)
    #expect(settings.contains("gpgcheck=1\nrepo_gpgcheck=1\nskip_if_unavailable=0\n"))
  }

  /// dnf 5 ends with 0 though a script failed: its words count.
  @Test func dnf5WithAScriptThatFails() async throws {
    let line = ">>> [RPM] %post(greeter-1.2.0-1.x86_64) scriptlet failed, exit status 3"
    let guest = try RecordedGuest(Self.dnf5("'-y install'*) echo '\(line)' ;;"))
    let result = try await guest.run(.install, of: Self.rpm, .fedora)
    #expect(result.status == 0)
    #expect(FailureSign.ofScript(result.output) == line)
  }

  @Test func dnf5ThatDoesNotFindIt() async throws {
    let guest = try RecordedGuest(
      Self.dnf5("'-y install'*) echo 'No match for argument: greeter-1.2.0' >&2; exit 1 ;;"))
    let result = try await guest.run(.install, of: Self.rpm, .fedora)
    #expect(result.status == 1)
    #expect(FailureSign.ofInstall(result.output, exit: 1, family: .fedora)?.cause == .noSuchPackage)
  }

  // MARK: - apk

  private static func apk(_ source: ChannelStep.Source, version: MaskedText? = "1.2.0") -> ChannelStep {
    ChannelStep(channel: .apk, source: source, packages: ["greeter"], version: version)
  }

  private static let repository = ChannelStep.Source.repository(
    ChannelStep.Repository(place: .folder("/host/apk"), key: "/host/release-1.rsa.pub"))

  private static func apkFake(_ misbehavior: String = "") -> [String: String] {
    [
      "apk": """
      if [ "$1" = --wait ]; then shift 2; fi
      case $* in
        \(misbehavior)
        'policy greeter') printf 'greeter policy:\\n  1.1.0-r0:\\n    /r\\n  1.2.0-r3:\\n    /r\\n' ;;
        'list --installed greeter') echo 'greeter-1.2.0-r3 x86_64 {greeter} (MIT) [installed]' ;;
        'info --quiet --contents greeter') printf 'usr/bin/no-such-greeter\\netc/greeter.conf\\n\\n' ;;
        'audit --system') printf 'U usr/bin/other\\nA etc/greeter.conf\\n' ;;
      esac
      """
    ]
  }

  /// Alpine's own shell, where this host has it.
  private static let shells =
    [["/bin/sh"]]
    + ["/bin/busybox", "/usr/bin/busybox"].filter(FileManager.default.isExecutableFile).prefix(1).map { [$0, "sh"] }

  private func guest(_ shell: [String], _ misbehavior: String = "") throws -> RecordedGuest {
    var guest = try RecordedGuest(Self.apkFake(misbehavior))
    guest.shell = shell
    try guest.write("-----BEGIN PUBLIC KEY-----\n", to: "/var/lib/muster/apk-1/key")
    return guest
  }

  @Test(arguments: shells)
  func apk(shell: [String]) async throws {
    let guest = try guest(shell)
    let channel = Self.apk(Self.repository)
    let last = try await guest.run(channel, .alpine)
    #expect(last.part == "x: permissions" && last.result.mismatch == nil, "\(last)")
    for part in [ChannelPart.upgrade(.untouched), .reinstall, .remove, .purge] {
      let result = try await guest.run(part, of: channel, .alpine)
      #expect(result.status == 0, "\(part): \(result)")
    }
    let changes = ["add", "fix", "del", "update"]
    #expect(
      try guest.calls(of: "apk").filter { call in changes.contains { call.contains(" \($0)") } } == [
        "apk --wait 300 --repositories-file /var/lib/muster/apk-1/repositories update", "apk --wait 300 update",
        "apk --wait 300 add greeter=1.2.0-r3", "apk --wait 300 add --upgrade greeter=1.2.0-r3",
        "apk --wait 300 fix --reinstall greeter", "apk --wait 300 del greeter", "apk --wait 300 del --purge greeter",
      ])
    #expect(FileManager.default.fileExists(atPath: guest.path("/etc/apk/keys/release-1.rsa.pub")))
    let repositories = try String(contentsOfFile: guest.path("/etc/apk/repositories"), encoding: .utf8)
    #expect(repositories.hasSuffix("/var/lib/muster/apk-1/repository\n"))
  }

  /// Only where there is nothing to trust.
  @Test func apkWithoutAKey() async throws {
    let guest = try guest(["/bin/sh"])
    _ = try await guest.run(.install, of: Self.apk(.file("/host/greeter-1.2.0-r3.apk")), .alpine)
    #expect(
      try guest.calls(of: "apk").last
        == "apk --wait 300 --allow-untrusted add /var/lib/muster/apk-1/greeter-1.2.0-r3.apk")
  }

  @Test func apkWithAKeyThatIsNone() async throws {
    let guest = try guest(["/bin/sh"])
    try guest.write("<html>404</html>\n", to: "/var/lib/muster/apk-1/key")
    let result = try await guest.run(.add, of: Self.apk(Self.repository), .alpine)
    #expect(result.status == 1 && result.output.contains("no public key in PEM form"))
  }

  /// apk 3 ends with 0 though it cannot use a repository in a folder; apk 2 though a script failed.
  @Test(arguments: shells)
  func apkThatMisbehaves(shell: [String]) async throws {
    let untrusted = try guest(
      shell, "*update) echo 'WARNING: opening /var/lib/muster/apk-1/repository: UNTRUSTED signature' >&2 ;;")
    let refresh = try await untrusted.run(.refresh, of: Self.apk(Self.repository), .alpine)
    #expect(refresh.status == 1)
    #expect(FailureSign.ofInstall(refresh.output, exit: 1, family: .alpine)?.cause == .signature)

    let scripted = try guest(
      shell, "'add '*) echo 'ERROR: greeter-1.2.0-r3.post-install: script exited with error 3' >&2 ;;")
    let install = try await scripted.run(.install, of: Self.apk(Self.repository), .alpine)
    #expect(install.status == 0)
    #expect(FailureSign.ofScript(install.output) == "ERROR: greeter-1.2.0-r3.post-install: script exited with error 3")

    let changed = try guest(shell, "'audit --system') echo 'U usr/bin/no-such-greeter' ;;")
    let files = try await changed.run(.check(.files), of: Self.apk(Self.repository), .alpine)
    #expect(files.mismatch == "files=not as they were packed: /usr/bin/no-such-greeter")

    let broken = try guest(shell)
    try broken.write("P:other\nf:s\n\nP:greeter\nV:1.2.0-r3\nf:s\n", to: "/lib/apk/db/installed")
    let version = try await broken.run(.check(.version), of: Self.apk(Self.repository), .alpine)
    #expect(version.mismatch == "package=greeter is not installed in full")

    let old = try guest(shell)
    let wrong = try await old.run(.install, of: Self.apk(Self.repository, version: "1.3.0"), .alpine)
    #expect(wrong.status == 66 && wrong.output.contains("no repository has version 1.3.0 of greeter"))
  }

  // MARK: - A served repository

  @Test func serves() async throws {
    let guest = try RecordedGuest([
      "setsid": "PATH=/usr/sbin:/usr/bin:/sbin:/bin; exec setsid \"$@\"",
      "timeout": "PATH=/usr/bin:/bin; exec timeout \"$@\"",
      "mkfifo": "PATH=/usr/bin:/bin; exec mkfifo \"$@\"", "python3": "PATH=/usr/bin:/bin; exec /usr/bin/python3 \"$@\"",
    ])
    try guest.write("hello\n", to: "/var/lib/muster/apt-1/repository/greeting")
    let channel = ChannelStep(
      channel: .apt, source: .repository(ChannelStep.Repository(place: .folder("/host/apt"), isServed: true)),
      packages: ["greeter"])
    let result = try await guest.run(.serve, of: channel, .debian)
    #expect(result.status == 0, "\(result)")
    let port = guest.path("/var/lib/muster/apt-1/port")
    let number = try String(contentsOfFile: port, encoding: .utf8).filter(\.isNumber)
    let process = try #require(Int32(try String(contentsOfFile: "\(port).pid", encoding: .utf8).filter(\.isNumber)))
    defer { kill(process, SIGKILL) }
    let answer = try await HostCommand(
      "/usr/bin/python3",
      [
        "-c",
        "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=10); "
          + "c.request('GET', '/greeting'); print(c.getresponse().read())", number,
      ]
    ).run()
    #expect(answer.text.contains("hello"), "\(answer.errorText)")
    try guest.write("", to: "/etc/apt/sources.list.d/others.sources")
    _ = try await guest.run(.add, of: channel, .debian)
    let sources = try String(contentsOfFile: guest.path("/etc/apt/sources.list.d/muster-1.sources"), encoding: .utf8)
    #expect(sources.contains("URIs: http://127.0.0.1:\(number)/\n"))
  }
}
