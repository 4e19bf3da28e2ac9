import MusterGuest
import MusterHost
import MusterMachines

/// A layer on its way: a machine that went on from a template, with its memory and its disk in the folder of the template to
/// come, in which steps are done until it is kept. Until then nobody else makes the same.
final class LayerMaking: Sendable {
  let key: String
  /// How many steps are done in it then.
  let steps: Int
  /// What of this host is brought into the machine by them.
  let sources: [MachineLayer.Source]
  /// The folder of what will be the template.
  let folder: String
  /// What it is made of.
  let base: Template
  let launch: LayerLaunch
  private let lock: HeldLock

  init(
    key: String, steps: Int, sources: [MachineLayer.Source], folder: String, base: Template, launch: LayerLaunch,
    lock: HeldLock
  ) {
    self.key = key
    self.steps = steps
    self.sources = sources
    self.folder = folder
    self.base = base
    self.launch = launch
    self.lock = lock
  }

  private var store: TemplateStore { launch.store }

  /// To be called when its machine has ended. What was not kept until then is gone.
  func abandon() {
    if lock.isHeld { try? FileSystem.removeTree(folder) }
    lock.release()
  }

  /// Leaves the disk of a machine that a person wants to keep in its workspace.
  func release(to workspace: String) throws(Failure) {
    guard lock.isHeld else { return }
    try FileSystem.copy("\(folder)/\(Template.diskName)", to: "\(workspace)/\(Template.diskName)")
    abandon()
  }

  /// Makes a template of what the machine has come to.
  func finish() async throws {
    var seal = TemplateSeal(key: key, name: base.seal.name)
    seal.hasLanes = base.seal.hasLanes
    // It is as old as the oldest step in it.
    if launch.isLayer(base) { seal.made = base.seal.made }
    let disks = [base.disk] + base.seal.files.map(\.path).filter { $0.hasPrefix("/") }
    let own = launch.machine.filesOfTemplate.filter { !disks.contains($0) }
    _ = try await store.adopt(seal, needing: own + disks, of: base)
    lock.release()
  }

  /// Remembers that it cannot be made.
  func fail(_ reason: String) async throws {
    try await launch.machine.noteUnfit(key, in: store, reason)
    lock.release()
  }
}
