package import MusterCatalog

/// An image on this host that machines can start from. The disk is shared: only overlays are ever written.
package struct ReadyImage: Sendable, Hashable {
  package enum Boot: Sendable, Hashable {
    /// By the firmware and what it finds on the disk.
    case disk(firmware: ImageDescription.Firmware)
    /// By the machine itself, with absolute paths of this host.
    case kernel(path: String, initrd: String?, arguments: String)
  }

  /// The disk's absolute path.
  package var disk: String
  /// QEMU's name of the disk's format: `qcow2`, `raw`.
  package var format: String
  /// What the disk's content is known by, lowercase hexadecimal.
  package var digest: String
  package var boot: Boot
  package var initialization: ImageDescription.Initialization

  package init(
    disk: String, format: String, digest: String, boot: Boot,
    initialization: ImageDescription.Initialization
  ) {
    self.disk = disk
    self.format = format
    self.digest = digest
    self.boot = boot
    self.initialization = initialization
  }
}
