import Glibc
import MusterHost
import MusterMachines
import Testing

@testable import MusterMultipass

/// What the client says, and what it is taken for.
@Suite(.timeLimit(.minutes(5))) struct ClientTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var said: String
    var status: Int32 = 2
    var blame: Blame
    var canPass = false
    var message: String
    var testDescription: String { said }
  }

  static let cases = [
    Case(
      said: "launch failed: cannot connect to the multipass socket", blame: .host,
      message: "multipass launch failed: cannot connect to the multipass socket"),
    Case(
      said: "launch failed: multipass socket access denied", blame: .host,
      message: "multipass launch failed: multipass socket access denied"),
    Case(
      said: "launch failed: channel is gone", status: 3, blame: .host,
      message: "multipass launch failed: channel is gone"),
    Case(
      said: "launch failed: Unable to find an image matching \"nobel\" in remote \"\".", blame: .matrix,
      message: "multipass launch failed: unable to find an image matching \"nobel\" in remote \"\"."),
    Case(
      said: "launch failed: Remote \"x\" is unknown or unreachable.", blame: .mirror, canPass: true,
      message: "multipass launch failed: remote \"x\" is unknown or unreachable."),
    Case(
      said: "launch failed: Requested disk (1 bytes) below minimum for this image (2 bytes)", blame: .matrix,
      message: "multipass launch failed: requested disk (1 bytes) below minimum for this image (2 bytes)"),
    Case(
      said: "launch failed: Available disk (1 bytes) below minimum for this image (2 bytes)", blame: .host,
      message: "multipass launch failed: available disk (1 bytes) below minimum for this image (2 bytes)"),
    Case(
      said: "launch failed: failed to download from 'https://x': Host unreachable", blame: .mirror, canPass: true,
      message: "multipass launch failed: failed to download from 'https://x': Host unreachable"),
    Case(
      said: "launch failed: The following errors occurred:\ntimed out waiting for initialization to complete",
      blame: .backend, canPass: true,
      message: "multipass launch failed: timed out waiting for initialization to complete"),
    Case(
      said: "Timed out waiting for instance launch.", status: 5, blame: .backend, canPass: true,
      message: "multipass launch failed: timed out waiting for instance launch."),
    Case(
      said: "launch failed: instance \"x\" already exists", blame: .backend,
      message: "multipass launch failed: instance \"x\" already exists"),
    Case(
      said: "launch failed: KVM support is not enabled on this machine.", blame: .host,
      message: "multipass launch failed: KVM support is not enabled on this machine."),
    Case(
      said: "launch failed: Invalid arguments supplied\nInvalid instance name supplied: -x", blame: .backend,
      message: "multipass launch failed: invalid instance name supplied: -x"),
    Case(said: "", blame: .backend, message: "multipass launch failed: it ended with exit status 2 and said nothing"),
  ]

  @Test(arguments: cases)
  func takesWhatItSaysForWhatItMeans(_ given: Case) async throws {
    let output = try await HostCommand(
      "sh", ["-c", "printf '%s\\n' \"$1\" >&2; exit $2", "sh", given.said, "\(given.status)"]
    ).run()
    let failure = MultipassTrouble.failure(of: ["launch"], output)
    #expect(failure.message == given.message)
    #expect(failure.blame == given.blame)
    #expect(failure.canPass == given.canPass)
  }

  @Test(.enabled(if: FakeMultipass.runs)) func tellsItsVersionOrWhyItCannot() async throws {
    try await FakeMultipass.with { fake in
      #expect(await fake.backend().status().version == "Multipass 1.16.3")
      #expect(await fake.backend().status().problem == nil)
      try fake.set(#"{"version": {"daemon": null}}"#)
      #expect(await fake.backend().status().problem?.message == "the daemon of Multipass does not answer")
      try fake.set(#"{"version": {"client": "1.8.1"}}"#)
      #expect(await fake.backend().status().problem?.message == "Multipass 1.8.1 is too old")
      try fake.set(#"{"version": {"rubbish": true}}"#)
      let problem = try #require(await fake.backend().status().problem)
      #expect(problem.message == "multipass version answers with something unknown")
      #expect(problem.evidence.first == "Segmentation fault <html>")
    }
    let missing = MultipassBackend(client: MultipassClient(executable: "muster-no-multipass"))
    #expect(await missing.status().problem?.message == "multipass is not installed")
    let unreachable = MultipassBackend(client: MultipassClient(executable: FakeMultipass.path))
    #expect(await unreachable.status().problem?.hint == MultipassTrouble.startHint)
  }

  @Test(.enabled(if: FakeMultipass.runs), arguments: [false, true])
  func aCallThatHangsIsEnded(ignoresTerm: Bool) async throws {
    try await FakeMultipass.with(#"{"list": {"hang": true, "ignoreTerm": \#(ignoresTerm)}}"#) { fake in
      var patience = fake.patience
      patience.question = .milliseconds(300)
      let backend = fake.backend(patience)
      do {
        _ = try await backend.machines()
        Issue.record("it answered")
      } catch let failure as Failure {
        #expect(failure.message == "multipass list did not answer within 0.3s")
        #expect(failure.blame == .backend)
        #expect(failure.hint == MultipassTrouble.restartHint)
      }
      #expect(try clients(of: fake).isEmpty)
    }
  }

  /// The client processes of a fake, by their environment.
  private func clients(of fake: FakeMultipass) throws -> [Int32] {
    try fake.processes { $0.contains(FakeMultipass.path) }.filter { id in
      let environment = (try? FileSystem.read("/proc/\(id)/environ")) ?? []
      return String(decoding: environment, as: UTF8.self).contains(fake.folder.path)
    }
  }

  @Test(.enabled(if: FakeMultipass.runs)) func rubbishIsNotTakenForNoMachines() async throws {
    try await FakeMultipass.with(#"{"list": {"rubbish": true}}"#) { fake in
      await #expect(throws: Failure.self) { _ = try await fake.backend().machines() }
    }
  }

  @Test func readsWhatALaunchShows() {
    var progress = LaunchProgress(name: "x")
    let text = "\u{1B}[2K\u{1B}[0A\u{1B}[0ECreating x \u{8}|\u{8}/\u{8}-\u{1B}[2KRetrieving image: 4%  |\u{1B}[2K"
    #expect(progress.take(Array(text.utf8)) == ["creating", "retrieving image: 4%"])
    #expect(progress.take(Array("Launched: x\n".utf8)) == [])
  }
}
