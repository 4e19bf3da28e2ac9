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
    case apk
    case homebrew

    /// The families whose machines have it.
    package var families: [Family] {
      switch self {
      case .apt: [.debian]
      case .rpm: [.fedora, .suse]
      case .aur: [.arch]
      case .pypi, .appimage: Family.allCases
      case .apk: [.alpine]
      case .homebrew: [.debian, .fedora, .suse, .arch]
      }
    }

    /// How the name of a package's file ends; none where any may.
    var endings: [String] {
      switch self {
      case .apt: [".deb"]
      case .rpm: [".rpm"]
      case .pypi: [".whl", ".tar.gz", ".zip"]
      case .apk: [".apk"]
      case .aur, .appimage, .homebrew: []
      }
    }

    /// What can be looked at, in the order in which it is.
    package var checks: [Check] {
      switch self {
      case .apt, .rpm, .aur:
        [.version, .scripts, .files, .libraries, .glibc, .desktop, .units, .permissions]
      case .pypi: [.version, .dependencies]
      case .appimage: [.sha256, .format, .start, .version, .glibc, .libraries, .desktop]
      // musl has no versions of symbols, and OpenRC no units.
      case .apk: [.version, .scripts, .files, .libraries, .desktop, .permissions]
      case .homebrew: [.version, .scripts, .linkage, .test]
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
    /// Homebrew's formulas by their names: those of a folder of the host that is made a tap of, or of what the names say.
    case formula(tap: String?)
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
    /// What the key's fingerprint must be before it is trusted: 40 hexadecimal digits in capitals.
    package var fingerprint: String?
    /// Whether a folder is served over HTTP in the machine, as a repository is on the web.
    package var isServed: Bool

    package init(
      place: Place, suite: String? = nil, components: [String] = [], key: String? = nil, fingerprint: String? = nil,
      isServed: Bool = false
    ) {
      self.place = place
      self.suite = suite
      self.components = components
      self.key = key
      self.fingerprint = fingerprint
      self.isServed = isServed
    }
  }

  /// What is looked at once the release is installed.
  package enum Check: String, Sendable, Hashable, CaseIterable {
    /// The package manager's database has it in full, in the version that is asked for.
    case version
    /// No script of a package failed while the package manager went on as if nothing had happened.
    case scripts
    /// The package's files are there, and as they were packed.
    case files
    /// No program or library of the package lacks a library.
    case libraries
    /// No program or library of the package needs a newer glibc, or C++ runtime, than the distro has.
    case glibc
    /// Desktop entries and AppStream metadata are in order, and what they start and show is there.
    case desktop
    /// systemd can load the package's units, and none has failed.
    case units
    /// Nobody can write to what is not theirs, and nothing runs with the rights of another.
    case permissions
    /// All that it depends on is installed, in versions that fit.
    case dependencies
    /// The file is the one whose checksum is given.
    case sha256
    /// The file is whole, and made for machines like this.
    case format
    /// It starts in the way in which it is to be run.
    case start
    /// What `brew linkage --test` looks at: no library is missing, none belongs to another.
    case linkage
    /// The formula's own `test do`.
    case test
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
  /// The file of the key is one, with the fingerprint that it must have.
  case key
  /// The package manager itself is brought into the machine.
  case bring
  /// What is to be installed is downloaded.
  case fetch
  /// What the release's own test needs is installed.
  case prepareTest
  /// The repository's folder is given over HTTP to the machine itself.
  case serve
  /// The repository and its key are made known to the package manager.
  case add
  /// The repository's index is fetched, and nothing else: what is wrong with the repository shows here.
  case refresh
  /// What the release depends on is installed, so that what that leaves behind is not taken for the release's.
  case prepare
  /// What the system has is written down, to be compared with later.
  case snapshot
  /// The release's file is fetched.
  case download
  /// FUSE is brought, or taken away, as an AppImage is to be run. Nothing of it is the release's fault.
  case fuse
  case install
  case check(ChannelStep.Check)
  case upgrade(Lifecycle.Settings)
  case downgrade
  case reinstall
  case remove
  case purge
  /// The package manager's database and the file system have it no more.
  case removed(purged: Bool)
  /// Configuration files are changed, as an administrator would.
  case changeSettings
  /// Configuration files are as they were before the upgrade, and nobody was asked.
  case settings(Lifecycle.Settings)
  /// What the system has that it had not before.
  case leftovers(ignored: [Lifecycle.Ignored], purged: Bool)
  /// A spoiled copy of the repository is refused, for what is wrong with it.
  case refuse(Lifecycle.Refusal)

  /// Whether the release's packages are put on the system.
  package var installs: Bool {
    switch self {
    case .install, .upgrade, .downgrade, .reinstall: true
    default: false
    }
  }
}
