import Glibc
import MusterCatalog
import MusterHost
package import MusterMachines
package import MusterManagers
package import MusterTestSupport

/// A fake of `Tests/Fakes` with a state of its own; whatever it has started is ended with it. What becomes of machines is
/// read from its books and from /proc, not asked of Muster.
package struct FakeManager: Sendable {
  package let kind: FakeKind
  package let folder: TestFolder

  package init(kind: FakeKind, folder: TestFolder) {
    self.kind = kind
    self.folder = folder
  }

  package static func path(_ kind: FakeKind) -> String { "\(TestCache.root)/Tests/Fakes/\(kind.tool)" }
  package var path: String { Self.path(kind) }

  /// Whether the fakes can be run here at all.
  package static let runs = HostFacts.systemName == "Linux" && FileSystem.isFile("/usr/bin/python3")

  /// Whether machines can be made here: that takes root, namespaces and overlays, which a container may lack.
  @Sendable package static func makesMachines() async -> Bool {
    let script = """
      mount -t tmpfs tmpfs /mnt && mkdir /mnt/upper /mnt/work &&
        mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc && command -v nsenter setsid
      """
    let trial = HostCommand(
      "unshare", ["--mount", "--pid", "--fork", "--uts", "--net", "--mount-proc", "sh", "-c", script])
    guard runs, HostFacts.isRoot, let output = try? await trial.run(deadline: .seconds(60)) else { return false }
    return output.ending.isSuccess
  }

  package static let reason = "machines of the fakes need Linux, root, python3, and namespaces and overlays by unshare"

  package static func with(
    _ kind: FakeKind, _ faults: String = "{}", _ body: (FakeManager) async throws -> Void
  ) async throws {
    let fake = FakeManager(kind: kind, folder: try TestFolder())
    try FileSystem.createFolder(fake.folder / "logs")
    try fake.set(faults)
    let result: Result<Void, any Error>
    do {
      result = .success(try await body(fake))
    } catch {
      result = .failure(error)
    }
    // The daemons first, so that they start nothing more.
    for id in try processes(where: { $0.contains("--daemon-launch") && $0.contains(fake.folder.path) }) { kill(id) }
    for name in try fake.states.keys { for id in try fake.inits(of: name) { kill(id) } }
    try result.get()
    try fake.expectNoHarm()
  }

  private static func kill(_ id: Int32) {
    _ = Glibc.kill(id, SIGKILL)
  }

  /// It was never called in a way that ends what is not named.
  private func expectNoHarm() throws {
    for call in try calls {
      let names = call.dropFirst().filter { !$0.hasPrefix("-") }
      if call.first == "purge" || call.contains("--all") || call.contains("-a")
        || ["stop", "delete", "restart"].contains(call.first) && names.isEmpty
      {
        throw Failure(.host, "\(kind.tool) was called with \(call)")
      }
    }
  }

  // MARK: - How Muster sees it

  package var environment: [String: String?] {
    // What it makes of its own names must not depend on where the tests' folders are.
    ["FAKE_MANAGER": folder.path, "LIMA_HOME": "/tmp/lima"]
  }

  package var manager: any Manager {
    kind.manager(executable: path, environment: environment, grace: .milliseconds(200))
  }

  package var client: ManagerClient { manager.client }

  /// Little patience, since nothing here takes long.
  package var patience: ManagerPatience {
    var patience = ManagerPatience()
    patience.question = .seconds(20)
    patience.delete = .seconds(20)
    patience.retry = .milliseconds(20)
    patience.ending = .seconds(20)
    patience.straggler = .milliseconds(50)
    patience.look = .milliseconds(200)
    patience.urgentLook = .milliseconds(50)
    return patience
  }

  package func backend(_ patience: ManagerPatience? = nil) -> ManagerBackend {
    ManagerBackend(manager, patience: patience ?? self.patience)
  }

  package func request(_ test: String = "test", deadline: Duration = .seconds(60)) -> LaunchRequest {
    LaunchRequest(
      name: MachineName(
        test: test, seconds: 1_700_000_000, processID: HostFacts.processID, limit: manager.nameLimit),
      image: ImageDescription(
        name: kind.image, source: .native(name: kind.image), cpu: .host, firmware: .bios, initialization: .cloudInit),
      cpus: 1, memory: 1 << 30, disk: 5 << 30, logs: folder / "logs", workspace: "", deadline: deadline)
  }

  package func launch(
    _ request: LaunchRequest? = nil, _ patience: ManagerPatience? = nil
  ) async throws -> any Machine {
    try await backend(patience).launch(request ?? self.request()) { _ in }
  }

  package func relic(_ name: MachineName) -> Relic {
    Relic(name: name, backend: kind.rawValue, workspace: "")
  }

  // MARK: - What it did

  package func set(_ faults: String) throws {
    try FileSystem.write(faults, to: folder / "faults.json.swift")
    try FileSystem.move(folder / "faults.json.swift", to: folder / "faults.json")
  }

  /// The arguments of each call.
  package var calls: [[String]] {
    get throws {
      guard FileSystem.exists(folder / "calls.log") else { return [] }
      return try FileSystem.readText(folder / "calls.log").split(separator: "\n").compactMap { line in
        JSONValue(line.utf8)?.array?.compactMap(\.string)
      }
    }
  }

  package func count(_ command: String) throws -> Int {
    try calls.count { $0.first == command }
  }

  /// The states of all instances in the books, those that are being prepared too.
  package var states: [String: String] {
    get throws {
      guard FileSystem.exists(folder / "state.json"),
        case .object(let machines)? = JSONValue(try FileSystem.read(folder / "state.json"))
      else { return [:] }
      return machines.compactMapValues { $0["state"]?.string }
    }
  }

  /// Waits until the books say so.
  package func awaited(_ fits: ([String: String]) -> Bool) async throws {
    while try !fits(states) { try await Task.sleep(for: .milliseconds(5)) }
  }

  /// The first processes of an instance.
  package func inits(of name: String) throws -> [Int32] {
    try processes(where: { $0.first == "fake-instance \(name)" }).filter { id in
      let environment = (try? FileSystem.read("/proc/\(id)/environ")) ?? []
      return environment.split(separator: 0).contains(Array("FAKE_STATE=\(folder.path)".utf8)[...])
    }
  }

  /// An instance that is somebody else's, of any name.
  package func makeOther(_ name: String) async throws {
    try await client.perform(kind.making(name), deadline: .seconds(60))
  }
}
