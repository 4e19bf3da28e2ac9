import Glibc
import MusterCatalog
import MusterGuest
import MusterHost
import MusterMachines
import Synchronization
import SystemPackage
import Testing

@testable import MusterMultipass

/// The fake of `Tests/Fakes/multipass` with a state of its own; whatever it has started is ended with it. What becomes
/// of machines is read from its books and from /proc, not asked of Muster.
struct FakeMultipass: Sendable {
  let folder: TestFolder

  static let path: String = {
    let file = FilePath(#filePath)
    return file.removingLastComponent().removingLastComponent().appending("Fakes/multipass").string
  }()

  /// Whether the fake can be run here at all.
  static let runs = HostFacts.systemName == "Linux" && FileSystem.isFile("/usr/bin/python3")

  /// Whether machines can be made here: that takes root, namespaces and overlays, which a container may lack.
  @Sendable static func makesMachines() async -> Bool {
    let script = """
      mount -t tmpfs tmpfs /mnt && mkdir /mnt/upper /mnt/work &&
        mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc && command -v nsenter setsid
      """
    let trial = HostCommand(
      "unshare", ["--mount", "--pid", "--fork", "--uts", "--mount-proc", "sh", "-c", script])
    guard runs, HostFacts.isRoot, let output = try? await trial.run(deadline: .seconds(60)) else { return false }
    return output.ending.isSuccess
  }

  static let reason: Comment = "machines of the fake need Linux, root, python3, and namespaces and overlays by unshare"

  static func with(_ faults: String = "{}", _ body: (FakeMultipass) async throws -> Void) async throws {
    let fake = FakeMultipass(folder: try TestFolder())
    try FileSystem.createFolder(fake.folder / "logs")
    try fake.set(faults)
    let result: Result<Void, any Error>
    do {
      result = .success(try await body(fake))
    } catch {
      result = .failure(error)
    }
    #expect(try !fake.calls.contains { $0.first == "purge" || $0.contains("--all") || $0.contains("-a") })
    // The daemons first, so that they start nothing more.
    for id in try fake.processes({ $0.contains("--daemon-launch") && $0.contains(fake.folder.path) }) { kill(id) }
    for name in try fake.states.keys { for id in try fake.inits(of: name) { kill(id) } }
    try result.get()
  }

  private static func kill(_ id: Int32) {
    _ = Glibc.kill(id, SIGKILL)
  }

  // MARK: - How Muster sees it

  var client: MultipassClient {
    MultipassClient(
      executable: Self.path, environment: ["FAKE_MULTIPASS": folder.path], grace: .milliseconds(200))
  }

  /// Little patience, since nothing here takes long.
  var patience: MultipassPatience {
    var patience = MultipassPatience()
    patience.question = .seconds(20)
    patience.delete = .seconds(20)
    patience.retry = .milliseconds(20)
    patience.ending = .seconds(20)
    patience.straggler = .milliseconds(50)
    patience.look = .milliseconds(200)
    patience.urgentLook = .milliseconds(50)
    return patience
  }

  func backend(_ patience: MultipassPatience? = nil) -> MultipassBackend {
    MultipassBackend(client: client, patience: patience ?? self.patience)
  }

  func request(_ test: String = "test", deadline: Duration = .seconds(60)) -> LaunchRequest {
    LaunchRequest(
      name: MachineName(test: test, seconds: 1_700_000_000, processID: HostFacts.processID, limit: 40),
      image: ImageDescription(
        name: "noble", source: .native(name: "noble"), cpu: .host, firmware: .bios, initialization: .cloudInit),
      cpus: 2, memory: 1 << 30, disk: 5 << 30, logs: folder / "logs", workspace: "", deadline: deadline)
  }

  func launch(_ request: LaunchRequest? = nil, _ patience: MultipassPatience? = nil) async throws -> MultipassMachine {
    let machine = try await backend(patience).launch(request ?? self.request()) { _ in }
    return try #require(machine as? MultipassMachine)
  }

  func relic(_ name: MachineName) -> Relic {
    Relic(name: name, backend: "multipass", workspace: "")
  }

  // MARK: - What it did

  func set(_ faults: String) throws {
    try FileSystem.write(faults, to: folder / "faults.json.swift")
    try FileSystem.move(folder / "faults.json.swift", to: folder / "faults.json")
  }

  /// The arguments of each call.
  var calls: [[String]] {
    get throws {
      guard FileSystem.exists(folder / "calls.log") else { return [] }
      return try FileSystem.readText(folder / "calls.log").split(separator: "\n").compactMap { line in
        JSONValue(line.utf8)?.array?.compactMap(\.string)
      }
    }
  }

  func count(_ command: String) throws -> Int {
    try calls.count { $0.first == command }
  }

  /// The states of all instances in the books, those that are being prepared too.
  var states: [String: String] {
    get throws {
      guard FileSystem.exists(folder / "state.json"),
        case .object(let machines)? = JSONValue(try FileSystem.read(folder / "state.json"))
      else { return [:] }
      return machines.compactMapValues { $0["state"]?.string }
    }
  }

  /// Waits until the books say so.
  func awaited(_ fits: ([String: String]) -> Bool) async throws {
    while try !fits(states) { try await Task.sleep(for: .milliseconds(5)) }
  }

  /// The first processes of an instance.
  func inits(of name: String) throws -> [Int32] {
    try processes { $0.first == "multipass-instance \(name)" }.filter { id in
      let environment = (try? FileSystem.read("/proc/\(id)/environ")) ?? []
      return environment.split(separator: 0).contains(Array("MULTIPASS_STATE=\(folder.path)".utf8)[...])
    }
  }

  /// The processes of this host and of all machines whose arguments fit.
  func processes(_ fits: ([String]) -> Bool) throws -> [Int32] {
    try FileSystem.names(in: "/proc").compactMap { Int32($0) }.filter { id in
      guard let bytes = try? FileSystem.read("/proc/\(id)/cmdline"), !bytes.isEmpty else { return false }
      return fits(bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
    }
  }

  /// An instance that is somebody else's, of any name.
  func makeOther(_ name: String) async throws {
    let arguments = ["launch", "--name", name, "noble"]
    let output = try await client.answer(arguments, deadline: .seconds(60))
    try #require(output.ending.isSuccess, "\(output.errorText)")
  }
}

/// What a script left: its ending and its streams.
struct ScriptResult: Sendable {
  var ending: GuestEnding
  var stdout: [UInt8]
  var stderr: [UInt8]
  var text: String { String(decoding: stdout, as: UTF8.self) }
  var errorText: String { String(decoding: stderr, as: UTF8.self) }
}

extension Guest {
  func result(
    _ script: String, shell: [String] = ["sh", "-e"], user: String? = nil,
    environment: [GuestCommand.Variable] = [], deadline: Duration? = .seconds(60)
  ) async throws -> ScriptResult {
    let streams = Mutex<[GuestStream: [UInt8]]>([:])
    let command = GuestCommand(script, shell: shell, user: user, environment: environment)
    let ending = try await run(command, deadline: deadline) { stream, bytes in
      streams.withLock { $0[stream, default: []] += bytes }
    }
    return streams.withLock { ScriptResult(ending: ending, stdout: $0[.stdout] ?? [], stderr: $0[.stderr] ?? []) }
  }
}
