import MusterHost

/// What a person chooses of the instances that are made.
package struct IncusSettings: Sendable, Hashable {
  package enum Instance: Sendable, Hashable {
    case virtualMachine
    case container
  }

  package var instance: Instance
  /// The project; `nil` for what the environment says, or `default`.
  package var project: String?
  /// The server, by the name that the client knows it by; `nil` for what the environment says, or `local`.
  package var remote: String?
  /// The member of a cluster; `nil` for the one that the cluster chooses.
  package var target: String?

  package init(
    instance: Instance = .virtualMachine, project: String? = nil, remote: String? = nil, target: String? = nil
  ) {
    self.instance = instance
    self.project = project
    self.remote = remote
    self.target = target
  }
}

/// Where instances are: a server and a project of it. It is always said outright, since what a person has switched to may
/// be another when a machine is purged.
struct IncusPlace: Sendable, Hashable {
  var remote: String
  var project: String

  init(remote: String, project: String) {
    self.remote = remote
    self.project = project
  }

  init(_ settings: IncusSettings, _ dialect: IncusDialect) {
    let environment = { (name: String) -> String? in
      HostFacts.environment("\(dialect.variables)_\(name)").flatMap { $0.isEmpty ? nil : $0 }
    }
    remote = settings.remote ?? environment("REMOTE") ?? "local"
    project = settings.project ?? environment("PROJECT") ?? "default"
  }

  /// As a ledger keeps it: neither part can have a colon.
  var text: String { "\(remote):\(project)" }

  /// - Returns: `nil` for what is no text of a place.
  init?(text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix("-") }) else { return nil }
    self.init(remote: String(parts[0]), project: String(parts[1]))
  }
}
