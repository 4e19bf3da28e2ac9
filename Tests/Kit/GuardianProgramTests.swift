import MusterHost
import Testing

@testable import MusterKit

/// Without a guardian nothing is launched.
@Suite struct GuardianProgramTests {
  @Test(arguments: [
    ("/nonexistent/muster", "is not the 'muster' command"), ("/bin/true", "is no Muster at all"),
    ("/bin/false", "is no Muster at all"),
  ])
  func isRefused(path: String, message: String) async throws {
    let state = try FileSystem.createTemporaryFolder("muster-kit")
    defer { try? FileSystem.removeTree(state) }
    var options = MachineOptions()
    (options.muster, options.state, options.cache) = (path, state, state)
    let error = await #expect(throws: MachineError.self) {
      try await withMachine("debian/12", options: options) { _ in Issue.record("there is a machine") }
    }
    #expect(error?.message.contains(message) == true, "\(String(describing: error))")
    #expect(error?.hint?.contains("MUSTER") == true || error?.hint?.contains("build both") == true)
    #expect(try FileSystem.names(in: state) == [])
  }

  @Test func isFound() async throws {
    let program = try await GuardianProgram.find(Ground.product("muster"))
    #expect(program.path == Ground.product("muster"))
  }

  @Test func anImageThatNobodyKnows() async throws {
    let state = try FileSystem.createTemporaryFolder("muster-kit")
    defer { try? FileSystem.removeTree(state) }
    var options = MachineOptions()
    (options.muster, options.state, options.cache) = (Ground.product("muster"), state, state)
    let error = await #expect(throws: MachineError.self) {
      try await withMachine("debian/1", options: options) { _ in }
    }
    #expect(error?.message.contains("debian/1") == true)
    #expect(try FileSystem.names(in: "\(state)/ledgers") == [])
  }
}
