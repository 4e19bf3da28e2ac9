import MusterCatalog
import MusterMatrix
import Testing

@testable import MusterExecution

/// Whose fault it is that a part of a channel's step failed.
@Suite struct ChannelBlameTests {
  private static let formula = ChannelStep(
    channel: .homebrew, source: .formula(tap: nil), packages: ["greeter/tap/greeter"])
  private static let served = ChannelStep(
    channel: .apt, source: .repository(ChannelStep.Repository(place: .folder("/host/apt"), isServed: true)),
    packages: ["greeter"])

  private func verdict(
    of channel: ChannelStep, _ part: ChannelPart, _ output: String, othersAnswer: Bool = true
  ) async -> String {
    let failure = ChannelFailure(
      part: part, channel: channel, name: "muster-1", output: output, lastLines: [output], status: 1, family: .debian)
    switch await failure.verdict({ _ in othersAnswer }) {
    case .passed: return "passed"
    case .failed: return "failed"
    case .error(let reason): return reason.blame.map { "\($0)" } ?? "error"
    }
  }

  @Test func homebrew() async {
    let own = "curl: (6) Could not resolve host: greeter.example"
    #expect(await verdict(of: Self.formula, .fetch, own) == "publisher")
    #expect(await verdict(of: Self.formula, .fetch, own, othersAnswer: false) == "mirror")
    #expect(await verdict(of: Self.formula, .fetch, "curl: (6) Could not resolve host: ghcr.io") == "mirror")
    #expect(
      await verdict(of: Self.formula, .bring, "curl: (7) Failed to connect to raw.githubusercontent.com port 443")
        == "mirror")
    let unavailable =
      "curl: (22) The requested URL returned error: 404\nError: Download failed: https://greeter.example/x"
    #expect(await verdict(of: Self.formula, .fetch, unavailable) == "failed")
    #expect(await verdict(of: Self.formula, .fetch, "SHA-256 mismatch\nExpected: 00") == "failed")
    #expect(await verdict(of: Self.formula, .install, "Error: greeter 1.2.0 did not build") == "failed")
  }

  /// What the machine serves itself, no network stands between.
  @Test func served() async {
    let refused = "E: Failed to fetch http://127.0.0.1:40001/x  Could not connect to 127.0.0.1:40001 (127.0.0.1)."
    #expect(await verdict(of: Self.served, .refresh, refused) == "failed")
    let mirror = "E: Failed to fetch http://deb.debian.org/x  Could not connect to deb.debian.org:80"
    #expect(await verdict(of: Self.served, .install, mirror) == "mirror")
  }
}
