import MusterCatalog
import MusterHost
import MusterMachines
import MusterManagers
import MusterTestManagers
import MusterTestSupport
import Testing

@testable import MusterLima
@testable import MusterMultipass

/// What the client says, and what it is taken for.
@Suite(.timeLimit(.minutes(5))) struct ClientTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var kind = FakeKind.multipass
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
    Case(
      kind: .orbstack, said: "[-32098] create 'x': make rootfs: fetch index: get index: 503", status: 1, blame: .mirror,
      canPass: true, message: "orbctl create failed: create 'x': make rootfs: fetch index: get index: 503"),
    Case(
      kind: .orbstack, said: "[-32098] machine didn't start in 30s (missing IP address)", status: 1, blame: .backend,
      canPass: true, message: "orbctl create failed: machine didn't start in 30s (missing IP address)"),
    Case(
      kind: .orbstack, said: "panic: $HOME is not defined", blame: .host,
      message: "orbctl create failed: panic: $HOME is not defined"),
    Case(
      kind: .orbstack, said: "[-32098] machine already exists: x", status: 1, blame: .backend,
      message: "orbctl create failed: machine already exists: x"),
    Case(
      kind: .lima,
      said: """
        time="2026-11-21T12:00:00Z" level=info msg="Attempting to download the image"
        time="2026-11-21T12:00:00Z" level=fatal msg="failed to download \\"https://x\\": 503"
        """, status: 1, blame: .mirror, canPass: true,
      message: "limactl start failed: failed to download \"https://x\": 503"),
    Case(
      kind: .lima, said: "time=x level=fatal msg=\"did not receive an event with the `running` status\"", status: 1,
      blame: .backend, canPass: true,
      message: "limactl start failed: did not receive an event with the `running` status"),
    Case(
      kind: .lima, said: "time=x level=fatal msg=\"template `debian-99` not found\"", status: 1, blame: .matrix,
      message: "limactl start failed: template `debian-99` not found"),
    Case(
      kind: .lima, said: "limactl: must not run as the root user", status: 1, blame: .host,
      message: "limactl start failed: must not run as the root user"),
    Case(
      kind: .lima, said: "time=x level=fatal msg=\"instance `x` already exists (`/x`)\"", status: 1, blame: .backend,
      message: "limactl start failed: instance `x` already exists (`/x`)"),
  ]

  @Test(arguments: cases)
  func takesWhatItSaysForWhatItMeans(_ given: Case) async throws {
    let output = try await HostCommand(
      "sh", ["-c", "printf '%s\\n' \"$1\" >&2; exit $2", "sh", given.said, "\(given.status)"]
    ).run()
    let failure = given.kind.words.failure(of: [given.kind.launching], output)
    #expect(failure.message == given.message)
    #expect(failure.blame == given.blame)
    #expect(failure.canPass == given.canPass)
  }

  /// Each kind of trouble, and what a person reads of it.
  static let troubles: [(FakeKind, String, String?, String?)] = [
    (.multipass, "{}", nil, nil),
    (
      .multipass, #"{"version": {"daemon": null}, "list": {"error": "cannot connect to the multipass socket"}}"#,
      "multipass list failed: cannot connect to the multipass socket", MultipassManager.startHint
    ),
    (
      .multipass, #"{"version": {"client": "1.8.1"}}"#, "Multipass 1.8.1 is too old",
      "run 'sudo snap refresh multipass'"
    ),
    (
      .multipass, #"{"version": {"rubbish": true}}"#, "multipass version answers with something unknown",
      "restart its daemon: 'sudo snap restart multipass'"
    ),
    (
      .multipass, #"{"version": {"hang": true}}"#, "multipass version did not answer within 5s",
      "restart its daemon: 'sudo snap restart multipass'"
    ),
    (
      .multipass, #"{"version": {"daemon": null}, "list": {"error": "multipass socket access denied"}}"#,
      "multipass list failed: multipass socket access denied",
      "use a user of the group that owns its socket, or run 'multipass authenticate'"
    ),
    (
      .multipass, #"{"version": {"client": "1.10.1"}}"#, "Multipass 1.10.1 is too old",
      "run 'sudo snap refresh multipass'"
    ),
    (
      .multipass,
      #"{"list": {"error": "The client is not authenticated with the Multipass service."}}"#,
      "multipass list failed: the client is not authenticated with the Multipass service.",
      "run 'multipass authenticate'"
    ),
    (
      .multipass, #"{"list": {"rubbish": true}}"#, "multipass list answers with something unknown",
      "restart its daemon: 'sudo snap restart multipass'"
    ),
    (.orbstack, "{}", nil, nil),
    (
      .orbstack, #"{"list": {"failForever": true}}"#,
      "orbctl list failed: internal error: the hypervisor is not in the mood", "restart OrbStack from its menu"
    ),
    (.orbstack, #"{"status": {"status": 1}}"#, "OrbStack is not running", "run 'orbctl start'"),
    (
      .orbstack, #"{"status": {"status": 2}}"#, "OrbStack is starting, and not ready yet",
      "restart OrbStack from its menu"
    ),
    (
      .orbstack, #"{"version": {"version": "1.9.0"}}"#, "OrbStack 1.9.0 is too old",
      "run 'brew upgrade --cask orbstack'"
    ),
    (
      .orbstack, #"{"version": {"rubbish": true}}"#, "orbctl version answers with something unknown",
      "restart OrbStack from its menu"
    ),
    (
      .orbstack, #"{"status": {"hang": true}}"#, "orbctl status did not answer within 5s",
      "restart OrbStack from its menu"
    ),
    (.lima, "{}", nil, nil),
    (.lima, #"{"version": {"version": "1.0.7"}}"#, "Lima 1.0.7 is too old", "run 'brew upgrade lima'"),
    (
      .lima, #"{"version": {"root": true}}"#, "limactl --version failed: must not run as the root user",
      "run muster as another user"
    ),
    (
      .lima, #"{"list": {"rubbish": true}}"#, "limactl list answers with something unknown",
      "run 'limactl list', look at what it says, and end processes of limactl that hang"
    ),
    (
      .lima, #"{"list": {"hang": true}}"#, "limactl list did not answer within 5s",
      "run 'limactl list', look at what it says, and end processes of limactl that hang"
    ),
  ]

  @Test(.enabled(if: FakeManager.runs), arguments: troubles)
  func tellsWhatIsWrong(kind: FakeKind, faults: String, message: String?, hint: String?) async throws {
    try await FakeManager.with(kind, faults) { fake in
      var patience = fake.patience
      // Others than those that hang take their time where many tests run.
      if faults.contains("hang") { patience.question = .seconds(5) }
      let status = await fake.backend(patience).status()
      #expect(status.problem?.message == message)
      #expect(status.problem?.hint == hint)
      let version =
        switch kind {
        case .multipass: "Multipass 1.16.3"
        case .orbstack: "OrbStack 2.2.3"
        case .lima: "Lima 2.2.0"
        }
      if message == nil { #expect(status.version == version) }
    }
  }

  @Test(arguments: FakeKind.allCases) func tellsThatItIsNotInstalled(kind: FakeKind) async throws {
    let manager = kind.manager(executable: "muster-no-manager", environment: [:], grace: .seconds(1))
    let problem = try #require(await ManagerBackend(manager).status().problem)
    #expect(problem.message == "\(kind.words.title) is not installed")
    #expect(problem.hint == "\(kind.words.installation), or choose another backend")
    #expect(try await ManagerBackend(manager).machines().isEmpty)
  }

  @Test(.enabled(if: FakeManager.runs), arguments: FakeKind.allCases, [false, true])
  func aCallThatHangsIsEnded(kind: FakeKind, ignoresTerm: Bool) async throws {
    try await FakeManager.with(kind, #"{"list": {"hang": true, "ignoreTerm": \#(ignoresTerm)}}"#) { fake in
      var patience = fake.patience
      patience.question = .milliseconds(300)
      let backend = fake.backend(patience)
      do {
        _ = try await backend.machines()
        Issue.record("it answered")
      } catch let failure as Failure {
        #expect(failure.message == "\(kind.tool) list did not answer within 0.3s")
        #expect(failure.blame == .backend)
        #expect(failure.hint == kind.words.restartHint)
      }
      #expect(try clients(of: fake).isEmpty)
    }
  }

  /// The client processes of a fake, by their environment.
  private func clients(of fake: FakeManager) throws -> [Int32] {
    try processes { $0.contains(fake.path) }.filter { id in
      let environment = (try? FileSystem.read("/proc/\(id)/environ")) ?? []
      return String(decoding: environment, as: UTF8.self).contains(fake.folder.path)
    }
  }

  @Test(.enabled(if: FakeManager.runs), arguments: FakeKind.allCases)
  func rubbishIsNotTakenForNoMachines(kind: FakeKind) async throws {
    try await FakeManager.with(kind, #"{"list": {"rubbish": true}}"#) { fake in
      await #expect(throws: Failure.self) { _ = try await fake.backend().machines() }
    }
  }

  /// The names of what is made fit each, and so do the calls.
  @Test(.enabled(if: FakeManager.runs)) func asksForWhatItWasAskedFor() throws {
    func call(_ kind: FakeKind) throws -> (name: String, arguments: [String]) {
      let fake = FakeManager(kind: kind, folder: try TestFolder())
      let request = fake.request("a-test-with-a-name-that-is-much-too-long-for-any-of-the-managers-that-there-are")
      return (request.name.text, fake.manager.creation(request, image: kind.image).arguments)
    }
    let multipass = try call(.multipass)
    #expect((39...40).contains(multipass.name.count))
    #expect(
      multipass.arguments == [
        "launch", "--name", multipass.name, "--cpus", "1", "--memory", "1073741824B", "--disk", "5368709120B",
        "--cloud-init", "-", "--timeout", "60", "noble",
      ])
    let orbstack = try call(.orbstack)
    #expect((62...63).contains(orbstack.name.count))
    #expect(
      orbstack.arguments == [
        "create", "--arch", CPU.host.debianName, "--isolated", "--cpus", "1", "--memory", "1G", "--disk", "5G",
        "ubuntu:noble", orbstack.name,
      ])
    let lima = try call(.lima)
    #expect((57...58).contains(lima.name.count))
    #expect(
      lima.arguments == [
        "start", "--tty=false", "--name=\(lima.name)", "--cpus=1", "--memory=1", "--disk=5", "--mount-none",
        "--timeout=60s", "--set", ".message=\"muster: \(lima.name)\"", "template:ubuntu-24.04",
      ])
  }

  /// A socket in a deep folder leaves little room for a name.
  @Test func aDeepFolderOfLimasMakesNamesShort() async {
    let deep = LimaManager(environment: ["LIMA_HOME": "/" + String(repeating: "x", count: 40)])
    #expect(deep.nameLimit < 45)
  }

  @Test func readsWhatALaunchShows() {
    var progress = LaunchProgress(name: "x")
    let text = "\u{1B}[2K\u{1B}[0A\u{1B}[0ECreating x \u{8}|\u{8}/\u{8}-\u{1B}[2KRetrieving image: 4%  |\u{1B}[2K"
    #expect(progress.take(Array(text.utf8)) == ["creating", "retrieving image: 4%"])
    #expect(progress.take(Array("Launched: x\n".utf8)) == [])
  }
}
