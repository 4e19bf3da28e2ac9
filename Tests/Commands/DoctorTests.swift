import Foundation
import MusterHost
import MusterManagers
import MusterTestManagers
import MusterTestSupport
import Testing

/// What a person reads of the managers of virtual machines.
@Suite(.enabled(if: FakeManager.runs, "the fakes need Linux and python3")) struct DoctorTests {
  /// What `muster doctor` says, with fakes alone on the PATH; for each what it is told to do wrong.
  private func told(_ faults: [FakeKind: String]) async throws -> String {
    let scratch = try Scratch()
    let folder = "\(scratch.path)/bin"
    try FileSystem.createFolder(folder)
    for (kind, text) in faults {
      try FileSystem.createFolder("\(folder)/\(kind.tool).state")
      try FileSystem.write(text, to: "\(folder)/\(kind.tool).state/faults.json")
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder)/\(kind.tool)", withDestinationPath: FakeManager.path(kind))
    }
    let output = try await MusterProcess(environment: ["PATH": folder]).run([
      "doctor", "--state", scratch.path, "--cache", "\(scratch.path)/cache", "--lock-file", "\(scratch.path)/lock",
    ])
    return output.text
  }

  @Test func ofNoneThatIsThere() async throws {
    let text = try await told([:])
    for kind in FakeKind.allCases {
      #expect(
        text.contains(
          """
          ✗ \(kind): \(kind.words.title) is not installed
              run '\(kind.words.installation)', or choose another backend
          """), "\(text)")
    }
  }

  @Test func ofAllThatAreThere() async throws {
    let text = try await told([.multipass: "{}", .orbstack: "{}", .lima: "{}"])
    for line in ["✓ multipass: Multipass 1.16.3", "✓ orbstack: OrbStack 2.2.3", "✓ lima: Lima 2.2.0"] {
      #expect(text.contains(line), "\(text)")
    }
    #expect(text.contains("! qemu: "), "\(text)")
  }

  /// All that can be wrong with each is in the tests of the managers; this is how it is shown.
  @Test func ofThoseInTrouble() async throws {
    let text = try await told([
      .multipass: #"{"version": {"error": "cannot connect to the multipass socket"}}"#,
      .orbstack: #"{"status": {"status": 1}}"#, .lima: #"{"version": {"root": true}}"#,
    ])
    #expect(
      text.contains("✗ multipass: multipass version failed: cannot connect to the multipass socket\n    start its"))
    #expect(text.contains("✗ orbstack: OrbStack is not running\n    run 'orbctl start'"), "\(text)")
    #expect(
      text.contains("✗ lima: limactl --version failed: must not run as the root user\n    run muster as another user"))
  }
}
