import MusterCatalog
import MusterHost
import MusterImages
import MusterMachines
import MusterTestSupport
import Testing

@testable import MusterQEMU

/// Runs a command that must succeed.
@discardableResult
func run(_ executable: String, _ arguments: [String], in folder: String? = nil) async throws -> String {
  let output = try await HostCommand(executable, arguments, directory: folder).run(deadline: .seconds(600))
  guard output.ending.isSuccess else {
    throw Failure(.host, "\(executable) \(arguments) ended with \(output.ending): \(output.errorText.suffix(2000))")
  }
  return output.text
}

/// A guest that is up in a few seconds without any acceleration: Debian's kernel, and an init of a few lines with
/// BusyBox. Started by its kernel it has no network and no ssh server.
struct TinyGuest: Sendable {
  var kernel: String
  var initrd: String

  static func make() async throws -> TinyGuest {
    let folder = try await TestCache.tinyGuest()
    return TinyGuest(kernel: "\(folder)/vmlinuz", initrd: "\(folder)/initrd")
  }

  /// An image whose kernel gets `tiny=<action>`: see `tiny-guest.sh`.
  func image(_ action: String, disk: String) async throws -> ReadyImage {
    try await run("qemu-img", ["create", "-q", "-f", "qcow2", disk, "64M"])
    return ReadyImage(
      disk: disk, format: "qcow2", digest: "tiny",
      boot: .kernel(
        path: kernel, initrd: initrd, arguments: "console=ttyS0 quiet tiny=\(action)"), initialization: .builtIn)
  }
}
