import MusterCatalog
import MusterGuest
import MusterHost
import MusterImages
import MusterMachines
import MusterManagers
import MusterTestManagers
import MusterTestSupport
import Testing

@testable import MusterIncus

/// Containers of a real LXD, from an image that Muster builds.
@Suite(.serialized, .enabled(Comment(rawValue: LXDServer.reason), LXDServer.works), .timeLimit(.minutes(15)))
struct LXDMachineTests {
  private static let image = ImageDescription(
    name: "debootstrap bookworm", source: .debootstrap(Debootstrap(suite: "bookworm")), cpu: .host, firmware: .bios,
    initialization: .builtIn)

  /// A server, a backend of it, and a folder.
  private struct Ground {
    let server: LXDServer
    let backend: IncusBackend
    let folder = try? TestFolder()

    init(
      _ settings: IncusSettings = IncusSettings(instance: .container), executable: String? = nil
    ) async throws {
      server = try await LXDServer.shared()
      backend = IncusBackend(
        IncusManager(.lxd, settings: settings, executable: executable, environment: server.environment),
        store: ImageStore(cache: TestCache.folder))
    }

    func request(_ test: String, memory: Int64 = 256 << 20) throws -> LaunchRequest {
      let folder = try #require(folder)
      return LaunchRequest(
        name: MachineName(test: test, seconds: 1_700_000_000, processID: HostFacts.processID, limit: 63),
        image: LXDMachineTests.image, cpus: 1, memory: memory, disk: 2 << 30, logs: folder.path, workspace: "",
        deadline: .seconds(300))
    }

    func relic(_ request: LaunchRequest) -> Relic {
      Relic(name: request.name, backend: backend.name, workspace: "", place: backend.place)
    }
  }

  @Test func aMachineIsLaunchedUsedAndPurgedAmongOthers() async throws {
    let ground = try await Ground()
    let (server, backend) = (ground.server, ground.backend)
    let status = await backend.status()
    #expect(status.problem == nil)
    #expect(status.version?.hasPrefix("LXD ") == true)
    let request = try ground.request("life")
    let machine = try await backend.launch(request) { _ in }
    let guest = machine.guest
    // Up, with limits of its own and Muster's user.
    let facts = try await guest.result("nproc; systemctl is-system-running; id -un muster; head -n 1 /proc/meminfo")
    #expect(facts.text == "1\nrunning\nmuster\nMemTotal:         262144 kB\n")
    // One of a like name, one that looks like Muster's, and a copy, which has the keys of ours.
    let copy = "\(request.name.text.dropLast())\(request.name.text.hasSuffix("0") ? "1" : "0")"
    let lookalike = MachineName(test: "alike", seconds: 1, processID: 2).text
    let others: Set = ["muster-mine", lookalike, copy]
    try await server.lxc("init", "--empty", "muster-mine")
    try await server.lxc("init", "--empty", lookalike)
    try await server.lxc("copy", request.name.text, copy)
    #expect(try await backend.machines().map(\.name) == [request.name])
    #expect(try await backend.machines().map(\.place) == ["local:default"])
    // What is left of a run tells the way.
    try await backend.purge(ground.relic(request))
    #expect(try await server.names() == others)
    // Once more, and what is not Muster's is never touched.
    try await machine.purge()
    #expect(await machine.death() == nil)
    try await backend.purge(Relic(name: MachineName(text: lookalike), backend: "lxd", workspace: ""))
    await #expect(throws: Failure.self) {
      try await backend.purge(Relic(name: MachineName(text: "muster-mine"), backend: "lxd", workspace: ""))
    }
    #expect(try await server.names() == others)
    for name in others { try await server.lxc("delete", "--force", name) }
  }

  /// The client is killed while its server creates, which goes on by itself.
  @Test func whatIsBeingCreatedIsPurged() async throws {
    let ground = try await Ground()
    try await ground.backend.prepare(Self.image) { _ in }
    let request = try ground.request("cut")
    let launch = Task { [backend = ground.backend] in _ = try await backend.launch(request) { _ in } }
    while try await !ground.server.names().contains(request.name.text) {
      try await Task.sleep(for: .milliseconds(5))
    }
    launch.cancel()
    await #expect(throws: (any Error).self) { try await launch.value }
    try await ground.backend.purge(ground.relic(request))
    #expect(try await ground.server.names() == [])
  }

  /// A project of a person's choice, which a backend without its settings finds by the ledger alone.
  @Test func aProjectIsAPlaceOfItsOwn() async throws {
    let server = try await LXDServer.shared()
    try await server.lxc("project", "create", "ci", "-c", "features.images=false", "-c", "features.profiles=false")
    let ground = try await Ground(IncusSettings(instance: .container, project: "ci"))
    let request = try ground.request("project")
    let machine = try await ground.backend.launch(request) { _ in }
    #expect(try await server.names(project: "ci") == [request.name.text])
    #expect(try await server.names() == [])
    #expect(try await machine.guest.result("id -u").text == "0\n")
    let other = try await Ground()
    #expect(try await other.backend.machines() == [])
    try await other.backend.purge(ground.relic(request))
    #expect(try await server.names(project: "ci") == [])
    try await server.lxc("project", "delete", "ci")
  }

  @Test func itsEndIsToldAndAKeptOneCanBeEntered() async throws {
    let ground = try await Ground()
    let request = try ground.request("ends")
    let machine = try await ground.backend.launch(request) { _ in }
    try await machine.reboot(deadline: .seconds(120))
    #expect(try await machine.guest.result("systemctl is-system-running").text == "running\n")
    async let death = machine.death()
    try await ground.server.lxc("stop", "--force", request.name.text)
    #expect(await death?.message == "the machine stopped by itself")
    try await ground.server.lxc("start", request.name.text)
    #expect(try await machine.keep().contains("lxc exec local:\(request.name)"))
    #expect(try await ground.server.lxc("list", "--format", "csv", "--columns", "s") == "STOPPED")
    try await machine.purge()
    #expect(try await ground.server.names() == [])
  }

  /// LXD tells of a container that stopped faster than it looks, as if it had not.
  @Test func aStopThatWasTooFastIsNoFailure() async throws {
    let folder = try TestFolder()
    let client = "\(folder.path)/lxc"
    try FileSystem.write(
      """
      #!/bin/sh
      case $1 in
      restart | stop)
        [ "$2" = --timeout ] || exec lxc "$@"
        lxc stop --force "$4" "$5" "$6" || exit
        echo 'Error: Failed shutting down instance, status is "Running": shutting down the container failed' >&2
        exit 1
        ;;
      esac
      exec lxc "$@"

      """, to: client, mode: 0o755)
    let ground = try await Ground(executable: client)
    let request = try ground.request("fast")
    let machine = try await ground.backend.launch(request) { _ in }
    try await machine.reboot(deadline: .seconds(120))
    #expect(try await machine.guest.result("echo up").text == "up\n")
    _ = try await machine.keep()
    #expect(try await ground.server.lxc("list", "--format", "csv", "--columns", "s") == "STOPPED")
    try await machine.purge()
    #expect(try await ground.server.names() == [])
  }

  /// On a member of a cluster that cannot be reached an instance is listed with its name alone: it is not gone, not dead, and
  /// may be anybody's.
  @Test func whatCannotBeReachedIsLeftAndTold() async throws {
    let folder = try TestFolder()
    let client = "\(folder.path)/lxc"
    try FileSystem.write(
      """
      #!/bin/sh
      [ -e "$0.away" ] || exec lxc "$@"
      case "$*" in
      *"/1.0/instances?"*)
        lxc "$@" | jq 'map({name, type, project, location, status: "Error", status_code: 112, config: null})' ;;
      delete*)
        echo 'Error: Failed to connect to cluster member: dial tcp: i/o timeout' >&2
        exit 1 ;;
      *) exec lxc "$@" ;;
      esac

      """, to: client, mode: 0o755)
    let ground = try await Ground(executable: client)
    let request = try ground.request("away")
    let machine = try await ground.backend.launch(request) { _ in }
    try FileSystem.write("", to: "\(client).away")
    #expect(await machine.trouble(after: nil)?.evidence == ["\(request.name): Error"])
    #expect(try await ground.backend.machines() == [])
    let failure = await #expect(throws: Failure.self) { try await ground.backend.purge(ground.relic(request)) }
    #expect(failure?.hint?.contains("lxc delete --force local:\(request.name)") == true, "\(failure as Any)")
    try FileSystem.remove("\(client).away")
    try await ground.backend.purge(ground.relic(request))
    #expect(try await ground.server.names() == [])
  }

  /// A server tells a client that it does not know little of itself.
  @Test func aClientThatIsNotTrustedIsTold() async throws {
    let folder = try TestFolder()
    let client = "\(folder.path)/lxc"
    let answer = #"{"api_extensions": [], "auth": "untrusted", "public": false}"#
    try FileSystem.write("#!/bin/sh\necho '\(answer)'\n", to: client, mode: 0o755)
    let settings = IncusSettings(instance: .container, remote: "lab")
    let manager = IncusManager(.lxd, settings: settings, executable: client)
    let problem = await ManagerBackend(manager).status().problem
    #expect(problem?.message == "LXD of 'lab' does not trust this user")
    #expect(problem?.hint?.contains("'lxc config trust add'") == true)
  }

  @Test func troubleIsToldWithWhatToDo() async throws {
    let server = try await LXDServer.shared()
    func status(_ settings: IncusSettings, _ environment: [String: String?] = [:]) async -> BackendStatus {
      await ManagerBackend(
        IncusManager(.lxd, settings: settings, environment: server.environment.merging(environment) { _, new in new })
      ).status()
    }
    let containers = IncusSettings(instance: .container)
    #expect(await status(containers, ["LXD_DIR": "/nonexistent"]).problem?.hint?.contains("start its daemon") == true)
    var elsewhere = containers
    elsewhere.remote = "lab"
    #expect(await status(elsewhere).problem?.hint?.contains("lxc remote list") == true)
    elsewhere = containers
    elsewhere.project = "none"
    #expect(await status(elsewhere).problem?.hint?.contains("lxc project list") == true)
    // The profile of a new project has no disk.
    try await server.lxc("project", "create", "bare")
    elsewhere.project = "bare"
    #expect(
      await status(elsewhere).problem?.hint
        == "run 'lxc profile device add default root disk path=/ pool=default --project bare'")
    try await server.lxc("project", "delete", "bare")
    let driver = try await server.lxc("query", "/1.0")
    if !driver.contains("qemu") {
      #expect(await status(IncusSettings()).problem?.hint?.contains("instance: container") == true)
    }
    let missing = IncusManager(.incus, settings: containers, executable: "muster-no-incus")
    #expect(await ManagerBackend(missing).status().problem?.message.lowercased() == "incus is not installed")
  }
}
