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

  /// A folder in it, made when it is not there.
  package func folder(_ name: String) throws -> String {
    try FileSystem.createFolder(self / name)
    return self / name
  }

  /// The process id that a script wrote into a file.
  package func processID(_ name: String) throws -> Int32 {
    let text = try FileSystem.readText(self / name)
    // No `#require`, which would be an issue also where it is tried again.
    guard let id = Int32(text.prefix { $0.isNumber }) else { throw Failure(.host, "no process id in '\(text)'") }
    return id
  }

  /// The same, for a script that may not have come to it yet.
  package func awaitedProcessID(_ name: String) async throws -> Int32 {
    while true {
      if let id = try? processID(name) { return id }
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}
