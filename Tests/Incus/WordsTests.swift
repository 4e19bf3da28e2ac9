import MusterHost
import MusterManagers
import Testing

@testable import MusterIncus

/// What the client says, and what it is taken for. The messages are those of LXD 5.0.2.
struct WordsTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var said: String
    var blame: Blame
    var canPass = false
    /// A part of the hint.
    var hint: String?
    var testDescription: String { said }
  }

  static let cases = [
    Case(
      said: #"Error: Get "http://unix.socket/1.0": dial unix /var/lib/lxd/unix.socket: connect: permission denied"#,
      blame: .host, hint: "join the group 'lxd'"),
    Case(
      said: #"Error: Get "http://unix.socket/1.0": dial unix /x/unix.socket: connect: no such file or directory"#,
      blame: .host, hint: "start its daemon"),
    Case(said: #"Error: The remote "lab" doesn't exist"#, blame: .matrix, hint: "lxc remote list"),
    Case(said: #"Error: Failed loading project "nope": Project not found"#, blame: .matrix, hint: "project list"),
    Case(said: "Error: Image not found", blame: .matrix, hint: "image list"),
    Case(
      said: "Error: Failed instance creation: Failed getting remote image info: Failed getting image: "
        + "lookup images.linuxcontainers.org: no such host", blame: .mirror, canPass: true),
    Case(said: "Error: Asked for a VM but image is of type container", blame: .matrix, hint: "another image"),
    Case(
      said: #"Error: Failed to create instance delete operation: Instance is busy running a "create" operation"#,
      blame: .backend, canPass: true),
    Case(
      said: #"Error: Failed creating instance record: Add instance info to the database: This "instances" entry"#
        + " already exists", blame: .backend),
    Case(said: "Error: Target only allowed when clustered", blame: .matrix, hint: "'target'"),
  ]

  @Test(arguments: cases) func takesWhatItSaysForWhatItMeans(_ given: Case) async throws {
    let command = HostCommand("sh", ["-c", "printf '%s\\n' \"$1\" >&2; exit 1", "sh", given.said])
    let failure = IncusManager.words(.lxd, project: "default").failure(of: ["launch"], try await command.run())
    #expect(failure.message.hasPrefix("lxc launch failed: "))
    #expect(!failure.message.contains("Error: "))
    #expect(failure.blame == given.blame)
    #expect(failure.canPass == given.canPass)
    if let hint = given.hint { #expect(failure.hint?.contains(hint) == true, "\(failure)") }
  }

  @Test func whatTheTwoCallThingsIsTheirOwn() {
    #expect(IncusManager.words(.incus, project: "default").tool == "incus")
    #expect(IncusManager.words(.lxd, project: "default").tool == "lxc")
    #expect(IncusManager.noVirtualMachines(.incus).hint?.contains("backends: {incus: {instance: container}}") == true)
  }
}
