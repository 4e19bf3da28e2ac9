import Foundation
import MusterHost
import MusterManagers
import MusterTestManagers
import MusterTestSupport
import Testing

/// What a person reads of the managers of virtual machines.
@Suite(.enabled(if: FakeManager.runs, "the fakes need Linux and python3")) struct DoctorTests {
  /// What `muster doctor` says; for each that is there what it is told to do wrong.
  private func told(_ faults: [FakeKind: String]) async throws -> String {
    try await FakesOnPath(faults).muster("doctor").text
  }

  @Test func ofNoneThatIsThere() async throws {
    let text = try await told([:])
    for kind in FakeKind.allCases {
      #expect(
        text.contains(
          """
          ✗ \(kind): \(kind.words.title) is not installed
              \(kind.words.installation), or choose another backend
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
      .multipass: #"{"version": {"daemon": null}, "list": {"error": "cannot connect to the multipass socket"}}"#,
      .orbstack: #"{"status": {"status": 1}}"#, .lima: #"{"version": {"root": true}}"#,
    ])
    #expect(
      text.contains("✗ multipass: multipass list failed: cannot connect to the multipass socket\n    start its"))
    #expect(text.contains("✗ orbstack: OrbStack is not running\n    run 'orbctl start'"), "\(text)")
    #expect(
      text.contains("✗ lima: limactl --version failed: must not run as the root user\n    run muster as another user"))
  }

  /// Whoever cannot list its machines could never prove that they are gone.
  @Test func ofThoseThatCannotTellTheirMachines() async throws {
    let text = try await told([
      .multipass: #"{"list": {"rubbish": true}}"#, .orbstack: #"{"list": {"failForever": true}}"#,
    ])
    #expect(text.contains("✗ multipass: multipass list answers with something unknown\n    restart its"), "\(text)")
    #expect(text.contains("✗ orbstack: orbctl list failed: internal error"), "\(text)")
  }

  @Test func ofOneThatCannotBeExecuted() async throws {
    let fakes = try FakesOnPath([:])
    try FileSystem.write("#!/bin/sh\n", to: "\(fakes.folder)/multipass", mode: 0o644)
    try FileSystem.write("#!/no/such/interpreter\n", to: "\(fakes.folder)/limactl", mode: 0o755)
    let text = try await fakes.muster("doctor").text
    for (kind, tool) in [(FakeKind.multipass, "multipass"), (.lima, "limactl")] {
      #expect(text.contains("✗ \(kind): '\(fakes.folder)/\(tool)' cannot be executed\n    look at its mode"), "\(text)")
    }
  }

  private static let matrix = """
    muster: 1
    backend: multipass
    distros:
      built: {image: {debootstrap: bookworm}}
    tests:
      works: {distros: all, verify: [{run: "true"}]}

    """

  @Test func ofAMatrixThatItHasNoImageFor() async throws {
    let fakes = try FakesOnPath([.multipass: "{}"])
    let file = try fakes.scratch.write("matrix.yaml", Self.matrix)
    let text = try await fakes.muster("doctor", file).text
    #expect(
      text.contains("! images: 'built' has no image that multipass can start from (\(file):4:18)\n    it can from"),
      "\(text)")
  }

  /// What is wrong is told before the first cell, and where it stands.
  @Test func aRunTellsWhatItHasNoImageFor() async throws {
    let fakes = try FakesOnPath([.multipass: "{}"])
    let file = try fakes.scratch.write("matrix.yaml", Self.matrix)
    let output = try await fakes.muster("run", file, "--output", "\(fakes.scratch.path)/out")
    #expect(output.ending == .exited(3), "\(output.errorText)")
    let lines = output.errorText.split(separator: "\n")
    let warning = lines.firstIndex { $0 == "\(file):4:18: warning: 'built' has no image that multipass can start from" }
    let begin = lines.firstIndex { $0.contains("works@built (1 of 1)") }
    #expect(try #require(warning, "\(lines)") < #require(begin, "\(lines)"))
    #expect(output.text.contains("    at        \(file):4:18\n"), "\(output.text)")
  }

  /// That there is no machine is told by those alone that can know.
  @Test func ofMachinesThatAreNotTold() async throws {
    let fakes = try FakesOnPath([.multipass: #"{"list": {"rubbish": true}}"#])
    let list = try await fakes.muster("list")
    #expect(list.ending == .exited(69) && list.text.isEmpty && list.errorText.contains("something unknown"))
    let json = try await fakes.muster("list", "--format", "json")
    #expect(json.ending == .exited(69))
    #expect(try JSON(json.stdout)["failures"][0]["backend"].string == "multipass")
    let clean = try await fakes.muster("clean", "--all", "--list-only")
    #expect(clean.ending == .exited(69) && clean.text.isEmpty)
    // One that does not run, and never made any, has none.
    let other = try FakesOnPath([.multipass: #"{"list": {"error": "cannot connect to the multipass socket"}}"#])
    let none = try await other.muster("list")
    #expect(none.ending == .exited(0) && none.text == "no machine" && none.errorText.isEmpty, "\(none.errorText)")
  }
}
