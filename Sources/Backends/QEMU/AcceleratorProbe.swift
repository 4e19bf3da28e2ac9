import MusterCatalog
import MusterHost
import MusterImages
import Synchronization

/// Finds out whether a kernel really runs with the host's acceleration. `/dev/kvm` that can be opened tells nothing: it
/// may run firmware and hang a kernel, or abort QEMU.
struct AcceleratorProbe: Sendable {
  enum Answer: Sendable, Hashable {
    case works
    /// It does not, for a reason that is told as a lowercase fragment.
    case fails(String)
    /// Nothing was heard; the image may be one that is silent on its console.
    case silent
  }

  /// How long a kernel may take; with acceleration it needs a second or two.
  static let deadline = Duration.seconds(10)

  var installation: Installation
  var cpu: CPU
  var accelerator: Accelerator
  var deadline = Self.deadline

  /// Starts a kernel without a root disk: it works when it comes so far that it misses it.
  /// - Throws: `CancellationError`.
  func trial(kernel: String) async throws -> Answer {
    let console = cpu == .x86_64 ? "ttyS0" : "ttyAMA0"
    let arguments = "console=\(console) panic=-1"
    let boot = ReadyImage.Boot.kernel(path: kernel, initrd: nil, arguments: arguments)
    return try await trial(command(boot: boot), told: { $0.contains("Unable to mount root") }, isReal: true)
  }

  /// Starts an image, nothing of which is changed: it works when its kernel, or what comes after it, says something.
  /// - Throws: `CancellationError`.
  func trial(disk: EmulatorCommand.Disk, boot: ReadyImage.Boot, firmware: Firmware?) async throws -> Answer {
    var command = command(boot: boot)
    command.memory = 1 << 30
    command.firmware = firmware
    command.disk = disk
    command.disk?.isSnapshot = true
    return try await trial(command, told: Self.isKernelsWord, isReal: false)
  }

  /// Whether a line comes from Linux or what runs on it, rather than from firmware or a boot loader.
  static func isKernelsWord(_ line: String) -> Bool {
    if ["Linux version ", "systemd[1]", "login:", "cloud-init"].contains(where: line.contains) { return true }
    // A time stamp: `[    0.000000] `.
    guard line.first == "[", let end = line.firstIndex(of: "]") else { return false }
    let stamp = line[..<end].dropFirst().drop { $0 == " " }
    return stamp.contains(".") && stamp.allSatisfy { $0.isNumber || $0 == "." }
  }

  private func command(boot: ReadyImage.Boot) -> EmulatorCommand {
    EmulatorCommand(
      name: "muster-probe", uuid: "00000000-0000-4000-8000-000000000000", cpu: cpu, accelerator: accelerator, cpus: 2,
      memory: 512 << 20, boot: boot, console: .standardOutput, hasSandbox: installation.hasSandbox, endsOnReboot: true)
  }

  private struct Heard: Error {}

  private func trial(
    _ command: EmulatorCommand, told: @escaping @Sendable (String) -> Bool, isReal: Bool
  ) async throws -> Answer {
    let text = Mutex(ConsoleText())
    let errors = Mutex(ConsoleText())
    let messages = Mutex<[String]>([])
    do {
      let ending = try await HostCommand(installation.emulator, command.arguments).run(
        deadline: deadline, grace: .zero
      ) { stream, bytes in
        switch stream {
        case .stdout: if text.withLock({ $0.take(bytes) }).contains(where: told) { throw Heard() }
        case .stderr:
          let lines = errors.withLock { $0.take(bytes) }
          messages.withLock { $0 += lines.prefix(20 - min($0.count, 20)) }
        }
      }
      let message = messages.withLock { $0 }.first { !$0.contains("warning:") }
      return .fails("QEMU ended with \(ending)" + (message.map { ": \($0)" } ?? ""))
    } catch is Heard {
      return .works
    } catch HostCommandError.timedOut {
      return isReal ? .fails("a stock kernel does not boot with it") : .silent
    } catch let error as HostCommandError {
      return .fails(error.description)
    }
  }
}
