import MusterCatalog
import MusterGuest
import MusterHost
import Testing

@testable import MusterExecution

/// Whose fault it is when an AppImage is not even started.
@Suite struct AppImageVerdictTests {
  private func download(_ status: Int, _ line: String) -> Verdict {
    .ofDownload(.exited(status), output: line, lastLines: [line])
  }

  @Test func download() {
    guard case .error(let away) = download(6, "curl: (6) Could not resolve host: g.example"),
      case .failed(let gone, nil) = download(22, "curl: (22) The requested URL returned error: 404")
    else { return #expect(Bool(false)) }
    #expect(away.blame == .mirror && away.evidence == ["curl: (6) Could not resolve host: g.example"])
    #expect(gone.message == "the release cannot be downloaded: exit status 22")
    #expect(gone.blame == nil && gone.evidence == ["curl: (22) The requested URL returned error: 404"])
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
