package import MusterCatalog

/// A release, installed as those who use it install it: through one channel.
package struct ChannelStep: Sendable, Hashable {
  /// The channel, which is the step's key in the matrix language.
  package enum Channel: String, Sendable, Hashable, CaseIterable {
    case apt
    case rpm
    case aur
    case pypi
    case appimage

    /// The families whose machines have it.
    package var families: [Family] {
      switch self {
      case .apt: [.debian]
      case .rpm: [.fedora, .suse]
      case .aur: [.arch]
      case .pypi, .appimage: Family.allCases
      }
    }

    /// What can be looked at, in the order in which it is.
    package var checks: [Check] {
      switch self {
      case .apt, .rpm, .aur: [.version, .files, .libraries]
      case .pypi: [.version, .dependencies]
      case .appimage: [.sha256, .format, .start, .version, .glibc, .libraries, .desktop]
      }
    }
  }

  /// Where the release comes from.
  package enum Source: Sendable, Hashable {
    case repository(Repository)
    /// A package's file: an absolute path on the host.
    case file(String)
    /// A folder with a PKGBUILD: an absolute path on the host.
    case pkgbuild(String)
    /// The Arch User Repository itself, by the packages' names.
    case userRepository
    case appImage(AppImage)
  }

  package struct Repository: Sendable, Hashable {
    package enum Place: Sendable, Hashable {
      /// An absolute path on the host, which is copied into the machine.
      case folder(String)
      case url(MaskedText)
    }

    package var place: Place
    /// The suite of an APT repository, `nil` for a flat one; the name of a pacman repository, `nil` for the only one of a
    /// folder.
    package var suite: String?
    package var components: [String]
    /// The file of the key that it is signed with: an absolute path on the host. `nil` for one that is not signed.
    package var key: String?

    package init(place: Place, suite: String? = nil, components: [String] = [], key: String? = nil) {
      self.place = place
      self.suite = suite
      self.components = components
      self.key = key
    }
  }

  /// What is looked at once the release is installed.
  package enum Check: String, Sendable, Hashable, CaseIterable {
    /// The package manager's database has it in full, in the version that is asked for.
    case version
    /// The package's files are there, and as they were packed.
    case files
    /// No program or library of the package lacks a library.
    case libraries
    /// All that it depends on is installed, in versions that fit.
    case dependencies
    /// The file is the one whose checksum is given.
    case sha256
    /// The file is whole, and made for machines like this.
    case format
    /// It starts in the way in which it is to be run.
    case start
    /// It wants no later C library than the machine has.
    case glibc
    /// Its entry for a desktop's menu, its icon and its AppRun are there.
    case desktop
  }

  package var channel: Channel
  package var source: Source
  /// The names of packages; of a file, the name in it where there is none.
  package var packages: [String]
  package var version: MaskedText?
  /// In the order in which they are made.
  package var checks: [Check]

  package init(
    channel: Channel, source: Source, packages: [String], version: MaskedText? = nil,
    checks: [Check]? = nil
  ) {
    self.channel = channel
    self.source = source
    self.packages = packages
    self.version = version
    self.checks = checks ?? channel.checks
  }
}

/// What Muster does for a channel's step, each as a step of its own that succeeds or fails by itself.
package enum ChannelPart: Sendable, Hashable {
  /// The repository and its key are made known to the package manager.
  case add
  /// The repository's index is fetched, and nothing else: what is wrong with the repository shows here.
  case refresh
  /// The release's file is fetched.
  case download
  /// FUSE is brought, or taken away, as an AppImage is to be run. Nothing of it is the release's fault.
  case fuse
  case install
  case check(ChannelStep.Check)
}
