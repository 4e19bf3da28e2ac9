import MusterCatalog
import MusterGuest
import MusterHost
import MusterMatrix
import Testing

@testable import MusterExecution

/// Whose fault it is when an AppImage is not even started.
@Suite struct AppImageVerdictTests {
  private func download(_ line: String, othersAnswer: Bool = true) async -> Verdict {
    let image = ChannelStep.AppImage(place: .url("https://g.example/G.AppImage"), command: "g")
    return await ChannelFailure(
      part: .download, channel: ChannelStep(channel: .appimage, source: .appImage(image), packages: []),
      name: "muster-1", output: line, lastLines: [line], status: 22, family: .debian
    ).verdict { _ in othersAnswer }
  }

  @Test(arguments: [
    "curl: (6) Could not resolve host: g.example", "curl: (22) The requested URL returned error: 404",
    "curl: (7) Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server",
    "curl: (18) transfer closed with 99996 bytes remaining to read",
    "2026-01-01 00:00:00 ERROR 404: Not Found.",
  ])
  func download(line: String) async {
    for othersAnswer in [true, false] {
      guard case .error(let reason) = await download(line, othersAnswer: othersAnswer) else {
        return #expect(Bool(false))
      }
      #expect(reason.blame == (othersAnswer ? .publisher : .mirror) && reason.evidence == [line])
    }
  }

  /// What brings curl is the distro's.
  @Test func downloadTool() async {
    let verdict = await download("E: Failed to fetch http://deb.debian.org/x  Could not connect to deb.debian.org:80")
    guard case .error(let reason) = verdict else { return #expect(Bool(false)) }
    #expect(reason.blame == .mirror && reason.message == "a mirror cannot be reached")
  }

  @Test(arguments: [
    (
      Family.debian, 100, "E: Failed to fetch http://m/x  Could not connect to 127.0.0.1:9 (127.0.0.1). - connect",
      Blame.mirror,
      "a mirror cannot be reached or is not in order (exit status 100)"
    ),
    (
      .fedora, 1, "  - Curl error (6): Couldn't resolve host name for https://m/x", .mirror,
      "a mirror cannot be reached or is not in order (exit status 1)"
    ),
    (.suse, 106, "", .mirror, "a mirror cannot be reached or is not in order (exit status 106)"),
    (
      .arch, 1, "error: failed retrieving file 'core.db' from m : Could not resolve host: m", .mirror,
      "a mirror cannot be reached or is not in order (exit status 1)"
    ),
    (
      .alpine, 1, "ERROR: http://m/x: temporary error (try again later)", .mirror,
      "a mirror cannot be reached or is not in order (exit status 1)"
    ),
    (
      .fedora, 1, "No match for argument: fuse-libs", .guest, "the machine cannot be prepared: exit status 1"
    ),
    (
      .debian, 69, "the kernel of this machine has no FUSE: there is no /dev/fuse", .guest,
      "the machine cannot be prepared: exit status 69"
    ),
  ])
  func preparation(family: Family, status: Int, line: String, blame: Blame, message: String) {
    guard
      case .error(let reason) = Verdict.ofPreparation(
        .exited(status), output: line, lastLines: [line], family: family)
    else { return #expect(Bool(false)) }
    #expect(reason.blame == blame && reason.message == message && !reason.evidence.isEmpty)
  }
}
