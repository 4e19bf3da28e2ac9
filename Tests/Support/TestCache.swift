import MusterHost
import SystemPackage

/// What tests make once and keep: `MUSTER_TEST_CACHE`, or a folder beside the build.
package enum TestCache {
  package static let folder = HostFacts.environment("MUSTER_TEST_CACHE") ?? "\(root)/.build/muster-test-cache"
  /// The folder of the package.
  package static let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
    .string

  /// A folder that `make` fills the first time, whichever process comes first.
  package static func folder(_ name: String, make: (String) async throws -> Void) async throws -> String {
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

  private static let tiny = Task {
    let folder = "\(Self.folder)/tiny"
    let output = try await HostCommand("\(root)/Tests/Fixtures/tiny-guest.sh", [folder]).run(deadline: .seconds(600))
    guard output.ending.isSuccess else { throw Failure(.host, "there is no tiny guest: \(output.errorText)") }
    return folder
  }

  /// The folder of a guest that is up in three seconds without any acceleration: see `Tests/Fixtures/tiny-guest.sh`.
  package static func tinyGuest() async throws -> String { try await tiny.value }

  /// The disk by which it starts itself.
  package static func tinyDisk() async throws -> String { "\(try await tinyGuest())/disk.img" }
}
