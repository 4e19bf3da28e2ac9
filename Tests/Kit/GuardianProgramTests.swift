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

  /// A task that is cancelled before anything has begun.
  @Test func nobodyWaitsForItAnyMore() async throws {
    let state = try FileSystem.createTemporaryFolder("muster-kit")
    defer { try? FileSystem.removeTree(state) }
    var options = MachineOptions()
    (options.muster, options.state, options.cache) = (Ground.product("muster"), state, state)
    let task = Task { [options] in
      while !Task.isCancelled { await Task.yield() }
      return try await withMachine("debian/12", options: options) { _ in Issue.record("there is a machine") }
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    let ledgers = (try? FileSystem.names(in: "\(state)/ledgers")) ?? []
    #expect(ledgers == [])
  }

  /// It is asked as what it will be: with nothing of this process's environment that a guardian does not get.
  @Test func oneThatCannotBeAGuardianIsNone() async throws {
    let folder = try FileSystem.createTemporaryFolder("muster-kit")
    defer { try? FileSystem.removeTree(folder) }
    try FileSystem.write(
      "#!/bin/sh\n[ \"$(env | grep -c ^SWT_)\" = 0 ] && [ -n \"$PATH\" ] || exit 3\necho 'no library' >&2\nexit 127\n",
      to: "\(folder)/muster", mode: 0o755)
    let error = await #expect(throws: Failure.self) { try await GuardianProgram.find("\(folder)/muster") }
    #expect(error?.message.hasSuffix("is not the 'muster' command: no library") == true, "\(error as Any)")
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
