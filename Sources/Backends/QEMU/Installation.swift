import MusterCatalog
import MusterHost

/// QEMU as it is installed on this host.
struct Installation: Sendable, Hashable {
  /// The emulator's absolute path.
  var emulator: String
  /// The absolute path of `qemu-img`.
  var imageTool: String
  /// Such as `7.2.22`.
  var version: String
  /// Whether QEMU can give up what it does not need of the kernel (`-sandbox`).
  var hasSandbox: Bool

  /// What QEMU gives up.
  /// - Parameter spawning: Whether it may start processes.
  static func sandbox(spawning: Bool) -> String {
    "on,obsolete=deny,elevateprivileges=deny,spawn=\(spawning ? "allow" : "deny"),resourcecontrol=deny"
  }

  /// - Throws: `Failure` that says what to install, `CancellationError`.
  static func find(cpu: CPU) async throws -> Installation {
    let name = cpu == .x86_64 ? "qemu-system-x86_64" : "qemu-system-aarch64"
    let package = cpu == .x86_64 ? "qemu-system-x86" : "qemu-system-arm"
    let hint = "run 'sudo apt-get install \(package) qemu-utils', or on macOS 'brew install qemu'"
    guard let emulator = HostFacts.tool(name) else {
      throw Failure(.host, "'\(name)' is not installed", hint: hint)
    }
    guard let imageTool = HostFacts.tool("qemu-img") else {
      throw Failure(.host, "'qemu-img' is not installed", hint: hint)
    }
    // QEMU refuses the option before it comes to the next where it was built without.
    let first = try await output(emulator, ["-sandbox", sandbox(spawning: false), "-version"])
    let hasSandbox = first.ending.isSuccess
    let output = hasSandbox ? first : try await output(emulator, ["-version"])
    guard output.ending.isSuccess, let version = version(in: output.text) else {
      throw Failure(
        .host, "'\(emulator)' does not tell its version: \(output.ending)",
        evidence: output.errorText.split(separator: "\n").map(String.init), hint: "install QEMU again")
    }
    return Installation(emulator: emulator, imageTool: imageTool, version: version, hasSandbox: hasSandbox)
  }

  /// The number in `QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)`.
  static func version(in text: String) -> String? {
    let words = text.split(whereSeparator: \.isWhitespace)
    guard let index = words.firstIndex(of: "version"), index + 1 < words.count else { return nil }
    return String(words[index + 1])
  }

  private static func output(_ emulator: String, _ arguments: [String]) async throws -> ProcessOutput {
    do {
      return try await HostCommand(emulator, arguments).run(deadline: .seconds(20))
    } catch let error as HostCommandError {
      throw Failure(.host, error.description, hint: "install QEMU again")
    }
  }
}
