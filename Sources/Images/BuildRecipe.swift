import MusterCatalog
import MusterGuest

/// How an image is built from packages: all of it that is known without looking at the host.
struct BuildRecipe: Sendable, Hashable {
  var debootstrap: Debootstrap
  var cpu: CPU
  var preparation: GuestPreparation
  var form = Form.disk

  /// What comes of it.
  enum Form: Sendable, Hashable {
    /// A disk with one file system, and a kernel beside it.
    case disk
    /// An archive of the tree, for containers, which have their host's kernel.
    case container
  }

  /// What makes an image another one than before; raised when the scripts below change what they build.
  static let version = 1

  /// What the image is known by: whoever asks for the same gets the same.
  func key() async throws -> ImageStore.Key {
    let content = preparation.files.map { "\($0.path) \($0.mode) \($0.content)" }
    return try await ImageStore.Key.of(
      [
        "build \(Self.version)", cpu.rawValue, debootstrap.suite, packages.joined(separator: ","),
        Self.commonScript + (form == .disk ? Self.script : Self.containerScript),
      ]
        + sources + content + [GuestPreparation.buildScript()])
  }

  /// For people: `bookworm for x86_64 with ca-certificates, jq`.
  var description: String {
    let extra = debootstrap.packages.isEmpty ? "" : " with \(debootstrap.packages.joined(separator: ", "))"
    return "\(debootstrap.suite) for \(cpu.rawValue)\(form == .disk ? "" : " as a container")\(extra)"
  }

  /// A suite that is not known is taken for one of Debian's.
  var distribution: Suite.Distribution {
    Catalog.suite(named: debootstrap.suite)?.distribution ?? .debian
  }

  // MARK: Packages

  /// What a machine needs beyond the packages that are required in every Debian: a kernel and what boots it, systemd,
  /// ssh, and the small tools that people expect.
  var packages: [String] {
    let special = form == .disk ? [kernelPackage] + initrdPackages + ["kmod"] : resolverPackages
    let needed =
      special + [
        "systemd-sysv", "udev", "dbus", "openssh-server", "iproute2", "netbase",
        "iputils-ping", "procps", "sudo", "ca-certificates",
      ]
    return needed + debootstrap.packages.filter { !needed.contains($0) }
  }

  /// What takes the name server from DHCP; in older suites it is a part of systemd itself.
  private var resolverPackages: [String] {
    ["bullseye", "focal", "jammy"].contains(debootstrap.suite) ? [] : ["systemd-resolved"]
  }

  /// What makes the initrd. Debian's tiny-initramfs does nothing but mount the root file system, which spares a slow
  /// machine a fifth of its boot. A person who wants initramfs-tools names it among the packages.
  private var initrdPackages: [String] {
    switch distribution {
    case .debian where !debootstrap.packages.contains("initramfs-tools"): ["tiny-initramfs", "xz-utils"]
    case .debian, .ubuntu: ["initramfs-tools"]
    }
  }

  private var kernelPackage: String {
    switch distribution {
    case .debian: "linux-image-cloud-\(cpu.debianName)"
    case .ubuntu: "linux-image-virtual"
    }
  }

  /// The lines of the guest's own `sources.list`, which it is built from too.
  var sources: [String] {
    let suite = debootstrap.suite
    let components = debootstrap.components.isEmpty ? ["main"] : debootstrap.components
    // By the path that the guest has too, so that apt needs no other trust there.
    let keys = keyring.map { "[signed-by=\($0.path)] " } ?? ""
    func line(_ mirror: String, _ suite: String) -> String {
      "deb \(keys)\(mirror) \(suite) \(components.joined(separator: " "))"
    }
    // Which suites a mirror of one's own has is not known.
    if let mirror = debootstrap.mirror { return [line(mirror, suite)] }
    switch distribution {
    case .debian:
      let main = "http://deb.debian.org/debian"
      if suite == "sid" || suite == "unstable" { return [line(main, suite)] }
      return [
        line(main, suite), line(main, "\(suite)-updates"),
        line("http://deb.debian.org/debian-security", "\(suite)-security"),
      ]
    case .ubuntu:
      let main = cpu == .x86_64 ? "http://archive.ubuntu.com/ubuntu" : "http://ports.ubuntu.com/ubuntu-ports"
      return [line(main, suite), line(main, "\(suite)-updates"), line(main, "\(suite)-security")]
    }
  }

  /// The keys that the distribution's own mirrors are signed with, and the Debian package they are in.
  var keyring: (path: String, package: String)? {
    guard debootstrap.mirror == nil else { return nil }
    switch distribution {
    case .debian: return ("/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring")
    case .ubuntu: return ("/usr/share/keyrings/ubuntu-archive-keyring.gpg", "ubuntu-keyring")
    }
  }

  // MARK: Building

  /// The files that the builder reads, and those that it fills, in the folder that `MUSTER_BUILD` names.
  enum File {
    static let beforePackages = "essential.sh"
    static let afterPackages = "customize.sh"
    static let preparation = "prepare.sh"
    static let (disk, kernel, initrd) = ("disk.raw", "vmlinuz", "initrd")
    static let archive = "rootfs.tar"

    /// Those that it fills.
    static func made(_ form: Form) -> [String] { form == .disk ? [disk, kernel, initrd] : [archive] }
  }

  /// The builder. Paths are told to its hooks by the environment, so that no other user sees them.
  ///
  /// Root's mounts are made in a namespace of their own: they are gone when the builder is, even if it is killed. A
  /// plain user's are anyway.
  func command(isRoot: Bool) -> (tool: String, arguments: [String]) {
    isRoot
      ? ("unshare", ["--mount", "mmdebstrap"] + arguments(isRoot: true)) : ("mmdebstrap", arguments(isRoot: false))
  }

  private func arguments(isRoot: Bool) -> [String] {
    [
      "--mode=\(isRoot ? "root" : "unshare")", "--variant=minbase", "--architectures=\(cpu.debianName)",
      "--format=null",
      "--include=\(packages.joined(separator: ","))",
      // The image is thrown away if the host goes down meanwhile.
      "--dpkgopt=force-unsafe-io", "--aptopt=Acquire::Retries \"3\"", "--aptopt=Acquire::http::Timeout \"30\"",
      "--essential-hook=sh \"$MUSTER_BUILD/\(File.beforePackages)\" \"$1\"",
      "--customize-hook=sh \"$MUSTER_BUILD/\(File.afterPackages)\" \"$1\"",
      debootstrap.suite, "/dev/null",
    ] + sources
  }

  /// The kernel's arguments. What only costs time without hardware acceleration is switched off; interfaces keep the
  /// kernel's names, since a rename is one more thing to wait for.
  ///
  /// Without `no_timer_check` a kernel whose timer comes late, since the host is busy, panics.
  ///
  /// `tsc=reliable` is not among them: Linux 6.12 then rewrites the code of its clock while all processors run, and QEMU
  /// 7.2's translator executes a breakpoint that is no longer there (`Oops: int3` in `sched_clock_cpu`) in one boot of
  /// twenty.
  static func kernelArguments(_ cpu: CPU) -> String {
    let own = cpu == .x86_64 ? "console=ttyS0 no_timer_check" : "console=ttyAMA0"
    return "root=/dev/vda rw \(own) quiet mitigations=off audit=0 net.ifnames=0 random.trust_cpu=on"
  }

  /// Runs before the kernel's package is there: its initrd gets the modules of a virtual disk and nothing else, which
  /// makes it small, so quick to build, to load and to leave.
  static let initrdScript = """
    set -eu
    mkdir -p "$1/etc/tiny-initramfs" "$1/etc/initramfs-tools/conf.d"
    printf 'AUTO_MODULES=no\nINCLUDE_MODULES="virtio_pci virtio_blk ext4"\n' > "$1/etc/tiny-initramfs/tiny-initramfs.conf"
    printf 'MODULES=list\nCOMPRESS=gzip\n' > "$1/etc/initramfs-tools/conf.d/muster"
    printf '%s\n' virtio_pci virtio_blk ext4 > "$1/etc/initramfs-tools/modules"

    """

  /// Runs when all packages are there, as root of the host or of a user namespace: prepares the guest, takes kernel and
  /// initrd out and makes the disk. mke2fs copies a folder, so that neither root nor a mount of the disk is needed.
  var diskScript: String {
    let installed = preparation.files.enumerated().map { index, file in
      "install -D -m \(String(file.mode, radix: 8)) -o 0 -g 0 \"file-\(index)\" \"$root\(file.path)\""
    }
    return """
      set -eu
      root=$1
      cd "$MUSTER_BUILD"
      \(installed.joined(separator: "\n"))
      chroot "$root" sh -s < \(File.preparation)

      """ + Self.commonScript + (form == .disk ? Self.script : Self.containerScript)
  }

  private static let commonScript = """
    # What only costs time in a machine without LVM, screen and the hardware of a laptop.
    for unit in e2scrub_reap.service getty@tty1.service modprobe@drm.service modprobe@efi_pstore.service \\
      systemd-pstore.service systemd-network-generator.service systemd-networkd-persistent-storage.service; do
      ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    [ -e "$root/etc/default/locale" ] || echo LANG=C.UTF-8 > "$root/etc/default/locale"

    # What mmdebstrap itself needs in the tree, and takes back only later.
    rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/apt/apt.conf.d/00mmdebstrap" "$root/etc/apt/apt.conf.d/99mmdebstrap" \\
      "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap" "$root"/var/log/*.log
    if [ -e "$root/sbin/start-stop-daemon.REAL" ]; then
      mv -f "$root/sbin/start-stop-daemon.REAL" "$root/sbin/start-stop-daemon"
    fi

    # What systemd would bring up to date at the first boot is up to date.
    touch "$root/etc/.updated" "$root/var/.updated"

    """

  private static let script = """

    set -- "$root"/boot/vmlinuz-*
    version=${1##*/vmlinuz-}
    cat "$1" > \(File.kernel)
    # A slow machine need not decompress what the host can.
    gzip -dc < "$root/boot/initrd.img-$version" > \(File.initrd) 2>/dev/null ||
      cat "$root/boot/initrd.img-$version" > \(File.initrd)

    # Half as much again as there is, and a gigabyte: in kilobytes. The file system grows with the machine's disk.
    size=$(($(du -sxk "$root" | cut -f1) * 3 / 2 + 1048576))
    [ "$size" -ge 2097152 ] || size=2097152
    truncate -s "${size}k" \(File.disk)
    export root
    # Empty folders over what is of the host, of this run or can be fetched again.
    unshare --mount sh -euc '
      for folder in dev proc sys run var/lib/apt/lists var/cache/apt var/log/apt; do
        mount -t tmpfs -o mode=0755 none "$root/$folder"
      done
      mount -t tmpfs -o mode=1777 none "$root/tmp"
      mke2fs -q -F -t ext4 -m 0 -L muster-root -E assume_storage_prezeroed=1,root_owner=0:0 -d "$root" \(File.disk)
    '
    : > "$root/etc/apt/apt.conf.d/00mmdebstrap"

    """

  private static let containerScript = """
    # There is no disk to grow with.
    ln -sf /dev/null "$root/etc/systemd/system/muster-grow.service"
    export root
    # Empty folders over what is of the host, of this run or can be fetched again: tar would see some of it change.
    unshare --mount sh -euc '
      for folder in dev proc sys run var/lib/apt/lists var/cache/apt var/log/apt; do
        mount -t tmpfs -o mode=0755 none "$root/$folder"
      done
      mount -t tmpfs -o mode=1777 none "$root/tmp"
      tar -C "$root" --numeric-owner --xattrs "--xattrs-include=*" --sort=name -cf \(File.archive) .
    '
    : > "$root/etc/apt/apt.conf.d/00mmdebstrap"

    """
}
