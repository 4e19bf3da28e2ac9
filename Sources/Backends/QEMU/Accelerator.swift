import MusterCatalog
import MusterHost

/// What executes a guest's instructions, by QEMU's name.
package enum Accelerator: String, Sendable, Hashable {
  /// Linux's own.
  case kvm
  /// macOS's own.
  case hvf
  /// QEMU's translation: works everywhere, slowly.
  case tcg

  /// What deadlines are multiplied by. Under TCG a stock Debian boots about eight times slower than with KVM, but the
  /// standard deadlines leave room for a slow machine already; what waits for the network is no slower at all.
  package var timeScale: Double { self == .tcg ? 4 : 1 }
}

/// An accelerator and why it is this one.
struct AcceleratorChoice: Sendable, Hashable {
  var accelerator: Accelerator
  /// What a person should know: why the hardware is not used.
  var remark: String?
}

/// All that an answer about the accelerator depends on. Where any of it changes, it is tried anew.
struct AcceleratorCircumstances: Sendable, Hashable {
  var hostName: String
  var kernelRelease: String
  var version: String
  var processor: String
  var cpu: CPU

  static func current(version: String, cpu: CPU) -> AcceleratorCircumstances {
    AcceleratorCircumstances(
      hostName: HostFacts.hostName, kernelRelease: HostFacts.kernelRelease, version: version,
      processor: Virtualization.processorName, cpu: cpu)
  }

  fileprivate var lines: [String] {
    [
      "host \(hostName)", "kernel \(kernelRelease)", "qemu \(version)", "processor \(processor)",
      "guest \(cpu.rawValue)",
    ]
    .map { String($0.map { $0.isNewline ? " " : $0 }) }
  }
}

/// The answers that were found by trying: a small file each in the cache folder.
struct AcceleratorMemory: Sendable {
  var folder: String

  private func path(_ circumstances: AcceleratorCircumstances) -> String {
    let host = String(circumstances.hostName.map { $0 == "/" ? "_" : $0 })
    return "\(folder)/accelerator-\(host)-\(circumstances.cpu.rawValue)"
  }

  /// The remembered answer; `nil` when nothing is known, or the circumstances have changed.
  func recall(_ circumstances: AcceleratorCircumstances) -> AcceleratorChoice? {
    guard let text = try? FileSystem.readText(path(circumstances)) else { return nil }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let known = circumstances.lines
    guard lines.count >= known.count + 2, Array(lines.prefix(known.count)) == known,
      let accelerator = Accelerator(rawValue: lines[known.count])
    else { return nil }
    let remark = lines[known.count + 1]
    return AcceleratorChoice(accelerator: accelerator, remark: remark.isEmpty ? nil : remark)
  }

  /// A cache that cannot be written costs a trial per run, and is no error.
  func remember(_ choice: AcceleratorChoice, _ circumstances: AcceleratorCircumstances) {
    let remark = String((choice.remark ?? "").map { $0.isNewline ? " " : $0 })
    let lines = circumstances.lines + [choice.accelerator.rawValue, remark]
    try? FileSystem.createFolder(folder)
    try? FileSystem.write(lines.joined(separator: "\n") + "\n", to: path(circumstances))
  }
}
