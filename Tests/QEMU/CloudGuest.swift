import MusterCatalog
import MusterHost
import MusterImages
import MusterTestSupport
import SystemPackage
import Testing

/// An image as distros publish them: Debian with cloud-init, on a partitioned disk that starts by UEFI. Nothing of
/// Muster's is in it, so all that Muster needs has to come from the seed.
enum CloudGuest {
  static func make() async throws -> ReadyImage {
    let folder = try await TestCache.folder("cloud-bookworm") { folder in
      try await buildRoot(in: folder)
      try await buildDisk(in: folder)
      for name in try FileSystem.names(in: folder) where name != "disk.qcow2" {
        try FileSystem.removeTree("\(folder)/\(name)")
      }
    }
    return ReadyImage(
      disk: "\(folder)/disk.qcow2", format: "qcow2", digest: "cloud", boot: .disk(firmware: .uefi),
      initialization: .cloudInit)
  }

  private static func buildRoot(in folder: String) async throws {
    let packages = [
      "linux-image-cloud-amd64", "systemd-sysv", "systemd-boot-efi", "udev", "dbus", "openssh-server", "iproute2",
      "kmod",
      "initramfs-tools", "cloud-init", "netplan.io", "isc-dhcp-client",
    ]
    // The file system is made inside mmdebstrap's own namespaces, where the files have the owners they should have.
    let makeDisk = """
      unshare --mount sh -c 'umount -R "$1/proc" "$1/sys" "$1/dev" 2>/dev/null
      mke2fs -q -t ext4 -m 0 -E root_owner=0:0 -d "$1" "$2" 1500M' sh "$1" '\(folder)/root.ext4'
      """
    let boot = "\(folder)/esp"
    for name in ["EFI/BOOT", "loader/entries"] { try FileSystem.createFolder("\(boot)/\(name)", mode: 0o777) }
    try await run(
      "mmdebstrap",
      [
        "--quiet", "--variant=minbase", "--include=\(packages.joined(separator: ","))",
        "--aptopt=Acquire::Languages \"none\"", "--dpkgopt=force-unsafe-io", "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--customize-hook=cat \"$1/usr/lib/systemd/boot/efi/systemd-bootx64.efi\" > '\(boot)/EFI/BOOT/BOOTX64.EFI'",
        "--customize-hook=cat \"$1/vmlinuz\" > '\(boot)/vmlinuz'; cat \"$1/initrd.img\" > '\(boot)/initrd'",
        // Debian's own images do not leave the locale to be made at the first boot either.
        "--customize-hook=echo 'locale: false' > \"$1/etc/cloud/cloud.cfg.d/90_locale.cfg\"",
        "--customize-hook=\(makeDisk)", "bookworm", "/dev/null",
      ])
    try FileSystem.write("timeout 0\ndefault debian.conf\n", to: "\(boot)/loader/loader.conf")
    try FileSystem.write(
      "title Debian\nlinux /vmlinuz\ninitrd /initrd\noptions root=/dev/vda2 rw console=ttyS0\n",
      to: "\(boot)/loader/entries/debian.conf")
  }

  /// A disk of two partitions: what firmware reads, which QEMU makes of a folder, and the root file system behind it.
  private static func buildDisk(in folder: String) async throws {
    let disk = "\(folder)/disk.raw"
    try await run("qemu-img", ["convert", "-f", "vvfat", "-O", "raw", "fat:16:\(folder)/esp", disk])
    let size = try #require(try FileSystem.information(disk)?.size)
    let start = (Int(size) + (1 << 20) - 1) >> 20
    try await run(
      "dd",
      ["if=\(folder)/root.ext4", "of=\(disk)", "bs=1M", "seek=\(start)", "conv=notrunc,sparse", "status=none"])
    try await run("truncate", ["--size=\(start + 1500)M", disk])
    // The second entry of the table of partitions: a Linux file system, by the numbers of its first sector and of all.
    var entry: [UInt8] = [0, 0, 0, 0, 0x83, 0, 0, 0]
    for number in [start << 11, 1500 << 11] {
      entry += (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
    try FileSystem.write(entry, to: "\(folder)/entry")
    try await run(
      "dd", ["if=\(folder)/entry", "of=\(disk)", "bs=1", "seek=462", "conv=notrunc", "status=none"])
    try await run("qemu-img", ["convert", "-O", "qcow2", disk, "\(folder)/disk.qcow2"])
  }
}
