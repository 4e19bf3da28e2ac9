package import MusterDiagnostics

/// What happens to a release after it was installed and verified: a test's `lifecycle`, for one cell.
package struct Lifecycle: Sendable, Hashable {
  /// What a cell is about. All but the first are cells of their own, each on a fresh machine: values of the axis
  /// `lifecycle`.
  package enum Course: String, Sendable, Hashable, CaseIterable {
    /// The release is installed on a system that never had it, and removed.
    case install
    /// An older release is installed, and upgraded to this one.
    case upgrade
    /// The release is installed, and an older one put in its place.
    case downgrade
    /// The repository is tampered with, and must be refused.
    case refuse

    /// The axis that tells the courses apart.
    package static let axis = "lifecycle"
  }

  /// What an upgrade does with configuration files.
  package enum Settings: String, Sendable, Hashable, CaseIterable {
    /// Nobody has changed them: nobody is asked about them.
    case untouched
    /// The administrator has changed them, and the upgrade keeps what they say.
    case changed
  }

  /// In which way a repository is not what its publisher signed.
  package enum Refusal: String, Sendable, Hashable, CaseIterable {
    /// The signatures are taken away.
    case unsigned
    /// The machine trusts another key.
    case wrongKey = "wrong-key"
    /// The index is not the one that was signed.
    case tamperedIndex = "tampered-index"
    /// A package is not the one that the index tells of.
    case tamperedPackage = "tampered-package"
    /// The index's time is over.
    case expired
  }

  /// What may be left behind.
  package struct Ignored: Sendable, Hashable {
    /// An absolute path, with `*` for any characters; all below a folder goes with it.
    package var path: String
    package var reason: String?

    package init(path: String, reason: String? = nil) {
      self.path = path
      self.reason = reason
    }
  }

  /// Something that is done, with the place where the matrix asks for it.
  package struct Wish<Value: Sendable & Hashable>: Sendable, Hashable {
    package var value: Value
    package var location: Location

    package init(_ value: Value, at location: Location) {
      self.value = value
      self.location = location
    }
  }

  /// The other release of an upgrade or a downgrade.
  package struct Other: Sendable, Hashable {
    package var release: ChannelStep
    /// Looked at while it is installed.
    package var verify: [Step]
    package var settings: Settings

    package init(release: ChannelStep, verify: [Step] = [], settings: Settings = .untouched) {
      self.release = release
      self.verify = verify
      self.settings = settings
    }
  }

  package var course: Course
  package var upgrade: Wish<Other>?
  package var downgrade: Wish<Other>?
  package var reinstall: Location?
  package var remove: Location?
  package var purge: Location?
  /// Once more, after it was removed.
  package var installAgain: Location?
  package var leftovers: Wish<[Ignored]>?
  package var refuses: [Wish<Refusal>]

  package init(
    course: Course, upgrade: Wish<Other>? = nil, downgrade: Wish<Other>? = nil, reinstall: Location? = nil,
    remove: Location? = nil, purge: Location? = nil, installAgain: Location? = nil, leftovers: Wish<[Ignored]>? = nil,
    refuses: [Wish<Refusal>] = []
  ) {
    self.course = course
    self.upgrade = upgrade
    self.downgrade = downgrade
    self.reinstall = reinstall
    self.remove = remove
    self.purge = purge
    self.installAgain = installAgain
    self.leftovers = leftovers
    self.refuses = refuses
  }
}
