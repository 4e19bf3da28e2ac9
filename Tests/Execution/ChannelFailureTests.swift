import MusterCatalog
import MusterHost
import MusterMatrix
import Synchronization
import Testing

@testable import MusterExecution

/// Whose fault it is that a part of a channel's step failed, by what the package managers print.
@Suite struct ChannelFailureTests {
  private static let remote = ChannelStep.Source.repository(.init(place: .url("https://apt.greeter.example/debian")))
  private static let folder = ChannelStep.Source.repository(.init(place: .folder("/host/dist")))

  private func verdict(
    _ output: String, _ part: ChannelPart, _ source: ChannelStep.Source, channel: ChannelStep.Channel = .apt,
    family: Family = .debian, status: Int = 100, othersAnswer: Bool = true
  ) async -> Verdict {
    await ChannelFailure(
      part: part, channel: ChannelStep(channel: channel, source: source, packages: ["greeter"]), name: "muster-1",
      output: output, lastLines: output.split(separator: "\n").suffix(5).map(String.init), status: status,
      family: family
    ).verdict { _ in othersAnswer }
  }

  struct Fault: Sendable, CustomTestStringConvertible {
    var channel: ChannelStep.Channel
    var family: Family
    var output: String
    var testDescription: String { "\(family): \(output.prefix(60))" }
  }

  static let faults = [
    Fault(
      channel: .apt, family: .debian,
      output: "E: Failed to fetch https://apt.greeter.example/debian/InRelease  Could not resolve 'apt.greeter.example'"
    ),
    Fault(
      channel: .apt, family: .debian,
      output: "E: The repository 'https://apt.greeter.example/debian ./ Release' does not have a Release file.\n"
        + "Err:1 https://apt.greeter.example/debian ./ Release\n  404  Not Found [IP: 1.2.3.4 443]"),
    Fault(
      channel: .apt, family: .debian,
      output:
        "E: Failed to fetch https://apt.greeter.example/debian/Packages  File has unexpected size (12 != 4711). Mirror "
        + "sync in progress? [IP: 1.2.3.4 443]"),
    Fault(
      channel: .rpm, family: .fedora,
      output: "Errors during downloading metadata for repository 'muster-1':\n  - Status code: 404 for "
        + "https://apt.greeter.example/debian/repodata/repomd.xml"),
    Fault(
      channel: .rpm, family: .fedora,
      output:
        "  - Curl error (18): Transferred a partial file for https://apt.greeter.example/debian/x [transfer closed "
        + "with 100 bytes remaining to read]"),
    Fault(
      channel: .rpm, family: .suse,
      output:
        "Download (curl) error for 'https://apt.greeter.example/debian/repodata/repomd.xml':\nError code: Connection failed"
    ),
    Fault(
      channel: .aur, family: .arch,
      output: "error: failed retrieving file 'greeter.db' from apt.greeter.example : Connection refused"),
    Fault(
      channel: .pypi, family: .debian,
      output:
        "WARNING: Retrying (Retry(total=4, connect=None)) broken by 'NewConnectionError': /debian/greeter/\n"
        + "ERROR: No matching distribution found for greeter"),
    Fault(
      channel: .pypi, family: .debian,
      output: "ERROR: No matching distribution found for greeter\nThe index cannot be read: "
        + "https://apt.greeter.example/debian/greeter/: IncompleteRead(4 bytes read, 99996 more expected)"),
    Fault(
      channel: .apt, family: .debian,
      output:
        "E: Failed to fetch https://apt.greeter.example/debian/InRelease  Undetermined Error [IP: 1.2.3.4 443]"),
  ]

  /// It is never the release's; which of the two it is, another host tells.
  @Test(arguments: faults, [true, false])
  func network(fault: Fault, othersAnswer: Bool) async {
    let verdict = await verdict(
      fault.output, .refresh, Self.remote, channel: fault.channel, family: fault.family, status: 1,
      othersAnswer: othersAnswer)
    guard case .error(let reason) = verdict else { return #expect(Bool(false), "\(verdict)") }
    #expect(reason.blame == (othersAnswer ? .publisher : .mirror))
    #expect(reason.evidence.count == 1)
  }

  /// What the distro's own mirror does while the release is installed has nothing to do with its publisher.
  @Test func theDistrosMirror() async {
    let verdict = await verdict(
      "E: Failed to fetch http://deb.debian.org/debian/pool/x.deb  Could not connect to deb.debian.org:80", .install,
      Self.remote)
    guard case .error(let reason) = verdict else { return #expect(Bool(false), "\(verdict)") }
    #expect(reason.blame == .mirror && reason.message == "a mirror cannot be reached")
  }

  /// What the release depends on comes from PyPI.
  @Test func pyPIItself() async {
    let verdict = await verdict(
      "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError': /simple/six/", .install,
      Self.folder, channel: .pypi, status: 1)
    guard case .error(let reason) = verdict else { return #expect(Bool(false), "\(verdict)") }
    #expect(reason.blame == .mirror)
  }

  struct Fact: Sendable, CustomTestStringConvertible {
    var output: String
    var part: ChannelPart
    var isRemote = false
    var message: String
    var testDescription: String { message }
  }

  static let facts = [
    Fact(
      output: "E: Failed to fetch file:/var/lib/muster/apt-1/repository/x/Packages  Hash Sum mismatch", part: .refresh,
      message: "the repository is not in order"),
    Fact(
      output: "E: Failed to fetch https://apt.greeter.example/debian/Packages  Hash Sum mismatch", part: .refresh,
      isRemote: true, message: "the repository is not in order"),
    Fact(
      output: "[MIRROR] greeter.rpm: Downloading successful, but checksum doesn't match. Calculated: 1(sha256)\n"
        + "Error: Error downloading packages:\n  Cannot download greeter.rpm: All mirrors were tried",
      part: .refresh, isRemote: true, message: "the repository is not in order"),
    Fact(
      output: "Error opening /var/lib/muster/rpm-1/repository/greeter.rpm: No such file or directory\n"
        + "Package \"greeter\" from local repository \"muster-1\" has incorrect checksum",
      part: .install, message: "the release is not in order"),
    Fact(
      output: "File './greeter.rpm' not found on medium 'file:/var/lib/muster/rpm-1/repository'",
      part: .install, message: "the release is not in order"),
    Fact(
      output: " greeter : Depends: libc6 (>= 2.39) but 2.36-9+deb12u9 is to be installed", part: .install,
      message: "what the release depends on is here in another version"),
    Fact(
      output: "W: GPG error: file:/x InRelease: NO_PUBKEY 1", part: .refresh,
      message: "the repository's signature is not accepted"),
    Fact(
      output: "E: Release file for file:/x/InRelease is expired (invalid since 4d). Updates will not be applied.",
      part: .refresh, message: "the repository's index is too old"),
    Fact(
      output: " greeter : Depends: libgreeting9 (>= 2) but it is not installable", part: .install,
      message: "what the release depends on does not exist here"),
    Fact(
      output: "dpkg: error processing package greeter (--configure):\n end of file on stdin at conffile prompt",
      part: .upgrade(.untouched), message: "the upgrade asks about a configuration file that nobody changed"),
    Fact(
      output: "dpkg: error processing archive: trying to overwrite '/usr/bin/env', which is also in package coreutils",
      part: .install, message: "a file of the package belongs to another package already"),
    Fact(
      output:
        "dpkg: error processing archive x.deb (--unpack):\n package architecture (arm64) does not match system (amd64)",
      part: .install, message: "the package is not for this architecture"),
    Fact(
      output: " installed greeter package post-installation script subprocess returned error exit status 3",
      part: .install, message: "a script of the package failed"),
    Fact(output: "nobody knows", part: .downgrade, message: "it cannot be downgraded: exit status 100"),
  ]

  @Test(arguments: facts)
  func theReleases(fact: Fact) async {
    let verdict = await verdict(fact.output, fact.part, fact.isRemote ? Self.remote : Self.folder)
    guard case .failed(let reason, _) = verdict else { return #expect(Bool(false), "\(verdict)") }
    #expect(reason.message == fact.message)
    #expect(reason.blame == nil)
  }

  @Test func theMachines() async {
    for output in ["E: Write error - write (28: No space left on device)", "E: Could not get lock /var/lib/dpkg/lock"] {
      let verdict = await verdict(output, .install, Self.folder)
      guard case .error(let reason) = verdict else { return #expect(Bool(false), "\(verdict)") }
      #expect(reason.blame == .guest)
    }
  }
}
