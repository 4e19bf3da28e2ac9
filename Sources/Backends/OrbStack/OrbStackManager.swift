package import MusterCatalog
package import MusterGuest
import MusterHost
package import MusterMachines
package import MusterManagers

/// OrbStack, whose machines share one kernel. What is said of it here is from its documentation and from what it answers
/// to others: its source is closed.
package struct OrbStackManager: Manager {
  package var client: ManagerClient
  package let nameLimit = 63

  package init(executable: String? = nil, environment: [String: String?] = [:], grace: Duration = .seconds(2)) {
    var environment = environment
    // It panics where there is no HOME.
    if environment["HOME"] == nil, HostFacts.environment("HOME")?.isEmpty ?? true {
      environment["HOME"] = Directories.home() ?? "/"
    }
    client = ManagerClient(Self.words, executable: executable, environment: environment, grace: grace)
  }

  // MARK: - What it has

  /// The first whose machines have limits of their own.
  private static let oldest = (2, 2)

  package func status(_ patience: ManagerPatience) async throws -> BackendStatus {
    let version = try await client.text(["version"], deadline: patience.question) { output in
      output.text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("Version: ") }
        .flatMap { $0.split(separator: " ").dropFirst().first.map(String.init) }
    }
    var status = BackendStatus(version: "OrbStack \(version)")
    if let parts = version.versionParts, parts < Self.oldest {
      status.problem = Failure(.host, "OrbStack \(version) is too old", hint: "run '\(client.words.update)'")
      return status
    }
    status.problem = try await whetherItRuns(patience)
    return status
  }

  /// Waits for one that is starting.
  private func whetherItRuns(_ patience: ManagerPatience) async throws -> Failure? {
    let end = AwakeClock.now.advanced(by: patience.question)
    while true {
      let output = try await client.answer(["status"], deadline: patience.question)
      switch output.ending {
      case .exited(0): return nil
      case .exited(1): return Failure(.host, "OrbStack is not running", hint: "run 'orbctl start'")
      case .exited(2):
        guard AwakeClock.now < end else {
          return Failure(.host, "OrbStack is starting, and not ready yet", hint: client.words.restartHint)
        }
        try await Task.sleep(for: patience.pause, clock: .awake)
      default: return client.words.failure(of: ["status"], output)
      }
    }
  }

  package func argument(for image: ImageDescription) -> String? { OrbStackImage.argument(for: image) }

  package let images = OrbStackImage.all

  package func instances(deadline: Duration) async throws -> [ManagedInstance] {
    try await client.value(["list", "--format", "json"], deadline: deadline) { json in
      guard let list = json.array else { return nil }
      let instances = list.compactMap { entry in
        entry["name"]?.string.map {
          ManagedInstance(
            name: $0, state: Self.state(entry["state"]?.string ?? "unknown"), identity: entry["id"]?.string)
        }
      }
      return instances.count == list.count ? instances : nil
    }
  }

  private static func state(_ word: String) -> ManagedInstance.State {
    switch word {
    case "creating", "provisioning": .preparing
    case "stopped": .stopped(word)
    default: .alive
    }
  }

  // MARK: - What it is told

  package func creation(_ request: LaunchRequest, image: String) -> ManagerCall {
    // A machine that is not isolated has the files of this host in it.
    ManagerCall([
      "create", "--arch", request.image.cpu.debianName, "--isolated", "--cpus", "\(request.cpus)", "--memory",
      Self.size(request.memory), "--disk", Self.size(request.disk), image, request.name.text,
    ])
  }

  /// In whole gibibytes, or else mebibytes.
  private static func size(_ bytes: Int64) -> String {
    bytes % (1 << 30) == 0 ? "\(bytes >> 30)G" : "\(max(1, bytes >> 20))M"
  }

  package let preparation: String? = GuestPreparation.managedScript

  /// By its name, since an id makes the client crash.
  package func deletion(of name: MachineName) -> [String] { ["delete", "--force", name.text] }

  package func restart(of name: MachineName, seconds: Int) -> [[String]] { [["restart", name.text]] }

  package func start(of name: MachineName, seconds: Int) -> [String] { ["start", name.text] }

  /// Without a name it would stop all of OrbStack.
  package func stops(of name: MachineName) -> (inOrder: [String], byForce: [String]) {
    (["stop", name.text], ["stop", "--force", name.text])
  }

  package func guest(of name: MachineName) -> GuestClient {
    let prefix = ["run", "-m", name.text, "-u", "root", "--workdir", "/"]
    return GuestClient(
      write: { [client] in client.command(prefix + ["sh", "-c", "umask 077; cat >\"$0\"", $0]) },
      execute: { [client] in client.command(prefix + $0) })
  }

  package func entrance(of name: MachineName) -> String { "orbctl run -m \(name) -u root bash" }
}
