import MusterCatalog
import MusterGuest
import MusterHost
import MusterImages
import MusterMachines

/// What it takes to make one machine, from an overlay of its image to the first command in it.
struct MachineLaunch: Sendable {
  var request: LaunchRequest
  var image: ReadyImage
  var installation: Installation
  var accelerator: Accelerator
  var preparation: GuestPreparation
  /// What a machine that resumes is told of the time, in nanoseconds since 1970.
  var time: @Sendable () -> Int64

  /// The names in the workspace.
  static let (diskName, socketName) = ("disk.qcow2", "ssh")

  /// Launches the machine, and returns when it is ready. No process is left when this throws.
  /// - Parameter templates: What it may go on from, in place of starting as a computer does.
  /// - Throws: `Failure`, `CancellationError`.
  func run(
    templates: TemplateStore? = nil, progress: @escaping @Sendable (String) async -> Void
  ) async throws -> QEMUMachine {
    // Hardware addresses are in a machine's state, and machines of one network must not share any.
    if let templates, !request.isCold, request.network == nil {
      if let machine = try await resume(from: templates, progress: progress) { return machine }
      // There may be something of one that was to be saved.
      try clearWorkspace()
    }
    return try await boot(progress: progress)
  }

  /// Starts the machine as a computer starts, and returns when it is ready. No process is left when this throws.
  /// - Parameter home: The folder of what is the machine's own, to be saved in; `nil` for the workspace.
  /// - Throws: `Failure`, `CancellationError`.
  func boot(
    savedIn home: String? = nil, progress: @escaping @Sendable (String) async -> Void
  ) async throws -> QEMUMachine {
    let start = AwakeClock.now
    let stage = LaunchStage()
    await progress("starting")
    let folder = home ?? request.workspace
    let files = try SharedFiles(of: image)
    try await DiskTool(path: installation.imageTool).makeOverlay(
      "\(folder)/\(Self.diskName)", of: image.disk, format: image.format, size: request.disk)
    if image.initialization == .cloudInit { try writeSeed(in: folder) }
    var command = command(disk: "\(folder)/\(Self.diskName)", seed: "\(folder)/\(Template.seedName)")
    if needsFirmware {
      command.firmware = try Firmware.find(cpu: request.image.cpu)
        .withOwnVariables(at: "\(folder)/\(Template.variablesName)")
    }
    if home != nil {
      command.memoryFile = EmulatorCommand.MemoryFile(path: "\(folder)/\(Template.memoryName)", isShared: true)
      command.mayStartProcesses = true
    }
    command.plug = request.network.map { NetworkPlug($0) }
    let emulator = try await Emulator.start(
      command, emulator: installation.emulator, workspace: request.workspace, logs: request.logs
    ) { [image] line in
      if stage.current == .started, Self.isKernelsWord(line, of: image) { stage.reach(.kernel) }
    }
    let guest = guest(emulator, identity: preparation.identity)
    let readiness = Readiness(
      emulator: emulator, guest: guest, initialization: image.initialization, stage: stage)
    do {
      try await readiness.wait(within: request.deadline - start.duration(to: AwakeClock.now), progress: progress)
      try await command.plug?.join(guest)
    } catch {
      try await emulator.end()
      await guest.close()
      throw error
    }
    return QEMUMachine(
      name: request.name, start: .booted, workspace: request.workspace, readiness: readiness, files: files,
      plug: command.plug)
  }

  /// - Parameter hasLanes: Whether shells wait on the machine's lanes.
  func guest(_ emulator: Emulator, identity: GuestIdentity, hasLanes: Bool = false) -> SSHGuest {
    SSHGuest(
      port: emulator.port, identity: identity, controlPath: "\(request.workspace)/\(Self.socketName)",
      endingDeadline: .seconds(30) * accelerator.timeScale, lanes: emulator.lanes, areArmed: hasLanes,
      death: emulator.vitals.isDead)
  }

  /// What is said to QEMU, but for firmware and memory.
  func command(disk: String, seed: String) -> EmulatorCommand {
    EmulatorCommand(
      name: request.name.text, uuid: Self.randomUUID(), cpu: request.image.cpu, accelerator: accelerator,
      cpus: request.cpus, memory: request.memory, disk: EmulatorCommand.Disk(path: disk, format: "qcow2"),
      boot: image.boot, seed: image.initialization == .cloudInit ? seed : nil, console: .file(Emulator.consoleName),
      monitor: Emulator.monitorName, lanes: Lanes.most, hasSandbox: installation.hasSandbox)
  }

  var needsFirmware: Bool {
    image.boot == .disk(firmware: .uefi) || (request.image.cpu == .arm64 && image.boot == .disk(firmware: .bios))
  }

  private func writeSeed(in folder: String) throws(Failure) {
    let seed = "\(folder)/\(Template.seedName)"
    try FileSystem.createFolder(seed, mode: 0o700)
    try FileSystem.write(preparation.userData, to: "\(seed)/\(Self.userDataName)", mode: 0o600)
    try FileSystem.write(
      preparation.metaData(instance: request.name.text), to: "\(seed)/\(Self.metaDataName)", mode: 0o600)
  }

  /// The names in the seed.
  static let (userDataName, metaDataName) = ("user-data", "meta-data")

  /// Whether a line of the console proves that the kernel runs. Before one that QEMU starts itself nobody speaks, but its
  /// own loader; it may have been told to be quiet, and then what speaks first is what it has started.
  private static func isKernelsWord(_ line: String, of image: ReadyImage) -> Bool {
    if case .kernel = image.boot, !line.contains("Probing EDD") { return true }
    return AcceleratorProbe.isKernelsWord(line)
  }

  /// A UUID of version 4.
  static func randomUUID() -> String {
    var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
    bytes[6] = bytes[6] & 0x0F | 0x40
    bytes[8] = bytes[8] & 0x3F | 0x80
    var text = ""
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text += "-" }
      text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    return text
  }
}
