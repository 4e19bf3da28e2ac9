import MusterGuest
import MusterHost
import MusterMachines

/// A layer on its way: a machine that went on from a template, with its memory and its disk in the folder of the template to
/// come, in which steps are done until it is kept. Until then nobody else makes the same.
final class LayerMaking: Sendable {
  let key: String
  /// The folder of what will be the template.
  let folder: String
  /// What it is made of.
  let base: Template
  let launch: MachineLaunch
  private let store: TemplateStore
  private let lock: HeldLock

  init(key: String, folder: String, base: Template, store: TemplateStore, launch: MachineLaunch, lock: HeldLock) {
    self.key = key
    self.folder = folder
    self.base = base
    self.store = store
    self.launch = launch
    self.lock = lock
  }

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
  func finish() async throws -> Template {
    var seal = TemplateSeal(key: key, name: base.seal.name)
    seal.hasLanes = base.seal.hasLanes
    let template = try await store.adopt(seal, needing: launch.filesOfTemplate + [base.disk])
    lock.release()
    return template
  }

  /// Remembers that it cannot be made.
  func fail(_ reason: String) async throws {
    try await launch.noteUnfit(key, in: store, reason)
    lock.release()
  }
}
