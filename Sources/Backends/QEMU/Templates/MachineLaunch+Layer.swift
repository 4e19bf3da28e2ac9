import MusterHost
import MusterImages
package import MusterMachines

/// A launch that goes on from what the first steps of its cell do.
extension MachineLaunch {
  /// Goes on from the layer that is asked for, or from what it is to be made of; `nil` where it cannot be kept.
  /// - Throws: `Failure`, `CancellationError`. No process is left then.
  func resume(
    _ layer: MachineLayer, from store: TemplateStore, progress: @escaping @Sendable (String) async -> Void
  ) async throws -> QEMUMachine? {
    let baseKey = try await templateKey()
    let key = try await Digest.short(of: [baseKey, layer.content])
    let lock = try await store.lock(key, progress: progress)
    var isHandedOn = false
    defer { if !isHandedOn { lock.release() } }
    if let template = try await store.find(key, madeWithin: layer.lifetime, progress: progress) {
      if template.seal.unfit != nil { return nil }
      do {
        await progress("resuming behind the kept steps")
        return try await resume(template, start: .resumed, layer: .present)
      } catch let failure as Failure where failure.blame != .host {
        try clearWorkspace()
        await progress("a machine does not go on behind the kept steps, which are done anew: \(failure.message)")
        try store.discard(key)
      }
    }
    let machine = try await begin(key, of: baseKey, lock, in: store, progress: progress)
    isHandedOn = machine != nil
    return machine
  }

  /// A machine of which the layer will be made, and which has the layer's lock.
  private func begin(
    _ key: String, of baseKey: String, _ lock: HeldLock, in store: TemplateStore,
    progress: @escaping @Sendable (String) async -> Void
  ) async throws -> QEMUMachine? {
    let baseLock = try await store.lock(baseKey, progress: progress)
    defer { baseLock.release() }
    guard let (base, start) = try await readyTemplate(baseKey, in: store, progress: progress),
      let folder = try await begin(key, in: store, progress: progress)
    else { return nil }
    await progress("resuming")
    do {
      try await copy([base.memory, base.seed], into: folder)
      return try await resume(
        base, start: start, layer: .missing,
        making: LayerMaking(key: key, folder: folder, base: base, store: store, launch: self, lock: lock))
    } catch {
      try? FileSystem.removeTree(folder)
      guard let failure = error as? Failure, failure.blame != .host else { throw error }
      // Whoever goes on without the layer finds out what is wrong with the template.
      try clearWorkspace()
      return nil
    }
  }

  /// Copies files and folders with their times and their holes; those that are not there are left out.
  private func copy(_ paths: [String], into folder: String) async throws {
    let output: ProcessOutput
    do {
      output = try await HostCommand("cp", ["-R", "-p"] + paths.filter(FileSystem.exists) + [folder])
        .run(deadline: .seconds(120))
    } catch let error as HostCommandError {
      throw Failure(.host, "a template cannot be copied: \(error)")
    }
    guard output.ending.isSuccess else {
      throw Failure(
        .host, "a template cannot be copied to '\(folder)'", evidence: [output.errorText],
        hint: "free space and run again")
    }
  }
}

extension QEMUMachine {
  package func keepLayer(progress: @escaping @Sendable (String) async -> Void) async throws -> any Machine {
    guard let making else { return self }
    await progress("keeping what the first steps did")
    do {
      _ = try await save(
        in: making.folder, hasLanes: making.base.seal.hasLanes, deadline: making.launch.savingDeadline)
    } catch let error as CannotBeSaved {
      if error.canPass { making.abandon() } else { try await making.fail(error.reason) }
      throw Failure(
        .backend, "what the first steps did cannot be kept: \(error.reason)",
        hint: "run again, or without it by --no-cache", canPass: true)
    }
    let template = try await making.finish()
    await progress("resuming behind the kept steps")
    return try await making.launch.resume(template, start: start, layer: .present)
  }
}
