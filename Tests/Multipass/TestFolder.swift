import MusterHost

/// A folder of its own for a test, gone when the test is.
final class TestFolder: Sendable {
  let path: String

  init() throws {
    path = try FileSystem.createTemporaryFolder("muster-test")
  }

  deinit {
    try? FileSystem.removeTree(path)
  }

  static func / (folder: TestFolder, name: String) -> String {
    "\(folder.path)/\(name)"
  }
}
