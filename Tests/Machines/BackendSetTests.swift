import MusterCatalog
import MusterHost
import MusterImages
import MusterMachines
import Testing

@Suite struct BackendSetTests {
  /// A backend that only has a status.
  private struct Named: Backend {
    var name: String
    var problem: Failure?
    let images = "nothing"

    func status() async -> BackendStatus { BackendStatus(problem: problem, version: "\(name) 1") }
    func supports(_ image: ImageDescription) -> Bool { true }
    func prepare(_ image: ImageDescription, progress: @escaping @Sendable (ImageProgress) async -> Void) async throws {}
    func launch(
      _ request: LaunchRequest, progress: @escaping @Sendable (String) async -> Void
    ) async throws -> any Machine {
      throw Failure(.backend, "it makes no machines")
    }
    func machines() async throws -> [Relic] { [] }
    func purge(_ relic: Relic) async throws {}
  }

  private let set = BackendSet([
    Named(name: "first", problem: Failure(.host, "'first' is not installed", hint: "install it")),
    Named(name: "second"), Named(name: "third"),
  ])

  @Test func theFirstThatWorks() async throws {
    #expect(try await set.choose().backend.name == "second")
    #expect(try await set.choose(["auto"]).status.version == "second 1")
    #expect(try await set.choose(["third", "second"]).backend.name == "third")
    #expect(try await set.choose(["first", "third"]).backend.name == "third")
  }

  /// One that does for all goes before one that does not; without any it is as if all did.
  @Test func whatSufficesIsPreferred() async throws {
    #expect(try await set.choose { $0.name == "third" }.backend.name == "third")
    #expect(try await set.choose { _ in false }.backend.name == "second")
    #expect(try await set.choose(["second"]) { $0.name == "third" }.backend.name == "second")
  }

  @Test func eachReasonIsTold() async throws {
    let failure = await #expect(throws: Failure.self) { try await set.choose(["first", "fourth"]) }
    #expect(
      failure?.evidence == [
        "first: 'first' is not installed; install it",
        "fourth: there is no such backend; there are: first, second, third",
      ])
    #expect(failure?.hint == "install it")
  }
}
