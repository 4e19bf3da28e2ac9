import Foundation
import MusterCatalog
import MusterDiagnostics
import MusterMatrix
import Testing

@testable import MusterChannels

/// What is made of what a package manager's database says of a release, and of what the machine was before.
@Suite struct ReleaseVersionTests {
  private static func release(_ packages: [String], version: MaskedText? = nil) -> ChannelStep {
    ChannelStep(
      channel: .apt, source: .repository(ChannelStep.Repository(place: .folder("/host/apt"), suite: "stable")),
      packages: packages, version: version)
  }

  /// A machine with `greeter` and an older `greeter-doc`.
  private static func guest() throws -> RecordedGuest {
    let guest = try RecordedGuest([
      "dpkg-query": """
      case $* in
        *Status-Status*) echo installed:greeter=1.2.0-1; echo removed:other=1 ;;
        *greeter-doc) echo 'ii =1.1.0-1' ;;
        *greeter) echo 'ii =1.2.0-1' ;;
        *) exit 1 ;;
      esac
      """,
      "apt-cache": """
      echo '   greeter | 1.3.0-1 | http://deb.example/debian stable/main amd64 Packages'
      echo '   greeter | 1.2.0-1 | http://u@host.example/apt stable/main amd64 Packages'
      """,
      "apt-get": "",
    ])
    try guest.write("URIs: http://u:p@host.example/apt/\n", to: "/etc/apt/sources.list.d/muster-1.sources")
    return guest
  }

  private func mismatch(_ step: ChannelStep, _ guest: borrowing RecordedGuest) async throws -> String? {
    let result = try await guest.run(.check(.version), of: step, .debian)
    #expect(result.status == 0, "\(result)")
    return result.mismatch
  }

  @Test func eachPackageHasTheVersion() async throws {
    let guest = try Self.guest()
    #expect(try await mismatch(Self.release(["greeter"], version: "1.2.0"), guest) == nil)
    #expect(
      try await mismatch(Self.release(["greeter", "greeter-doc"], version: "1.2.0"), guest)
        == "version of greeter-doc=1.1.0-1")
    #expect(
      try await mismatch(Self.release(["greeter", "gone"], version: "1.2.0"), guest)
        == "package=gone is not installed in full")
  }

  @Test func withoutAVersionItIsTheRepositorys() async throws {
    let guest = try Self.guest()
    #expect(try await mismatch(Self.release(["greeter"]), guest) == nil)
    try guest.write("URIs: http://deb.example/debian\n", to: "/etc/apt/sources.list.d/muster-1.sources")
    #expect(
      try await mismatch(Self.release(["greeter"]), guest)
        == "package=greeter 1.2.0-1 is not from the release's repository")
  }

  @Test func anUpgradeThatDoesNothing() async throws {
    let guest = try Self.guest()
    let release = Self.release(["greeter"])
    try guest.write("", to: "/run/muster-1.loader")
    try guest.write("", to: "/run/muster-index")
    let upgrade = try await guest.run(.upgrade(.untouched), of: release, .debian)
    #expect(upgrade.status == 0, "\(upgrade)")
    // What is known of the older one's programs is forgotten.
    #expect(!FileManager.default.fileExists(atPath: guest.path("/run/muster-1.loader")))
    #expect(try await mismatch(release, guest) == "package=greeter is still 1.2.0-1 after the upgrade")
  }

  /// Nothing left is never said where nothing is known.
  @Test func leftoversWithoutAListOfBefore() async throws {
    let guest = try Self.guest()
    let result = try await guest.run(
      .leftovers(ignored: [], purged: true), of: Self.release(["greeter"]), .debian)
    #expect(result.status == 1 && result.output.contains("is not known any more"), "\(result)")
  }

  @Test func aServedRepositoryIsServedAgainAfterARestart() throws {
    let place = Location(file: "m.yaml", line: 1, column: 1)
    var release = Self.release(["greeter"])
    if case .repository(var repository) = release.source {
      repository.isServed = true
      release.source = .repository(repository)
    }
    let phases = [
      Phase(kind: .provision, steps: [Step(action: .channel(release, nil, number: 0), title: "x", location: place)]),
      Phase(kind: .verify, steps: [Step(action: .reboot, title: "reboot", location: place)]),
    ]
    let plan = CellPlan(
      cell: "c", test: "t", distro: "d", axes: [], family: .debian, cpu: .x86_64, tags: [], images: [],
      resources: Resources(cpus: 1, memory: 1, disk: 1),
      timeouts: Timeouts(launch: .seconds(1), step: .seconds(1), cell: .seconds(1)),
      attempts: Attempts(launch: 1, cell: 1), logLimit: 1, phases: phases, lifecycle: nil, location: place)
    let titles = plan.takenApart().phases.map { $0.steps.map(\.title) }
    #expect(titles.last == ["reboot", "x: serve the repository"])
  }
}
