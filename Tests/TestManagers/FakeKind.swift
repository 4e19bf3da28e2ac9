import MusterHost
import MusterLima
package import MusterManagers
import MusterMultipass
import MusterOrbStack

/// The managers for which executables stand in: see `Tests/Fakes`.
package enum FakeKind: String, Sendable, CaseIterable {
  case multipass
  case orbstack
  case lima

  /// The name of its client.
  package var tool: String { words.tool }

  package var words: ManagerWords {
    switch self {
    case .multipass: MultipassManager.words
    case .orbstack: OrbStackManager.words
    case .lima: LimaManager.words
    }
  }

  /// The command that makes machines.
  package var launching: String {
    switch self {
    case .multipass: "launch"
    case .orbstack: "create"
    case .lima: "start"
    }
  }

  /// The command that executes something in a machine.
  package var executing: String {
    switch self {
    case .multipass: "exec"
    case .orbstack: "run"
    case .lima: "shell"
    }
  }

  /// The command by which it is asked where a machine is.
  package var asking: String { self == .multipass ? "set" : "list" }

  /// The name of an image, as it takes it.
  package var image: String {
    switch self {
    case .multipass: "noble"
    case .orbstack: "ubuntu:noble"
    case .lima: "template:ubuntu-24.04"
    }
  }

  /// The arguments by which somebody else makes a machine.
  package func making(_ name: String) -> [String] {
    switch self {
    case .multipass: ["launch", "--name", name, image]
    case .orbstack: ["create", image, name]
    case .lima: ["start", "--tty=false", "--name=\(name)", image]
    }
  }

  /// The command by which a person ends a machine.
  package func deletion(of name: String) -> String {
    switch self {
    case .multipass: "multipass delete --purge \(name)"
    case .orbstack: "orbctl delete --force \(name)"
    case .lima: "limactl delete --force \(name)"
    }
  }

  package func manager(executable: String, environment: [String: String?], grace: Duration) -> any Manager {
    switch self {
    case .multipass: MultipassManager(executable: executable, environment: environment, grace: grace)
    case .orbstack: OrbStackManager(executable: executable, environment: environment, grace: grace)
    case .lima: LimaManager(executable: executable, environment: environment, grace: grace)
    }
  }
}
