import MusterHost
import MusterImages
package import MusterMachines

/// A launch that goes on from as much as there is of what the first steps of its cell do, and keeps what comes next of it.
///
/// Of several layers the lock of the longer one is always taken first, so that nobody waits in a circle.
struct LayerLaunch: Sendable {
  let machine: MachineLaunch
  let store: TemplateStore
  private let layers: [MachineLayer]
  /// What the templates of the layers are known by.
  private let keys: [String]
  private let baseKey: String

  /// `nil` where nothing is kept of what the cell does.
  init?(_ machine: MachineLaunch, _ store: TemplateStore) async throws {
    if machine.request.layers.isEmpty { return nil }
    self.machine = machine
    self.store = store
    layers = machine.request.layers
    baseKey = try await machine.templateKey()
    var keys: [String] = []
    for layer in layers { keys.append(try await Digest.short(of: [baseKey, layer.content])) }
    self.keys = keys
  }

  /// Whether a template is that of a layer.
  func isLayer(_ template: Template) -> Bool { template.seal.key != baseKey }

  private func key(_ steps: Int) -> String { steps == 0 ? baseKey : keys[steps - 1] }

  private typealias Progress = @Sendable (String) async -> Void

  /// What came of one attempt to go on.
  private enum Finding {
    case machine(QEMUMachine)
    /// There is more now than there was, or less.
    case changed
    /// A layer of which no machine goes on, or that cannot be made.
    case unfit(steps: Int)
    case noRoom
    /// There is no template at all.
    case nothing
  }

  /// Returns the machine that goes on from the longest layer that there is, and of which the next is to be made if it can be;
  /// `nil` where nothing is kept, and nothing can be.
  /// - Throws: `Failure`, `CancellationError`. No process is left then.
  func resume(progress: @escaping @Sendable (String) async -> Void) async throws -> QEMUMachine? {
    try await resume(behind: 0, start: .resumed, progress)
  }

  /// Goes on behind steps that were done just now, and kept.
  /// - Parameter start: How the machine in which they were done came to be.
  /// - Throws: `Failure`, `CancellationError`. No process is left then.
  func goOn(
    behind steps: Int, start: MachineStart, progress: @escaping @Sendable (String) async -> Void
  ) async throws -> QEMUMachine {
    guard let machine = try await resume(behind: steps, start: start, progress) else { throw gone }
    return machine
  }

  private func resume(behind steps: Int, start: MachineStart, _ progress: @escaping Progress) async throws
    -> QEMUMachine?
  {
    var unfit: Set<Int> = []
    var hasRoom = true
    // Others may make and remove layers all the time.
    for _ in 0..<(3 * layers.count + 3) {
      let kept = (steps...layers.count).dropFirst().filter { !unfit.contains($0) && store.mayHave(key($0)) }
      let longest = kept.last ?? steps
      let next = (longest...layers.count).dropFirst().first { layers[$0 - 1].isMade && !unfit.contains($0) }
      let goOn = GoOn(steps: longest, isDone: longest == steps && steps > 0, start: start)
      let finding =
        if let next, hasRoom {
          try await make(next, of: goOn, progress)
        } else if longest > 0 {
          try await resume(goOn, progress)
        } else {
          Finding.nothing
        }
      switch finding {
      case .machine(let machine): return machine
      case .changed: break
      case .unfit(let steps): unfit.insert(steps)
      case .noRoom: hasRoom = false
      case .nothing: return nil
      }
    }
    return nil
  }

  /// What a machine goes on from.
  private struct GoOn {
    var steps: Int
    /// Whether its steps were done by this cell: then there is nothing else to go on from.
    var isDone: Bool
    var start: MachineStart
  }

  private var gone: Failure {
    Failure(
      .host, "what the first steps did was kept, and is gone again from '\(store.folder)'",
      hint: "see what else removes files there, and run again", canPass: true)
  }

  /// The template to go on from, whose lock the caller has.
  private func template(
    _ goOn: GoOn, _ progress: @escaping Progress
  ) async throws -> (template: Template, start: MachineStart)? {
    if goOn.steps == 0 { return try await machine.readyTemplate(baseKey, in: store, progress: progress) }
    let lifetime = goOn.isDone ? nil : layers[goOn.steps - 1].lifetime
    return try await store.find(key(goOn.steps), madeWithin: lifetime, progress: progress).map { ($0, goOn.start) }
  }

  /// Goes on from a layer.
  private func resume(_ goOn: GoOn, _ progress: @escaping Progress) async throws -> Finding {
    let lock = try await store.lock(key(goOn.steps), progress: progress)
    defer { lock.release() }
    guard let (template, start) = try await template(goOn, progress) else {
      if goOn.isDone { throw gone }
      return .changed
    }
    if template.seal.unfit != nil { return .unfit(steps: goOn.steps) }
    do {
      await progress("resuming behind the kept steps")
      return .machine(try await machine.resume(template, start: start, keptSteps: goOn.steps))
    } catch let failure as Failure where failure.blame != .host && !goOn.isDone {
      return try await discard(goOn, failure, progress)
    }
  }

  /// Goes on with a machine of which the next layer will be made, and which has its lock.
  private func make(_ steps: Int, of goOn: GoOn, _ progress: @escaping Progress) async throws -> Finding {
    let lock = try await store.lock(key(steps), progress: progress)
    var isHandedOn = false
    defer { if !isHandedOn { lock.release() } }
    let lifetime = layers[steps - 1].lifetime
    if let other = try await store.find(key(steps), madeWithin: lifetime, progress: progress) {
      return other.seal.unfit == nil ? .changed : .unfit(steps: steps)
    }
    let baseLock = try await store.lock(key(goOn.steps), progress: progress)
    defer { baseLock.release() }
    guard let (base, start) = try await template(goOn, progress) else {
      if goOn.isDone { throw gone }
      return goOn.steps == 0 ? .nothing : .changed
    }
    if base.seal.unfit != nil { return .unfit(steps: goOn.steps) }
    guard let folder = try await machine.begin(key(steps), in: store, progress: progress) else { return .noRoom }
    await progress(goOn.steps == 0 ? "resuming" : "resuming behind the kept steps")
    do {
      try await copy([base.memory, base.seed], into: folder)
      let making = LayerMaking(
        key: key(steps), steps: steps, sources: layers[steps - 1].sources, folder: folder, base: base, launch: self,
        lock: lock)
      let resumed = try await machine.resume(base, start: start, keptSteps: goOn.steps, making: making)
      isHandedOn = true
      return .machine(resumed)
    } catch {
      try? FileSystem.removeTree(folder)
      guard let failure = error as? Failure, failure.blame != .host, !goOn.isDone else { throw error }
      if goOn.steps > 0 { return try await discard(goOn, failure, progress) }
      // Whoever goes on without the layer finds out what is wrong with the template.
      try machine.clearWorkspace()
      return .nothing
    }
  }

  private func discard(_ goOn: GoOn, _ failure: Failure, _ progress: Progress) async throws -> Finding {
    try machine.clearWorkspace()
    await progress("a machine does not go on behind the kept steps, which are done anew: \(failure.message)")
    try store.discard(key(goOn.steps))
    return .changed
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
    for source in making.sources where try FileIdentity.tree(source.path) != source.tree {
      await progress("what the first steps did is not kept: '\(source.path)' was changed meanwhile")
      return self
    }
    await progress("keeping what the first steps did")
    do {
      _ = try await save(
        in: making.folder, hasLanes: making.base.seal.hasLanes, deadline: making.launch.machine.savingDeadline)
    } catch let error as CannotBeSaved {
      if error.canPass { making.abandon() } else { try await making.fail(error.reason) }
      throw Failure(
        error.canPass ? .guest : .backend, "what the first steps did cannot be kept: \(error.reason)",
        hint: "run again, or without it by --no-cache", canPass: true)
    }
    if let damage = await damage() { throw damage }
    try await making.finish()
    return try await making.launch.goOn(behind: making.steps, start: start, progress: progress)
  }
}
