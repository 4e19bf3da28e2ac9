import MusterHost
import MusterMachines
import Testing

/// A backend that the suite is run over. To add one, write a file with its `Subject`, and name it in `Subject.all`.
struct Subject: Sendable, CustomTestStringConvertible {
  /// The name of the backend.
  var name: String
  /// Why it cannot be run here; `nil` when it can.
  var obstacle: @Sendable () async -> String?
  /// Brings it up, and takes it down once `body` has ended.
  var with: @Sendable (_ body: (Site) async throws -> Void) async throws -> Void

  var testDescription: String { name }

  static let all: [Subject] = [.qemu, .lxd] + FakeSubject.all
}

/// A backend that is up.
struct Site: Sendable {
  var backend: any Backend
  /// What is asked of it for a machine, but for its name and its folders.
  var request: LaunchRequest
  /// A folder for what belongs to the test.
  var folder: String
  /// Makes a machine that is somebody else's, of this name; `nil` where nobody else makes any.
  var makeOther: (@Sendable (_ name: String) async throws -> Void)?
  /// Whether more than its name tells a machine of Muster's from one that is listed.
  var tellsOwnByMore = false
  /// What prints the bytes of a machine's disk, where the backend can limit them.
  var diskSize: String?
  /// What a machine has that is no real one.
  var hasPlainUser = true

  /// Another request, on the books of nobody.
  func newRequest(_ test: String, deadline: Duration? = nil) throws -> LaunchRequest {
    var request = request
    request.name = MachineName(
      test: test, seconds: 1_700_000_000, processID: HostFacts.processID, limit: backend.nameLimit)
    request.logs = "\(folder)/logs-\(request.name)"
    request.workspace = Workspaces.newPath()
    if let deadline { request.deadline = deadline }
    try FileSystem.createFolder(request.logs)
    try Workspaces.create(request.workspace)
    return request
  }

  func relic(_ request: LaunchRequest) -> Relic {
    Relic(name: request.name, backend: backend.name, workspace: request.workspace)
  }

  func isListed(_ name: MachineName) async throws -> Bool {
    try await backend.machines().contains { $0.name == name }
  }

  /// Uses a machine, and purges it whatever comes of that.
  func withMachine(_ test: String, _ body: (any Machine) async throws -> Void) async throws {
    let request = try newRequest(test)
    let result: Result<Void, any Error>
    do {
      let machine = try await backend.launch(request) { _ in }
      do {
        result = .success(try await body(machine))
      } catch {
        result = .failure(error)
      }
      try await machine.purge()
    } catch {
      try await backend.purge(relic(request))
      throw error
    }
    try result.get()
    let isListed = try await isListed(request.name)
    #expect(!isListed)
    #expect(!FileSystem.exists(request.workspace))
  }
}
