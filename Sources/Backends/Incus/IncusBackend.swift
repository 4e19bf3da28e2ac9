package import MusterCatalog
import MusterHost
package import MusterImages
package import MusterMachines
import MusterManagers

/// Instances of Incus or LXD: what a manager's backend does, and containers from images that Muster builds.
package final class IncusBackend: Backend {
  private let manager: IncusManager
  private let patience: ManagerPatience
  private let base: ManagerBackend
  private let store: ImageStore

  package convenience init(_ dialect: IncusDialect, settings: IncusSettings = IncusSettings(), store: ImageStore) {
    self.init(IncusManager(dialect, settings: settings), store: store)
  }

  init(_ manager: IncusManager, store: ImageStore, patience: ManagerPatience = ManagerPatience()) {
    self.manager = manager
    self.store = store
    self.patience = patience
    base = ManagerBackend(manager, patience: patience)
  }

  package var name: String { base.name }
  package var nameLimit: Int { base.nameLimit }
  package var place: String { manager.place.text }

  package func status() async -> BackendStatus { await base.status() }

  /// What is built has no boot loader, so it can only be a container.
  private func isBuilt(_ image: ImageDescription) -> Bool {
    guard case .debootstrap = image.source else { return false }
    return manager.settings.instance == .container && image.cpu == .host
  }

  package var images: String { base.images }

  package func supports(_ image: ImageDescription) -> Bool { isBuilt(image) || base.supports(image) }

  package func prepare(
    _ image: ImageDescription, progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws {
    guard isBuilt(image) else { return try await base.prepare(image, progress: progress) }
    _ = try await imported(image, progress: progress)
  }

  private func imported(
    _ image: ImageDescription, progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws -> String {
    let built = try await store.prepareContainer(image, progress: progress)
    return try await IncusImport(manager: manager, image: built).run(progress: progress)
  }

  package func launch(
    _ request: LaunchRequest, progress: @escaping @Sendable (String) async -> Void
  ) async throws -> any Machine {
    guard isBuilt(request.image) else { return try await base.launch(request, progress: progress) }
    var request = request
    request.image.source = .native(name: try await imported(request.image) { await progress($0.activity) })
    request.image.initialization = .cloudInit
    return try await base.launch(request, progress: progress)
  }

  package func machines() async throws -> [Relic] {
    try await base.machines().map { relic in
      var relic = relic
      relic.place = place
      return relic
    }
  }

  package func purge(_ relic: Relic) async throws {
    guard let place = IncusPlace(text: relic.place) else { return try await base.purge(relic) }
    let there = IncusManager(manager.dialect, settings: manager.settings, place: place, client: manager.client)
    try await ManagerBackend(there, patience: patience).purge(relic)
  }
}
