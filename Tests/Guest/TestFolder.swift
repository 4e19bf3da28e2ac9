import Glibc
import MusterHost
import Testing

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

  /// The process id that a script wrote into a file.
  func processID(_ name: String) throws -> Int32 {
    let text = try FileSystem.readText(self / name)
    return try #require(Int32(text.prefix { $0.isNumber }), "no process id in '\(text)'")
  }

  /// The same, for a script that may not have come to it yet.
  func awaitedProcessID(_ name: String) async throws -> Int32 {
    while true {
      if let id = try? processID(name) { return id }
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}

/// Whether a process runs; a dead one that nobody has waited for does not.
func isAlive(_ processID: Int32) -> Bool {
  guard let status = try? FileSystem.readText("/proc/\(processID)/stat") else { return false }
  return status.split(separator: ")").last?.dropFirst().first.map { $0 != "Z" && $0 != "X" } ?? false
}
