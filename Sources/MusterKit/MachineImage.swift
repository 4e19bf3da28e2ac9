import MusterCatalog

/// What a machine starts from. A name of the catalog can be written as it is: `"debian/12"`.
public struct MachineImage: Sendable, Hashable, ExpressibleByStringLiteral {
  enum Source: Sendable, Hashable {
    case catalog(String)
    case debootstrap(Debootstrap)
    case file(String)
    case native(String)
  }

  var source: Source

  /// An image that Muster knows by its name: `debian/12`, `ubuntu/24.04`, `fedora/44`, `arch`. `muster images` lists them.
  public static func catalog(_ name: String) -> MachineImage { MachineImage(source: .catalog(name)) }

  /// An image that is built from Debian's or Ubuntu's packages when it is wanted for the first time: a Linux with systemd, an
  /// ssh server and these packages.
  /// - Parameters:
  ///   - suite: The release's code name: `bookworm`, `noble`.
  ///   - packages: What is installed beside that.
  ///   - mirror: The archive's URL; `nil` for the distribution's own.
  public static func debootstrap(
    _ suite: String, packages: [String] = [], mirror: String? = nil
  ) -> MachineImage {
    MachineImage(source: .debootstrap(Debootstrap(suite: suite, packages: packages, mirror: mirror)))
  }

  /// A disk image of this host with cloud-init in it: qcow2, raw and what else QEMU reads.
  public static func file(_ path: String) -> MachineImage { MachineImage(source: .file(path)) }

  /// An image by the own name of the backend that is asked for, such as Multipass's `noble`.
  public static func native(_ name: String) -> MachineImage { MachineImage(source: .native(name)) }

  init(source: Source) {
    self.source = source
  }

  public init(stringLiteral name: String) {
    self = .catalog(name)
  }
}
