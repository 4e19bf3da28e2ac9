/// What a matrix says of the machines of one backend, which other backends have no word for.
package struct BackendSettings: Sendable, Hashable {
  package enum Instance: String, Sendable, Hashable, CaseIterable {
    case virtualMachine = "virtual-machine"
    case container
  }

  package var instance: Instance?
  package var project: String?
  package var remote: String?
  /// The member of a cluster.
  package var target: String?

  package init(
    instance: Instance? = nil, project: String? = nil, remote: String? = nil, target: String? = nil
  ) {
    self.instance = instance
    self.project = project
    self.remote = remote
    self.target = target
  }
}
