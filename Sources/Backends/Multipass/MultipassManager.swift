package import MusterCatalog
package import MusterGuest
package import MusterHost
package import MusterMachines
package import MusterManagers
import Synchronization

/// Canonical's Multipass. Its daemon fetches the images, verifies Ubuntu's own, and takes others as their URLs give them.
package struct MultipassManager: Manager {
  package var client: ManagerClient
  /// Multipass checks no length; file names and sockets that it makes of the name have limits.
  package let nameLimit = 40

  package init(executable: String? = nil, environment: [String: String?] = [:], grace: Duration = .seconds(2)) {
    client = ManagerClient(Self.words, executable: executable, environment: environment, grace: grace)
  }

  // MARK: - What it has

  /// The first with settings of instances, which tell what is being prepared, and with `launch --memory`.
  private static let oldest = (1, 11)

  package func status(_ patience: ManagerPatience) async throws -> BackendStatus {
    // A daemon that cannot be reached is no mistake here: it is one of the question for its instances.
    let version = try await client.value(["version", "--format", "json"], deadline: patience.question) { json in
      json["multipass"]?.string
    }
    var status = BackendStatus(version: "Multipass \(version)")
    if let parts = version.versionParts, parts < Self.oldest {
      status.problem = Failure(
        .host, "Multipass \(version) is too old", hint: "run '\(client.words.update)'")
    }
    return status
  }

  package func argument(for image: ImageDescription) -> String? { MultipassImage.argument(for: image) }

  package let images = "ubuntu/…, from {multipass: NAME}, and from URLs of images with cloud-init for this CPU"

  /// All instances but those that are still being prepared.
  package func instances(deadline: Duration) async throws -> [ManagedInstance] {
    // Asking for addresses would log in to each.
    try await client.value(["list", "--no-ipv4", "--format", "json"], deadline: deadline) { json in
      guard let list = json["list"]?.array else { return nil }
      let instances = list.compactMap { entry in
        entry["name"]?.string.map { ManagedInstance(name: $0, state: Self.state(entry["state"]?.string ?? "Unknown")) }
      }
      return instances.count == list.count ? instances : nil
    }
  }

  private static func state(_ word: String) -> ManagedInstance.State {
    ["Stopped", "Deleted", "Suspended"].contains(word) ? .stopped(word) : .alive
  }

  /// Asks where a name is by changing a setting of it: no other question tells what is being prepared from what is not
  /// there. Only an instance that is stopped is changed; it is Muster's, and about to be deleted.
  package func whereabouts(of machine: ManagedName, deadline: Duration) async throws -> Whereabouts {
    let arguments = ["set", "local.\(machine.name).cpus=1"]
    let output = try await client.answer(arguments, deadline: deadline)
    if output.ending.isSuccess { return .existing }
    let text = output.errorText
    if text.contains("is being prepared") { return .preparing }
    if text.contains("reason: No such instance") { return .none }
    if text.contains("reason: Instance is deleted") || text.contains("reason: Instance must be stopped") {
      return .existing
    }
    throw client.words.failure(of: arguments, output)
  }

  // MARK: - What it is told

  package func creation(_ request: LaunchRequest, image: String) -> ManagerCall {
    let seconds = max(1, Int(request.deadline.seconds.rounded(.up)))
    // The seed goes by standard input: a client in a sandbox cannot read most folders of this host.
    return ManagerCall(
      [
        "launch", "--name", request.name.text, "--cpus", "\(request.cpus)", "--memory", "\(request.memory)B",
        "--disk", "\(request.disk)B", "--cloud-init", "-", "--timeout", "\(seconds)", image,
      ], input: Array(GuestPreparation.managedUserData.utf8))
  }

  package func activities(of name: MachineName) -> @Sendable (ProcessStream, [UInt8]) -> [String] {
    let shown = SharedProgress(name: name.text)
    return { stream, bytes in stream == .stdout ? shown.take(bytes) : [] }
  }

  /// Never `multipass purge` nor `--all`, which end other people's instances.
  package func deletion(of name: MachineName) -> [String] { ["delete", "--purge", name.text] }

  package func restart(of name: MachineName, seconds: Int) -> [[String]] {
    [["restart", "--timeout", "\(seconds)", name.text]]
  }

  package func start(of name: MachineName, seconds: Int) -> [String] {
    ["start", "--timeout", "\(seconds)", name.text]
  }

  package func stops(of name: MachineName) -> (inOrder: [String], byForce: [String]) {
    (["stop", name.text], ["stop", "--force", name.text])
  }

  package func guest(of name: MachineName) -> GuestClient {
    GuestClient(
      write: { [client] in client.command(["transfer", "-", "\(name):\($0)"]) },
      // Without -n it would look for this host's working folder in the machine.
      execute: { [client] in client.command(["exec", "-n", name.text, "--", "sudo", "-H"] + $0) })
  }

  package func entrance(of name: MachineName) -> String { "multipass shell \(name)" }
}

/// What one launch shows.
private final class SharedProgress: Sendable {
  private let progress: Mutex<LaunchProgress>

  init(name: String) { progress = Mutex(LaunchProgress(name: name)) }

  func take(_ bytes: [UInt8]) -> [String] { progress.withLock { $0.take(bytes) } }
}
