package import MusterCatalog
package import MusterGuest
package import MusterHost
package import MusterMachines

/// A manager of virtual machines that is driven by its command line: what of it differs from the others. Whatever a call
/// may do, its deadline, its failures and its end are the same for all of them.
package protocol Manager: Sendable {
  var client: ManagerClient { get }

  /// How long the name of a machine may be.
  var nameLimit: Int { get }

  /// Whether machines can be made here; that its instances can be listed is looked at besides.
  /// - Throws: `Failure`, which is the problem then; `CancellationError`.
  func status(_ patience: ManagerPatience) async throws -> BackendStatus

  /// What it takes for an image; `nil` for what it cannot make machines from. A pure question.
  func argument(for image: ImageDescription) -> String?

  /// What it can make machines from, as a hint.
  var images: String { get }

  /// The call that makes a machine and starts it.
  func creation(_ request: LaunchRequest, image: String) -> ManagerCall

  /// Reads from what that call shows the activities that it tells of.
  func activities(of name: MachineName) -> @Sendable (ProcessStream, [UInt8]) -> [String]

  /// What is done in a machine, as root, before it is ready; `nil` when its manager did it all.
  var preparation: String? { get }

  /// What is waited for in a machine after each of its starts, as root; `nil` when it is ready once it executes.
  var settling: String? { get }

  /// All instances that the manager tells of.
  func instances(deadline: Duration) async throws -> [ManagedInstance]

  /// Where an instance is in its books.
  /// - Throws: `Failure` for any answer that leaves it open, `CancellationError`.
  func whereabouts(of machine: ManagedName, deadline: Duration) async throws -> Whereabouts

  /// The call that ends an instance and removes its disk.
  func deletion(of name: MachineName) -> [String]

  /// The calls that restart an instance in order.
  func restart(of name: MachineName, seconds: Int) -> [[String]]

  /// The call that starts an instance that is stopped.
  func start(of name: MachineName, seconds: Int) -> [String]

  /// The call that stops an instance in order, and the one that switches it off.
  func stops(of name: MachineName) -> (inOrder: [String], byForce: [String])

  /// How a `ClientGuest` reaches an instance.
  func guest(of name: MachineName) -> GuestClient

  /// The command by which a person enters an instance.
  func entrance(of name: MachineName) -> String
}

/// A call of a manager's client.
package struct ManagerCall: Sendable, Hashable {
  package var arguments: [String]
  /// For its standard input.
  package var input: [UInt8]

  package init(_ arguments: [String], input: [UInt8] = []) {
    self.arguments = arguments
    self.input = input
  }
}

/// An instance, of Muster or of anybody.
package struct ManagedInstance: Sendable, Hashable {
  package enum State: Sendable, Hashable {
    /// It is being made, and nothing can be done to it yet.
    case preparing
    /// It runs, or may again by itself.
    case alive
    /// It has stopped, in the manager's own word.
    case stopped(String)
    /// Something is wrong with it, in the manager's own word. That may pass by itself, and it may run all the while.
    case troubled(String)
  }

  package var name: String
  package var state: State
  /// What it has and no other ever had; `nil` where its name is all that there is.
  package var identity: String?
  /// Whether what the manager knows of it, beyond its name, contradicts that Muster made it.
  package var isForeign: Bool
  /// Whether the manager tells nothing but its name just now, though it knows more: it may be anybody's.
  package var isUnreadable: Bool

  package init(
    name: String, state: State, identity: String? = nil, isForeign: Bool = false, isUnreadable: Bool = false
  ) {
    self.name = name
    self.state = state
    self.identity = identity
    self.isForeign = isForeign
    self.isUnreadable = isUnreadable
  }
}

/// The name of an instance that Muster made, with its identity where that is known.
package struct ManagedName: Sendable, Hashable {
  package var name: MachineName
  package var identity: String?

  package init(_ name: MachineName, identity: String? = nil) {
    self.name = name
    self.identity = identity
  }

  /// Whether this is that very instance, and not another of its name.
  package func fits(_ instance: ManagedInstance) -> Bool {
    guard instance.name == name.text, !instance.isForeign || instance.isUnreadable else { return false }
    guard let identity, let other = instance.identity else { return true }
    return identity == other
  }
}

/// Where a name is in a manager's books.
package enum Whereabouts: Sendable, Hashable {
  /// It is being made, and nothing can be done to it yet.
  case preparing
  case existing
  /// There is none; or what asked for it has not come to the manager yet.
  case none
}

extension Manager {
  package var preparation: String? { nil }
  package var settling: String? { nil }

  package func whereabouts(of machine: ManagedName, deadline: Duration) async throws -> Whereabouts {
    switch try await instances(deadline: deadline).first(where: machine.fits)?.state {
    case nil: .none
    case .preparing: .preparing
    case .alive, .stopped, .troubled: .existing
    }
  }

  package func activities(of name: MachineName) -> @Sendable (ProcessStream, [UInt8]) -> [String] { { _, _ in [] } }
}
