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

  /// The names in the workspace.
  private static let (diskName, seedName, variablesName, socketName) = ("disk.qcow2", "seed", "variables", "ssh")

  /// Launches the machine, and returns when it is ready. No process is left when this throws.
  /// - Throws: `Failure`, `CancellationError`.
  func run(progress: @escaping @Sendable (String) async -> Void) async throws -> QEMUMachine {
    let start = AwakeClock.now
    let stage = LaunchStage()
    await progress("starting")
    var command = try await prepareWorkspace()
    command.plug = request.network.map { NetworkPlug($0) }
    let emulator = try await Emulator.start(
      command, emulator: installation.emulator, workspace: request.workspace, logs: request.logs
    ) { [image] line in
      if stage.current == .started, Self.isKernelsWord(line, of: image) { stage.reach(.kernel) }
    }
    let guest = SSHGuest(
      port: emulator.port, identity: preparation.identity, controlPath: "\(request.workspace)/\(Self.socketName)",
      endingDeadline: .seconds(30) * accelerator.timeScale, lanes: emulator.lanes)
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
      name: request.name, workspace: request.workspace, readiness: readiness, plug: command.plug)
  }

  /// Puts all into the workspace that goes with the machine.
  private func prepareWorkspace() async throws -> EmulatorCommand {
    let folder = request.workspace
    try await DiskTool(path: installation.imageTool).makeOverlay(
      "\(folder)/\(Self.diskName)", of: image.disk, format: image.format, size: request.disk)
    var command = EmulatorCommand(
      name: request.name.text, uuid: Self.randomUUID(), cpu: request.image.cpu, accelerator: accelerator,
      cpus: request.cpus, memory: request.memory, disk: EmulatorCommand.Disk(path: Self.diskName, format: "qcow2"),
      boot: image.boot, console: .file(Emulator.consoleName), monitor: Emulator.monitorName,
      lanes: Lanes.most, hasSandbox: installation.hasSandbox)
    if image.boot == .disk(firmware: .uefi) || (request.image.cpu == .arm64 && image.boot == .disk(firmware: .bios)) {
      command.firmware = try Firmware.find(cpu: request.image.cpu)
        .withOwnVariables(at: "\(folder)/\(Self.variablesName)")
      command.firmware?.variables.path = Self.variablesName
    }
    if image.initialization == .cloudInit {
      let seed = "\(folder)/\(Self.seedName)"
      try FileSystem.createFolder(seed, mode: 0o700)
      try FileSystem.write(preparation.userData, to: "\(seed)/user-data", mode: 0o600)
      try FileSystem.write(preparation.metaData(instance: request.name.text), to: "\(seed)/meta-data", mode: 0o600)
      command.seed = Self.seedName
    }
    return command
  }

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
