import MusterCatalog
import MusterGuest
import MusterHost
import MusterImages
import MusterMachines
import SystemPackage

/// A launch that goes on from a template: one saved machine for each image, shape and preparation.
extension MachineLaunch {
  /// Makes the template if there is none, and goes on from it; `nil` where this image's machines cannot, which is remembered,
  /// and where there is no room for a template. One that no machine goes on from is thrown away.
  /// - Throws: `Failure`, `CancellationError`. No process is left then.
  func resume(
    from store: TemplateStore, progress: @escaping @Sendable (String) async -> Void
  ) async throws -> QEMUMachine? {
    if let machine = try await LayerLaunch(self, store)?.resume(progress: progress) { return machine }
    let key = try await templateKey()
    let lock = try await store.lock(key, progress: progress)
    defer { lock.release() }
    var lastFailure: Failure?
    for _ in 0..<2 {
      guard let ready = try await readyTemplate(key, in: store, progress: progress) else { return nil }
      do {
        await progress("resuming")
        return try await resume(ready.template, start: ready.start)
      } catch let failure as Failure where failure.blame != .host {
        try clearWorkspace()
        await progress("a machine does not go on from its template, which is made anew: \(failure.message)")
        try store.discard(key)
        lastFailure = failure
      }
    }
    let reason = lastFailure?.message ?? ""
    await progress("machines of this image do not go on from a template, so this one is started: \(reason)")
    // A host that is too busy is another time not.
    if lastFailure?.canPass != true { try await noteUnfit(key, in: store, reason) }
    return nil
  }

  /// So that it is not tried again with every machine.
  func noteUnfit(_ key: String, in store: TemplateStore, _ reason: String) async throws {
    _ = try store.begin(key)
    _ = try await store.adopt(TemplateSeal(key: key, name: request.image.name, unfit: reason), needing: [])
  }

  /// The template of a key, made if there is none, and how a machine that goes on from it comes to be; `nil` where there can be
  /// none.
  func readyTemplate(
    _ key: String, in store: TemplateStore, progress: @escaping @Sendable (String) async -> Void
  ) async throws -> (template: Template, start: MachineStart)? {
    if let template = try await store.find(key, progress: progress) {
      return template.seal.unfit == nil ? (template, .resumed) : nil
    }
    // Whoever has to make it has booted a machine.
    return try await makeTemplate(key, in: store, progress: progress).map { ($0, .booted) }
  }

  private func makeTemplate(
    _ key: String, in store: TemplateStore, progress: @escaping @Sendable (String) async -> Void
  ) async throws -> Template? {
    guard let folder = try await begin(key, in: store, progress: progress) else { return nil }
    do {
      var seal = TemplateSeal(key: key, name: request.image.name)
      let machine = try await boot(savedIn: folder, progress: progress)
      await progress("saving it as a template")
      seal.hasLanes = try await machine.save(in: folder, deadline: savingDeadline)
      if let damage = await machine.damage() { throw damage }
      await progress("keeping the template")
      return try await store.adopt(seal, needing: filesOfTemplate)
    } catch {
      try? FileSystem.removeTree(folder)
      guard let error = error as? CannotBeSaved else { throw error }
      await progress("starting without a template: \(error.reason)")
      if !error.canPass { try await noteUnfit(key, in: store, error.reason) }
      return nil
    }
  }

  /// What a template of this machine consists of, seen from its folder, and what it needs besides.
  var filesOfTemplate: [String] {
    var files = [Template.diskName, Template.memoryName, Template.devicesName, image.disk]
    if needsFirmware { files.append(Template.variablesName) }
    if image.initialization == .cloudInit {
      files += [Self.userDataName, Self.metaDataName].map { "\(Template.seedName)/\($0)" }
    }
    if case .kernel(let kernel, let initrd, _) = image.boot { files += [kernel, initrd].compactMap(\.self) }
    return files
  }

  /// An empty folder for a template that is to be made; `nil` where there is no room for it.
  func begin(
    _ key: String, in store: TemplateStore, progress: @Sendable (String) async -> Void
  ) async throws -> String? {
    // Where it cannot be told what machines stand on, nothing goes.
    if let files = try? await store.filesInUse() { try store.prune(sparing: files) }
    let folder = try store.begin(key)
    let free = try FileSystem.freeSpace(of: folder)
    if free > request.memory + Self.room { return folder }
    await progress("starting without a template: '\(folder)' has \(ByteCount(free)) free")
    try FileSystem.removeTree(folder)
    return nil
  }

  /// How long a preparation of the guest before it is saved may take.
  var savingDeadline: Duration { .seconds(60) * accelerator.timeScale }

  /// What must be free besides the machine's memory, in bytes.
  private static let room: Int64 = 1 << 30

  /// Removes what a machine of the same launch has left.
  func clearWorkspace() throws(Failure) {
    for name in try FileSystem.names(in: request.workspace) {
      try FileSystem.removeTree("\(request.workspace)/\(name)")
    }
  }

  /// All that could make a template wrong, in a few digits.
  func templateKey() async throws -> String {
    var command = command(disk: "disk", seed: "seed")
    (command.name, command.uuid) = ("", "")
    var parts = ["muster-template 1", image.digest, image.disk, "\(request.disk)", image.initialization.rawValue]
    parts += [installation.version, installation.emulator, try Self.version(of: installation.emulator)]
    if needsFirmware {
      let firmware = try Firmware.find(cpu: request.image.cpu)
      for flash in [firmware.code, firmware.variables] {
        parts += [flash.path, try Self.version(of: flash.path)]
      }
    }
    parts += command.arguments + [Virtualization.processorName, preparation.identity.publicKey]
    parts += [preparation.identity.hostPublicKey, preparation.userData, GuestPreparation.savingScript]
    return try await Digest.short(of: parts)
  }

  /// What a file of the host's packages is told by from its next version.
  private static func version(of path: String) throws(Failure) -> String {
    guard let information = try FileSystem.information(path) else { return "" }
    return "\(information.size) \(information.modified)"
  }

  // MARK: A machine that goes on

  /// How long a saved machine may take to go on, with hardware acceleration.
  private static let patience = Duration.seconds(15)

  /// - Parameters:
  ///   - start: How it is said to have come to be.
  ///   - keptSteps: How many steps are done in it.
  ///   - making: The layer that is to be made of it, in whose folder it lives then.
  func resume(
    _ template: Template, start: MachineStart, keptSteps: Int = 0, making: LayerMaking? = nil
  ) async throws -> QEMUMachine {
    let began = AwakeClock.now
    let deadline = min(Self.patience * accelerator.timeScale, request.deadline)
    try clearWorkspace()
    let home = making?.folder ?? request.workspace
    if image.initialization == .cloudInit, making == nil {
      // QEMU opens its files whenever they are read, and the template may be gone by then.
      try FileSystem.createFolder("\(home)/\(Template.seedName)", mode: 0o700)
      for name in [Self.userDataName, Self.metaDataName].map({ "\(Template.seedName)/\($0)" }) {
        try FileSystem.copy("\(template.folder)/\(name)", to: "\(home)/\(name)")
      }
    }
    let (disk, variables) = ("\(home)/\(Template.diskName)", "\(home)/\(Template.variablesName)")
    // What others go on from keeps the key that is known beforehand.
    async let own =
      making == nil
      ? preparation.identity.withOwnHostKey(in: request.workspace) : preparation.identity
    try await DiskTool(path: installation.imageTool).makeOverlay(disk, of: template.disk, format: "qcow2")
    var command = command(disk: disk, seed: "\(home)/\(Template.seedName)")
    if needsFirmware {
      command.firmware = try Firmware.find(cpu: request.image.cpu)
      try FileSystem.copy(template.variables, to: variables)
      command.firmware?.variables.path = variables
    }
    command.memoryFile =
      making.map { EmulatorCommand.MemoryFile(path: "\($0.folder)/\(Template.memoryName)", isShared: true) }
      ?? EmulatorCommand.MemoryFile(path: template.memory, isShared: false)
    command.mayStartProcesses = making != nil
    command.isIncoming = true
    let identity = try await own
    let emulator = try await Emulator.start(
      command, emulator: installation.emulator, workspace: request.workspace, state: template.devices,
      logs: request.logs, line: { _ in })
    let guest = guest(emulator, identity: identity, hasLanes: template.seal.hasLanes && making == nil)
    do {
      try await emulator.resume()
      let awakening = identity.awakening
      let awake: Void? = try await first(within: deadline - began.duration(to: AwakeClock.now)) {
        try await guest.awaken(awakening, time: time)
      } or: {
        throw try await emulator.vitals.failure()
      }
      guard awake != nil else {
        throw Failure(.guest, "the saved machine did not wake up within \(deadline.human)", canPass: true)
      }
      emulator.vitals.phase = .ready
    } catch {
      try await emulator.end()
      await guest.close()
      throw error
    }
    let readiness = Readiness(
      emulator: emulator, guest: guest, initialization: image.initialization, stage: LaunchStage())
    return QEMUMachine(
      name: request.name, start: start, workspace: request.workspace, readiness: readiness,
      files: SharedFiles(of: template), keptSteps: keptSteps, making: making
    ) { [tool = installation.imageTool, image] in
      try await DiskTool(path: tool).rebase(disk, to: image.disk, format: image.format)
    }
  }
}

/// The machine came up, and is none that others can go on from.
struct CannotBeSaved: Error {
  var reason: String
  /// Whether another attempt may do better.
  var canPass = false
}

extension QEMUMachine {
  /// Saves the machine's state beside its memory and its disk, and ends it.
  /// - Parameters:
  ///   - hasLanes: Whether shells are known to wait on its lanes; `nil` to have them wait now.
  ///   - deadline: How long each preparation in the guest may take.
  /// - Returns: Whether shells wait on its lanes.
  /// - Throws: `CannotBeSaved`, `Failure`, `CancellationError`. Its QEMU has ended in any case.
  func save(in folder: String, hasLanes: Bool? = nil, deadline: Duration) async throws -> Bool {
    do {
      let hasLanes = try await prepareForSaving(hasLanes, deadline)
      do {
        try await emulator.save(to: "\(folder)/\(Template.devicesName)")
      } catch let failure as Failure where failure.blame == .backend {
        if let free = try? FileSystem.freeSpace(of: folder), free < 64 << 20 {
          throw Failure(
            .host, "disk full: the machine cannot be saved in '\(folder)'", evidence: [failure.message],
            hint: "free space and run again")
        }
        throw CannotBeSaved(reason: failure.message)
      }
      try await endEmulator()
      return hasLanes
    } catch {
      try await endEmulator()
      throw error
    }
  }

  private func prepareForSaving(_ hasLanes: Bool?, _ deadline: Duration) async throws -> Bool {
    let (guest, vitals) = (readiness.guest, emulator.vitals)
    let restart = vitals.nextRestart
    let restarted = Failure(.guest, "the guest restarted itself before it was saved", canPass: true)
    // One that boots may have restarted on its way; one that went on from a template has not.
    func hasRestarted() -> Bool { making != nil && vitals.restarts > 0 }
    do {
      if let reason = try await guest.prepareForSaving(deadline: deadline) { throw CannotBeSaved(reason: reason) }
      let isArmed = if let hasLanes { hasLanes } else { try await guest.armLanes(deadline: deadline) }
      await guest.close()
      try await emulator.waitForConnections()
      if hasRestarted() { throw restarted }
      return isArmed
    } catch let error as GuestError {
      // What became of the machine tells more than that it does not answer, and is known a moment later.
      if error.code == .unreachable {
        if hasRestarted() { throw restarted }
        let end = try? await first(within: Self.endPatience) { () async throws -> Failure? in
          try await vitals.failure()
        } or: {
          await restart.value().map { restarted }
        }
        try Task.checkCancellation()
        if let end = end ?? nil { throw end }
      }
      throw CannotBeSaved(reason: "it cannot be prepared to be saved: \(error.message)", canPass: true)
    }
  }

  /// How long a machine that does not answer may take to die, or to restart.
  private static var endPatience: Duration { .seconds(10) }

  /// Ends QEMU, but leaves the files.
  private func endEmulator() async throws {
    try await emulator.end()
    await readiness.guest.close()
  }
}
