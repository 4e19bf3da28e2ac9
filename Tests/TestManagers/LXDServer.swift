import Glibc
import MusterHost
import MusterTestSupport

/// A LXD of the tests' own, which `Tests/Fixtures/lxd.sh` starts without systemd: real containers. All tests of a process
/// share it, and it ends with the process.
package struct LXDServer: Sendable {
  package let folder: String

  private static let script = "\(TestCache.root)/Tests/Fixtures/lxd.sh"

  private static let started = Task {
    let server = LXDServer(folder: "/tmp/muster-lxd-\(HostFacts.processID)")
    let start = HostCommand(script, ["start", server.folder, "\(HostFacts.processID)"])
    let output = try await start.run(deadline: .seconds(180))
    guard output.ending.isSuccess else { throw Failure(.host, "LXD does not start: \(output.errorText)") }
    return server
  }

  package static func shared() async throws -> LXDServer { try await started.value }

  /// Why there can be none here; `nil` when there can.
  package static func obstacle() async -> String? {
    guard let output = try? await HostCommand(script, ["check"]).run(deadline: .seconds(60)) else {
      return "Tests/Fixtures/lxd.sh does not answer"
    }
    return output.ending.isSuccess ? nil : "a LXD of the tests' own cannot be started: \(output.errorText)"
  }

  @Sendable package static func works() async -> Bool { await obstacle() == nil }
  package static let reason = "containers need Linux, root, Debian's lxd, and namespaces and cgroups that can be made"

  /// By which clients reach this one, and none of the host's.
  package var environment: [String: String?] {
    [
      "LXD_DIR": "\(folder)/lxd", "LXD_CONF": "\(folder)/conf", "LXD_REMOTE": nil, "LXD_PROJECT": nil,
      "LXD_SOCKET": nil,
    ]
  }

  /// What a call of its client prints.
  /// - Throws: `Failure` when it does not succeed.
  @discardableResult
  package func lxc(_ arguments: String...) async throws -> String {
    let output = try await HostCommand("lxc", arguments, environment: environment).run(deadline: .seconds(120))
    guard output.ending.isSuccess else { throw Failure(.backend, "lxc \(arguments): \(output.errorText)") }
    return output.text
  }

  /// The names of all instances of a project.
  package func names(project: String = "default") async throws -> Set<String> {
    let text = try await lxc("list", "--project", project, "--format", "csv", "--columns", "n")
    return Set(text.split(whereSeparator: \.isNewline).map(String.init))
  }
}
