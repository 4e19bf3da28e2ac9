import MusterCatalog
import MusterHost
import MusterImages
import Synchronization

/// Knows what executes the instructions of machines on this host, and finds it out where it is not known yet.
final class AcceleratorFinder: Sendable {
  private let memory: AcceleratorMemory
  /// What was found in this process, by guest CPU; and for images that are silent, by image.
  private let found = Mutex<[String: AcceleratorChoice]>([:])

  init(cache: String) {
    memory = AcceleratorMemory(folder: cache)
  }

  /// What can be said without trying: `nil` when only trying can tell.
  func known(_ installation: Installation, cpu: CPU) -> AcceleratorChoice? {
    if cpu != .host {
      return AcceleratorChoice(
        accelerator: .tcg, remark: "\(cpu.rawValue) machines are emulated on this \(CPU.host.rawValue) host, slowly")
    }
    let hardware = Virtualization.current
    switch hardware.access {
    case .missing:
      return AcceleratorChoice(
        accelerator: .tcg, remark: "this host offers no \(hardware.accelerator), so machines are emulated, slowly")
    case .denied(let hint):
      return AcceleratorChoice(
        accelerator: .tcg,
        remark: "this user may not use \(hardware.accelerator), so machines are emulated, slowly; \(hint)")
    case .granted:
      return found.withLock { $0[cpu.rawValue] }
        ?? memory.recall(.current(version: installation.version, cpu: cpu))
    }
  }

  /// What is known, or what the host's own kernel tells, where it can be read.
  /// - Throws: `CancellationError`.
  func choice(_ installation: Installation, cpu: CPU) async throws -> AcceleratorChoice? {
    if let choice = known(installation, cpu: cpu) { return choice }
    guard let kernel = Virtualization.hostKernel else { return nil }
    return try await trial(installation, cpu: cpu, kernel: kernel)
  }

  /// What is known, or what the image tells when it is started.
  /// - Throws: `Failure`, `CancellationError`.
  func choice(_ installation: Installation, for image: ReadyImage, cpu: CPU) async throws -> AcceleratorChoice {
    if let choice = try await choice(installation, cpu: cpu) ?? found.withLock({ $0[image.digest] }) { return choice }
    switch image.boot {
    case .kernel(let kernel, _, _): return try await trial(installation, cpu: cpu, kernel: kernel)
    case .disk: return try await trial(installation, cpu: cpu, image: image)
    }
  }

  private func trial(_ installation: Installation, cpu: CPU, kernel: String) async throws -> AcceleratorChoice {
    guard let probe = Self.probe(installation, cpu: cpu) else { return AcceleratorChoice(accelerator: .tcg) }
    let choice = Self.choice(try await probe.trial(kernel: kernel), probe.accelerator)
    remember(choice, installation, cpu: cpu)
    return choice
  }

  private func trial(_ installation: Installation, cpu: CPU, image: ReadyImage) async throws -> AcceleratorChoice {
    guard let probe = Self.probe(installation, cpu: cpu) else { return AcceleratorChoice(accelerator: .tcg) }
    let folder = try FileSystem.createTemporaryFolder("muster-probe")
    defer { try? FileSystem.removeTree(folder) }
    var firmware: Firmware?
    if image.boot == .disk(firmware: .uefi) {
      firmware = try Firmware.find(cpu: cpu).withOwnVariables(at: "\(folder)/variables")
    }
    let disk = EmulatorCommand.Disk(path: image.disk, format: image.format)
    let answer = try await probe.trial(disk: disk, boot: image.boot, firmware: firmware)
    let choice = Self.choice(answer, probe.accelerator)
    if answer == .silent {
      // An image may keep silent where acceleration works: that is no answer for other images, nor for the next run.
      found.withLock { $0[image.digest] = choice }
    } else {
      remember(choice, installation, cpu: cpu)
    }
    return choice
  }

  private func remember(_ choice: AcceleratorChoice, _ installation: Installation, cpu: CPU) {
    found.withLock { $0[cpu.rawValue] = choice }
    memory.remember(choice, .current(version: installation.version, cpu: cpu))
  }

  private static func probe(_ installation: Installation, cpu: CPU) -> AcceleratorProbe? {
    Accelerator(rawValue: Virtualization.current.accelerator).map {
      AcceleratorProbe(installation: installation, cpu: cpu, accelerator: $0)
    }
  }

  private static func choice(_ answer: AcceleratorProbe.Answer, _ accelerator: Accelerator) -> AcceleratorChoice {
    let name = accelerator.rawValue
    switch answer {
    case .works: return AcceleratorChoice(accelerator: accelerator)
    case .fails(let reason):
      return AcceleratorChoice(
        accelerator: .tcg, remark: "\(name) is there but does not work, so machines are emulated, slowly: \(reason)")
    case .silent:
      return AcceleratorChoice(
        accelerator: .tcg,
        remark: "\(name) is there, but nothing was heard of the image's kernel with it within "
          + "\(AcceleratorProbe.deadline.human), so machines are emulated, slowly")
    }
  }
}
