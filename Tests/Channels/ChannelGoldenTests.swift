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
    ("appimage-mounted-debian", .debian, appImage(.mounted, "1.2.0")),
    ("appimage-mounted-fedora", .fedora, appImage(.mounted, checks: [])),
    ("appimage-mounted-suse", .suse, appImage(.mounted, checks: [])),
    ("appimage-mounted-arch", .arch, appImage(.mounted, checks: [])),
    ("appimage-mounted-alpine", .alpine, appImage(.mounted, checks: [])),
    ("appimage-extract-and-run", .debian, appImage(.extractAndRun, checks: [.format, .start])),
    (
      "appimage-remote-extracted", .fedora,
      ChannelStep(
        channel: .appimage,
        source: .appImage(
          ChannelStep.AppImage(
            place: .url(
              MaskedText(segments: [.text("https://"), .secret("TOKEN"), .text("@g.example/it's-1.AppImage?a=b")])),
            command: "greeter", run: .extracted, sha256: String(repeating: "0a", count: 32))),
        packages: [], checks: [.sha256, .start, .version])
    ),
  ]

  private static func step(
    _ channel: ChannelStep.Channel, _ source: ChannelStep.Source, _ packages: [String], _ version: MaskedText? = nil
  ) -> ChannelStep {
    ChannelStep(channel: channel, source: source, packages: packages, version: version)
  }

  private static func appImage(
    _ run: ChannelStep.AppImage.Run, _ version: MaskedText? = nil, checks: [ChannelStep.Check]? = nil
  ) -> ChannelStep {
    let image = ChannelStep.AppImage(
      place: .file("/host/dist/Greeter-x86_64.AppImage"), command: "greeter", run: run)
    return ChannelStep(
      channel: .appimage, source: .appImage(image), packages: [], version: version, checks: checks)
  }

  @Test(arguments: cases.map(\.name))
  func commands(name: String) async throws {
    let (_, family, channel) = try #require(Self.cases.first { $0.name == name })
    try await expect(Self.step(channel).parts(of: channel, 1, family), family, "\(name).txt")
  }

  /// What happens beside: each course on each family.
  @Test(
    arguments: ["apt-signed", "apt-file", "rpm-signed-fedora", "rpm-signed-suse", "aur-signed", "pypi-file"],
    Lifecycle.Course.allCases)
  func lifecycle(name: String, course: Lifecycle.Course) async throws {
    let (_, family, channel) = try #require(Self.cases.first { $0.name == name })
    if course == .refuse, channel.repository?.key == nil { return }
    let place = Location(file: "m.yaml", line: 9, column: 1)
    var older = channel
    older.version = "1.1.0"
    // From the same place, changed by the administrator; and from another, untouched.
    var elsewhere = older
    if case .file = channel.source { elsewhere.source = .file("/host/old/\(name)") }
    let other = Lifecycle.Other(
      release: course == .upgrade ? elsewhere : older, settings: channel.version == nil ? .untouched : .changed)
    let lifecycle = Lifecycle(
      course: course, upgrade: .init(other, at: place), downgrade: .init(other, at: place), reinstall: place,
      remove: place, purge: place, installAgain: place,
      leftovers: .init([Lifecycle.Ignored(path: "/var/log/it's", reason: "logs")], at: place),
      refuses: Lifecycle.Refusal.allCases.filter { $0 != .expired || channel.channel == .apt }.map {
        .init($0, at: place)
      })
    let step = Self.step(channel)
    let plan = CellPlan(
      cell: "c", test: "t", distro: "d", axes: [], family: family, cpu: .x86_64, tags: [], images: [],
      resources: Resources(cpus: 1, memory: 1, disk: 1),
      timeouts: Timeouts(launch: .seconds(1), step: .seconds(1), cell: .seconds(1)),
      attempts: Attempts(launch: 1, cell: 1), logLimit: 1, phases: [Phase(kind: .provision, steps: [step])],
      lifecycle: lifecycle, location: place)
    let known = Set(step.parts(of: channel, 1, family).map(\.action))
    // What the ordinary text tells is not told again.
    let steps = plan.takenApart().phases.flatMap(\.steps).filter { !known.contains($0.action) }
    try await expect(steps, family, "\(name)-\(course.rawValue).txt")
  }

  private static func step(_ channel: ChannelStep) -> Step {
    Step(
      action: .channel(channel, nil, number: 0), title: "\(channel.channel.rawValue) greeter",
      location: Location(file: "m.yaml", line: 1, column: 1))
  }

  private func expect(_ steps: [Step], _ family: Family, _ name: String) async throws {
    var text = ""
    for part in steps {
      let lines = part.explanation(for: family)
      text += "## \(part.title)\n" + lines.joined(separator: "\n") + "\n\n"
      if case .channel = part.action { try await expectShell(lines.filter { !$0.hasPrefix("# ") }, part.title) }
    }
    let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Texts/\(name)").path
    if HostFacts.environment("UPDATE_GOLDENS") == "1" { return try FileSystem.write(text, to: path) }
    #expect(diff(text, try FileSystem.readText(path)) == nil)
  }

  /// A shell can read it.
  private func expectShell(_ lines: [String], _ title: String) async throws {
    let output = try await HostCommand("dash", ["-n"], input: Array(lines.joined(separator: "\n").utf8)).run()
    #expect(output.ending == .exited(0), "\(title): \(output.errorText)")
  }
}
