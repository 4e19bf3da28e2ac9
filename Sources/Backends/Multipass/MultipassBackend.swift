package import MusterCatalog
import MusterHost
package import MusterImages
package import MusterMachines

/// Instances of Canonical's Multipass. Its daemon fetches the images, verifies Ubuntu's own, and takes others as their
/// URLs give them.
package final class MultipassBackend: Backend {
  static let name: String = "multipass"
  package var name: String { Self.name }
  /// Multipass checks no length; file names and sockets that it makes of the name have limits.
  package let nameLimit = 40
  private let client: MultipassClient
  private let patience: MultipassPatience

  package convenience init() {
    self.init(client: MultipassClient())
  }

  init(client: MultipassClient, patience: MultipassPatience = MultipassPatience()) {
    self.client = client
    self.patience = patience
  }

  /// The first with settings of instances, which tell what is being prepared.
  private static let oldest = (1, 10)

  package func status() async -> BackendStatus {
    do {
      let (version, daemon) = try await client.versions(deadline: patience.question)
      var status = BackendStatus(version: "Multipass \(version)")
      if daemon == nil {
        status.problem = Failure(
          .host, "the daemon of Multipass does not answer", hint: MultipassTrouble.startHint)
      } else if let parts = Self.parts(version), parts < Self.oldest {
        status.problem = Failure(
          .host, "Multipass \(version) is too old", hint: "run '\(MultipassTrouble.update)'")
      }
      return status
    } catch {
      return BackendStatus(problem: error as? Failure ?? Failure(.host, "Multipass could not be asked in time"))
    }
  }

  private static func parts(_ version: String) -> (Int, Int)? {
    let numbers = version.split(separator: ".").prefix(2).map { Int($0) ?? 0 }
    return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
  }

  package func supports(_ image: ImageDescription) -> Bool {
    MultipassImage.argument(for: image) != nil
  }

  /// The daemon fetches images when it launches from them.
  package func prepare(
    _ image: ImageDescription, progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws {
    guard supports(image) else { throw Self.unsupported(image) }
  }

  private static func unsupported(_ image: ImageDescription) -> Failure {
    Failure(
      .matrix, "Multipass cannot make a machine from '\(image.name)'",
      hint: "it can from ubuntu/…, from {multipass: NAME}, and from URLs of images with cloud-init for this CPU")
  }

  package func launch(
    _ request: LaunchRequest, progress: @escaping @Sendable (String) async -> Void
  ) async throws -> any Machine {
    guard let image = MultipassImage.argument(for: request.image) else { throw Self.unsupported(request.image) }
    // What is begun is left to whoever asked for it to purge: it takes its time, and may be given little.
    let launch = MultipassLaunch(client: client, patience: patience, request: request, image: image)
    return try await launch.run(progress: progress)
  }

  package func machines() async throws -> [Relic] {
    guard client.isInstalled else { return [] }
    return try await client.instances(deadline: patience.question).map { MachineName(text: $0.name) }
      .filter(\.isMusters).map { Relic(name: $0, backend: name, workspace: "") }
  }

  package func purge(_ relic: Relic) async throws {
    try await Self.purge(relic, client: client, patience: patience)
  }

  static func purge(_ relic: Relic, client: MultipassClient, patience: MultipassPatience) async throws {
    try await MultipassPurge(client: client, patience: patience, name: relic.name).run()
    // One that was found in the list has none that is known.
    if !relic.workspace.isEmpty { try relic.removeWorkspace() }
  }
}
