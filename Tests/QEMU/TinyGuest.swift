import MusterCatalog
import MusterHost
import MusterImages
import MusterMachines
import Testing

@testable import MusterQEMU

/// A folder of its own for a test, gone when the test is.
final class TestFolder: Sendable {
  let path: String

  init() throws {
    path = try FileSystem.createTemporaryFolder("muster-qemu")
  }

  deinit {
    try? FileSystem.removeTree(path)
  }

  func folder(_ name: String) throws -> String {
    try FileSystem.createFolder("\(path)/\(name)")
    return "\(path)/\(name)"
  }
}

/// What tests make once and keep: `MUSTER_TEST_CACHE`, or a folder beside the build.
enum TestCache {
  static let folder =
    HostFacts.environment("MUSTER_TEST_CACHE")
    ?? "\(root)/.build/muster-test-cache"
  /// The folder of the package.
  static let root = #filePath.part(before: "/Tests/QEMU/")

  /// A folder that `make` fills the first time, whichever process comes first.
  static func folder(_ name: String, make: (String) async throws -> Void) async throws -> String {
    let path = "\(folder)/\(name)"
    try FileSystem.createFolder(folder)
    let lock = try await FileLock("\(path).lock").take(deadline: .seconds(600))
    defer { lock.release() }
    if FileSystem.isFolder(path) { return path }
    let temporary = try FileSystem.createTemporaryFolder("new", in: folder)
    do {
      try await make(temporary)
      try FileSystem.move(temporary, to: path)
    } catch {
      try? FileSystem.removeTree(temporary)
      throw error
    }
    return path
  }
}

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
    let folder = "\(TestCache.folder)/tiny"
    try await run("\(TestCache.root)/Tests/Fixtures/tiny-guest.sh", [folder])
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

extension String {
  fileprivate func part(before separator: String) -> String {
    guard let range = firstRange(of: separator) else { return self }
    return String(self[..<range.lowerBound])
  }
}
