import MusterHost

/// A folder of its own for a test, gone when the test is.
package final class TestFolder: Sendable {
  package let path: String

  package init() throws {
    path = try FileSystem.createTemporaryFolder("muster-test")
  }

  deinit {
    try? FileSystem.removeTree(path)
  }

  package static func / (folder: TestFolder, name: String) -> String {
    "\(folder.path)/\(name)"
  }
}
