import MusterCatalog
import MusterGuest
import MusterHost
import MusterImages
import MusterMachines
import SystemPackage

/// A launch that goes on from a template: one saved machine for each image, shape and preparation.
extension MachineLaunch {
  /// Makes the template if there is none, and goes on from it; `nil` where this image's machines cannot, which is remembered.
  /// A template that no machine goes on from is thrown away.
  /// - Throws: `Failure`, `CancellationError`. No process is left then.
  func resume(
    from store: TemplateStore, progress: @escaping @Sendable (String) async -> Void
  ) async throws -> QEMUMachine? {
    let key = try await templateKey()
    let lock = try await store.lock(key, progress: progress)
    defer { lock.release() }
    var lastFailure: Failure?
    for _ in 0..<2 {
      var template = try await store.find(key, progress: progress)
      // Whoever has to make it has booted a machine.
      let start = template == nil ? MachineStart.booted : .resumed
      if template == nil { template = try await makeTemplate(key, in: store, progress: progress) }
      guard let template, template.seal.unfit == nil else { return nil }
      do {
        await progress("resuming")
        return try await resume(template, start: start)
      } catch let failure as Failure where failure.blame != .host {
        try clearWorkspace()
        await progress("a machine does not go on from its template, which is made anew: \(failure.message)")
        try store.discard(key)
        lastFailure = failure
      }
    }
    let reason = lastFailure?.message ?? ""
    await progress("machines of this image do not go on from a template, so this one is started: \(reason)")
    try await noteUnfit(key, in: store, reason)
    return nil
  }

  /// So that it is not tried again with every machine.
  private func noteUnfit(_ key: String, in store: TemplateStore, _ reason: String) async throws {
    _ = try store.begin(key)
    _ = try await store.adopt(TemplateSeal(key: key, name: request.image.name, unfit: reason), needing: [])
  }

  /// `nil` where there can be none.
  private func makeTemplate(
    _ key: String, in store: TemplateStore, progress: @escaping @Sendable (String) async -> Void
  ) async throws -> Template? {
    try store.prune()
    let folder = try store.begin(key)
    let free = try FileSystem.freeSpace(of: folder)
    guard free > request.memory + Self.room else {
      await progress("starting without a template: '\(folder)' has \(ByteCount(free)) free")
      try FileSystem.removeTree(folder)
      return nil
    }
    do {
      var seal = TemplateSeal(key: key, name: request.image.name)
      seal.hasLanes = try await save(in: folder, progress: progress)
      await progress("keeping the template")
      var files = [Template.diskName, Template.memoryName, Template.devicesName, image.disk]
      if needsFirmware { files.append(Template.variablesName) }
      if image.initialization == .cloudInit {
        files += [Self.userDataName, Self.metaDataName].map { "\(Template.seedName)/\($0)" }
      }
      if case .kernel(let kernel, let initrd, _) = image.boot { files += [kernel, initrd].compactMap(\.self) }
      return try await store.adopt(seal, needing: files)
    } catch {
      try? FileSystem.removeTree(folder)
      guard let error = error as? CannotBeSaved else { throw error }
      await progress("starting without a template: \(error.reason)")
      try await noteUnfit(key, in: store, error.reason)
      return nil
    }
  }

  /// What must be free besides the machine's memory, in bytes.
  private static let room: Int64 = 1 << 30

  /// Starts the machine, and saves it in a folder.
  /// - Returns: Whether shells wait on its lanes.
  private func save(
    in folder: String, progress: @escaping @Sendable (String) async -> Void
  ) async throws -> Bool {
    let machine = try await boot(savedIn: folder, progress: progress)
    do {
      await progress("saving it as a template")
      let hasLanes = try await machine.prepareForSaving()
      do {
        try await machine.emulator.save(to: "\(folder)/\(Template.devicesName)")
      } catch let failure as Failure where failure.blame == .backend {
        throw CannotBeSaved(reason: failure.message)
      }
      try await machine.endForGood()
      return hasLanes
    } catch {
      try await machine.endForGood()
      throw error
    }
  }

  /// Removes what a machine of the same launch has left.
  private func clearWorkspace() throws(Failure) {
    for name in try FileSystem.names(in: request.workspace) {
      try FileSystem.removeTree("\(request.workspace)/\(name)")
    }
  }

  /// All that could make a template wrong, in a few digits.
  private func templateKey() async throws -> String {
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
    return String(try await Digest.of(parts.joined(separator: "\n")).hex.prefix(32))
  }

  /// What a file of the host's packages is told by from its next version.
  private static func version(of path: String) throws(Failure) -> String {
    guard let information = try FileSystem.information(path) else { return "" }
    return "\(information.size) \(information.modified)"
  }

  // MARK: A machine that goes on

  /// How long a saved machine may take to go on, with hardware acceleration.
  private static let patience = Duration.seconds(15)

  private func resume(_ template: Template, start: MachineStart) async throws -> QEMUMachine {
    let began = AwakeClock.now
    let deadline = min(Self.patience * accelerator.timeScale, request.deadline)
    try clearWorkspace()
    let (disk, variables) = (
      "\(request.workspace)/\(Self.diskName)", "\(request.workspace)/\(Template.variablesName)"
    )
    async let own = preparation.identity.withOwnHostKey(in: request.workspace)
    try await DiskTool(path: installation.imageTool).makeOverlay(disk, of: template.disk, format: "qcow2")
    var command = command(disk: disk, seed: template.seed)
    if needsFirmware {
      command.firmware = try Firmware.find(cpu: request.image.cpu)
      try FileSystem.copy(template.variables, to: variables)
      command.firmware?.variables.path = variables
    }
    command.memoryFile = EmulatorCommand.MemoryFile(path: template.memory, isShared: false)
    command.isIncoming = true
    let identity = try await own
    let emulator = try await Emulator.start(
      command, emulator: installation.emulator, workspace: request.workspace, state: template.devices,
      logs: request.logs, line: { _ in })
    let guest = guest(emulator, identity: identity, hasLanes: template.seal.hasLanes)
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
    return QEMUMachine(name: request.name, start: start, workspace: request.workspace, readiness: readiness) {
      [tool = installation.imageTool, image] in
      try await DiskTool(path: tool).rebase(disk, to: image.disk, format: image.format)
    }
  }
}

/// The machine came up, and is none that others can go on from.
private struct CannotBeSaved: Error {
  var reason: String
}

extension QEMUMachine {
  /// Makes the guest ready to be saved.
  /// - Returns: Whether shells wait on its lanes.
  fileprivate func prepareForSaving() async throws -> Bool {
    let guest = readiness.guest
    do {
      if let reason = try await guest.prepareForSaving() { throw CannotBeSaved(reason: reason) }
      let hasLanes = try await guest.armLanes()
      await guest.close()
      try await emulator.waitForConnections()
      return hasLanes
    } catch let error as GuestError {
      throw Failure(.guest, "the machine cannot be prepared to be saved: \(error.message)", canPass: true)
    }
  }

  /// Ends QEMU, but leaves the files.
  fileprivate func endForGood() async throws {
    try await emulator.end()
    await readiness.guest.close()
  }
}
