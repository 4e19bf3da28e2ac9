import Foundation
import MusterHost
import MusterTestManagers
import MusterTestSupport
import Testing

/// One matrix, the same outcomes on every backend, and whether its machines boot or resume.
@Suite(.serialized) struct QuickstartRealRunTests {
  private func run(
    _ backend: String, environment: [String: String?], distro: String, options: [String] = []
  ) async throws -> JSON {
    let scratch = try Scratch()
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
    let output = try await MusterProcess(environment: environment).run(
      [
        "run", "\(root)/matrices/quickstart.yaml", "--backend", backend, "--distro", distro, "--output",
        "\(scratch.path)/out", "--cache", TestCache.folder, "--state", scratch.path, "--lock-file",
        "\(scratch.path)/lock",
        "--lock-timeout", "0",
      ] + options)
    #expect(output.ending == .exited(0), "\(output.errorText)")
    let summary = try JSON(file: "\(scratch.path)/out/summary.json")
    #expect(summary["machines"]["left"].int == 0)
    #expect(summary["machines"]["launched"].int == summary["machines"]["purged"].int)
    return summary
  }

  /// What a summary says, less what differs from run to run: times, names of machines, the backend.
  private func told(_ summary: JSON) -> [String] {
    summary["cells"].array.map { cell in
      let attempts = cell["attempts"].array.map { attempt in
        attempt["phases"].array.map { phase in
          let steps = phase["steps"].array.map { "\($0["title"].string ?? "") \($0["outcome"].string ?? "")" }
          return "\(phase["phase"].string ?? ""): \(steps.joined(separator: ", "))"
        }.joined(separator: "; ")
      }
      return "\(cell["cell"].string ?? "") \(cell["outcome"].string ?? "") \(attempts)"
    }
  }

  /// What machines of QEMU came to, which the others are compared with.
  private static let real = Task {
    let suite = QuickstartRealRunTests()
    return suite.told(try await suite.run("qemu", environment: [:], distro: "debian-12"))
  }

  @Test func itPasses() async throws {
    let real = try await Self.real.value
    #expect(real.count == 3)
    #expect(real.allSatisfy { $0.contains(" passed ") }, "\(real)")
  }

  @Test func theOutcomesAreTheSameWhenMachinesBoot() async throws {
    let cold = told(try await run("qemu", environment: [:], distro: "debian-12", options: ["--cold"]))
    #expect(try await cold == Self.real.value)
  }

  @Test(.enabled(Comment(rawValue: LXDServer.reason), LXDServer.works)) func theOutcomesAreTheSameOnLXD() async throws {
    let server = try await LXDServer.shared()
    let told = told(try await run("lxd", environment: server.environment, distro: "debian-12"))
    #expect(try await told == Self.real.value)
    #expect(try await server.names().isEmpty)
  }

  @Test(.enabled(if: ManagerOnPath.works, "its machines need root, unshare and nsenter"), arguments: FakeKind.allCases)
  func theOutcomesAreTheSame(on kind: FakeKind) async throws {
    let fake = try ManagerOnPath(kind)
    let told = told(try await run(kind.rawValue, environment: fake.environment, distro: "debian-12"))
    #expect(try await told == Self.real.value)
    #expect(try fake.machines().isEmpty)
  }
}
