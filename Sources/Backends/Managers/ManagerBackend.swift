package import MusterCatalog
import MusterHost
package import MusterImages
package import MusterMachines

/// Machines of a manager that is driven by its command line. It fetches the images itself.
package final class ManagerBackend: Backend {
  private let manager: any Manager
  private let patience: ManagerPatience

  package init(_ manager: any Manager, patience: ManagerPatience = ManagerPatience()) {
    self.manager = manager
    self.patience = patience
  }

  package var name: String { manager.client.words.name }
  package var nameLimit: Int { manager.nameLimit }

  package func status() async -> BackendStatus {
    var status = BackendStatus()
    do {
      status = try await manager.status(patience)
      // A list that can be read: whatever else there is, purges depend on it.
      if status.problem == nil { _ = try await manager.instances(deadline: patience.question) }
    } catch {
      status.problem =
        error as? Failure ?? Failure(.host, "\(manager.client.words.title) could not be asked in time")
    }
    return status
  }

  package var images: String { manager.images }

  package func supports(_ image: ImageDescription) -> Bool { manager.argument(for: image) != nil }

  package func prepare(
    _ image: ImageDescription, progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws {
    guard supports(image) else { throw unsupported(image) }
  }

  private func unsupported(_ image: ImageDescription) -> Failure {
    Failure(
      .matrix, "\(manager.client.words.title) cannot make a machine from '\(image.name)'",
      hint: "it can from \(manager.images)")
  }

  package func launch(
    _ request: LaunchRequest, progress: @escaping @Sendable (String) async -> Void
  ) async throws -> any Machine {
    guard let image = manager.argument(for: request.image) else { throw unsupported(request.image) }
    // What is begun is left to whoever asked for it to purge: it takes its time, and may be given little.
    let launch = ManagerLaunch(manager: manager, patience: patience, request: request, image: image)
    return try await launch.run(progress: progress)
  }

  package func machines() async throws -> [Relic] {
    guard manager.client.isInstalled else { return [] }
    return try await manager.instances(deadline: patience.question).filter { !$0.isForeign }
      .map { MachineName(text: $0.name) }.filter(\.isMusters)
      .map { Relic(name: $0, backend: name, workspace: "") }
  }

  package func purge(_ relic: Relic) async throws {
    try await Self.purge(relic, manager: manager, patience: patience)
  }

  static func purge(_ relic: Relic, manager: any Manager, patience: ManagerPatience) async throws {
    let machine = ManagedName(relic.name, identity: Identity.read(from: relic.workspace))
    try await ManagerPurge(manager: manager, patience: patience, machine: machine).run()
    // One that was found in the list has none that is known.
    if !relic.workspace.isEmpty { try relic.removeWorkspace() }
  }
}

/// The identity of a machine, kept in its workspace for whoever purges it.
enum Identity {
  private static let file = "identity"

  static func write(_ identity: String, to workspace: String) throws(Failure) {
    try FileSystem.write(identity, to: "\(workspace)/\(file)")
  }

  static func read(from workspace: String) -> String? {
    guard !workspace.isEmpty else { return nil }
    return try? FileSystem.readText("\(workspace)/\(file)", limit: 1 << 10)
  }
}
