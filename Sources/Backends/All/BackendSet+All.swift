import MusterImages
import MusterIncus
import MusterLima
package import MusterMachines
import MusterManagers
package import MusterMatrix
import MusterMultipass
import MusterOrbStack
import MusterQEMU

extension BackendSet {
  /// All that Muster can make machines with, in the order in which `auto` tries them.
  /// - Parameters:
  ///   - cache: The absolute folder for images.
  ///   - offline: Use the images that are there, and ask no network for them.
  ///   - settings: What a matrix says of the machines of some of them.
  package static func all(
    cache: String, offline: Bool = false, settings: [String: BackendSettings] = [:]
  ) -> BackendSet {
    let store = ImageStore(cache: cache, offline: offline)
    let incus = [IncusDialect.incus, .lxd].map { dialect in
      IncusBackend(dialect, settings: IncusSettings(settings[dialect.name] ?? BackendSettings()), store: store)
    }
    let managers = [LimaManager(), MultipassManager()].map { (manager: any Manager) in ManagerBackend(manager) }
    // Machines of OrbStack share a kernel: whatever has one of their own comes first.
    return BackendSet(
      [QEMUBackend(cache: cache, store: store)] + managers + incus + [ManagerBackend(OrbStackManager())])
  }
}

extension IncusSettings {
  fileprivate init(_ settings: BackendSettings) {
    self.init(
      instance: settings.instance == .container ? .container : .virtualMachine, project: settings.project,
      remote: settings.remote, target: settings.target)
  }
}
