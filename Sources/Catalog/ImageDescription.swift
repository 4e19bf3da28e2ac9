/// What a machine starts from, as far as it can be said without looking at a host: the description of an image.
/// `MusterImages` makes a verified file of it; a backend with images of its own takes `native` as it is.
package struct ImageDescription: Sendable, Hashable {
  /// How the bytes are come by.
  package enum Source: Sendable, Hashable {
    /// Downloaded from `url` and verified.
    case download(url: String, checksum: Checksum)
    /// A file on this host, as an absolute path; verified if a checksum is given.
    case file(path: String, checksum: Checksum?)
    /// Built from packages by mmdebstrap.
    case debootstrap(Debootstrap)
    /// An image by a backend's own name, such as Multipass's `noble`.
    case native(name: String)
  }

  /// What is prepared in an image that has never seen Muster.
  package enum Initialization: String, Sendable, Hashable, CaseIterable {
    /// cloud-init reads a NoCloud seed at the first boot.
    case cloudInit = "cloud-init"
    /// Muster puts its user, key and services into the image when it builds it.
    case builtIn = "built-in"
  }

  package enum Firmware: String, Sendable, Hashable, CaseIterable {
    case bios
    case uefi
  }

  /// What the person wrote, for display: `debian/12`, a URL, a path, `debootstrap bookworm`.
  package var name: String
  package var source: Source
  package var cpu: CPU
  package var firmware: Firmware
  package var initialization: Initialization

  package init(
    name: String, source: Source, cpu: CPU, firmware: Firmware, initialization: Initialization
  ) {
    self.name = name
    self.source = source
    self.cpu = cpu
    self.firmware = firmware
    self.initialization = initialization
  }
}

/// A checksum that is known, or where to read it.
package enum Checksum: Sendable, Hashable {
  /// Lowercase hexadecimal, 64 digits.
  case sha256(String)
  /// Lowercase hexadecimal, 128 digits.
  case sha512(String)
  /// The URL of a checksum file: `<hex> [*]file`, BSD's `SHA256 (file) = hex`, or bare hexadecimal.
  /// `algorithm` is told by the digest's length.
  case file(url: String)
}

/// An image that mmdebstrap builds from packages.
package struct Debootstrap: Sendable, Hashable {
  /// The suite: `bookworm`, `trixie`, `noble`.
  package var suite: String
  /// Packages beyond those that every machine needs (kernel, init, ssh server).
  package var packages: [String]
  /// The mirror's URL; `nil` for the distribution's own.
  package var mirror: String?
  /// The archive's components; empty for `main`.
  package var components: [String]

  package init(
    suite: String, packages: [String] = [], mirror: String? = nil, components: [String] = []
  ) {
    self.suite = suite
    self.packages = packages
    self.mirror = mirror
    self.components = components
  }
}

/// The architecture of a machine's CPU.
package enum CPU: String, Sendable, Hashable, CaseIterable, Codable {
  case x86_64
  case arm64

  /// The host's own.
  package static var host: CPU {
    #if arch(arm64)
      .arm64
    #else
      .x86_64
    #endif
  }
}

/// Distros that share a package manager.
package enum Family: String, Sendable, Hashable, CaseIterable, Codable {
  /// apt and dpkg: Debian, Ubuntu and what derives from them.
  case debian
  /// dnf, yum or microdnf and rpm: Fedora, RHEL and its rebuilds, Amazon Linux.
  case fedora
  /// zypper and rpm: openSUSE and SLES.
  case suse
  /// pacman.
  case arch
  /// apk.
  case alpine
}
