import CustomDump
import Foundation
import MusterCatalog
import MusterDiagnostics
import MusterHost
import MusterMatrix
import Testing

@testable import MusterChannels

/// What a channel's step is taken apart into, and the very commands, for each family: `Texts/NAME.txt`.
/// `UPDATE_GOLDENS=1` writes them; read them before they are kept.
@Suite struct ChannelGoldenTests {
  private static let signed = ChannelStep.Repository(
    place: .folder("/host/dist/repo"), suite: "stable", components: ["main"], key: "/host/dist/key.asc")
  private static let remote = ChannelStep.Repository(
    place: .url(MaskedText(segments: [.text("https://"), .secret("TOKEN"), .text("@repo.example/it's")])))

  private static let fingerprinted = ChannelStep.Repository(
    place: .folder("/host/dist/repo"), suite: "stable", key: "/host/dist/key.asc",
    fingerprint: "57360AC6F90E3947D73F0F00B4F17533C2E23B4E", isServed: true)
  private static let rsa = ChannelStep.Repository(
    place: .folder("/host/dist/apk"), key: "/host/dist/release@greeter.example-1.rsa.pub")

  private static let cases: [(name: String, family: Family, step: ChannelStep)] = [
    ("apt-signed", .debian, step(.apt, .repository(signed), ["greeter"], "1.2.0")),
    ("apt-remote", .debian, step(.apt, .repository(remote), ["greeter", "greeter-doc"])),
    ("apt-file", .debian, step(.apt, .file("/host/dist/greeter_1.2.0_amd64.deb"), [])),
    ("rpm-signed-fedora", .fedora, step(.rpm, .repository(signed), ["greeter"], "1.2.0")),
    ("rpm-remote-fedora", .fedora, step(.rpm, .repository(remote), ["greeter"])),
    ("rpm-file-fedora", .fedora, step(.rpm, .file("/host/dist/greeter.rpm"), [])),
    ("rpm-signed-suse", .suse, step(.rpm, .repository(signed), ["greeter"], "1.2.0")),
    ("aur-signed", .arch, step(.aur, .repository(signed), ["greeter"], "1.2.0")),
    ("aur-pkgbuild", .arch, step(.aur, .pkgbuild("/host/dist/aur"), [])),
    ("aur-package", .arch, step(.aur, .userRepository, ["greeter-bin"])),
    ("pypi-remote", .arch, step(.pypi, .repository(remote), ["greeter"], "1.2.0")),
    ("pypi-file", .debian, step(.pypi, .file("/host/dist/greeter-1.2.0-py3-none-any.whl"), [])),
    ("apt-served", .debian, step(.apt, .repository(fingerprinted), ["greeter"])),
    (
      "pypi-served", .fedora,
      step(.pypi, .repository(ChannelStep.Repository(place: .folder("/host/p"), isServed: true)), ["greeter"])
    ),
    ("apk-signed", .alpine, step(.apk, .repository(rsa), ["greeter"], "1.2.0")),
    ("apk-remote", .alpine, step(.apk, .repository(remote), ["greeter", "greeter-doc"])),
    ("apk-file", .alpine, step(.apk, .file("/host/dist/greeter-1.2.0-r0.apk"), [])),
    ("homebrew-tap", .debian, step(.homebrew, .formula(tap: "/host/dist/tap"), ["greeter"], "1.2.0")),
    ("homebrew-remote", .fedora, step(.homebrew, .formula(tap: nil), ["greeter/tap/greeter"])),
    ("rpm-file-suse", .suse, step(.rpm, .file("/host/dist/greeter.rpm"), [])),
  ]

  private static func step(
    _ channel: ChannelStep.Channel, _ source: ChannelStep.Source, _ packages: [String], _ version: MaskedText? = nil
  ) -> ChannelStep {
    ChannelStep(channel: channel, source: source, packages: packages, version: version)
  }

  @Test(arguments: cases.map(\.name))
  func commands(name: String) async throws {
    let (_, family, channel) = try #require(Self.cases.first { $0.name == name })
    let step = Step(
      action: .channel(channel, nil, number: 0), title: "\(channel.channel.rawValue) greeter",
      location: Location(file: "m.yaml", line: 1, column: 1))
    var text = ""
    for part in step.parts(of: channel, 1, family) {
      let lines = part.explanation(for: family)
      text += "## \(part.title)\n" + lines.joined(separator: "\n") + "\n\n"
      if case .channel = part.action { try await expectShell(lines.filter { !$0.hasPrefix("# ") }, part.title) }
    }
    let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Texts/\(name).txt").path
    if HostFacts.environment("UPDATE_GOLDENS") == "1" { return try FileSystem.write(text, to: path) }
    expectNoDifference(text, try FileSystem.readText(path))
  }

  /// A shell can read it.
  private func expectShell(_ lines: [String], _ title: String) async throws {
    let output = try await HostCommand("dash", ["-n"], input: Array(lines.joined(separator: "\n").utf8)).run()
    #expect(output.ending == .exited(0), "\(title): \(output.errorText)")
  }
}
