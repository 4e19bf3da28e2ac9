extension Catalog {
  static let entries: [Entry] =
    [
      alma("8"), alma("9"), alma("10"),
      alpine("3.21", patch: 7), alpine("3.22", patch: 4), alpine("3.23", patch: 4),
      amazon,
      arch,
      centOSStream("9"), centOSStream("10"),
      debian("11", "bullseye"), debian("12", "bookworm"), debian("13", "trixie"),
      fedora("43", compose: "1.6"), fedora("44", compose: "1.7"),
      leap("15.6", prefix: "openSUSE-Leap"), leap("16.0", prefix: "Leap"), tumbleweed,
      rocky("8", variant: "GenericCloud"), rocky("9", variant: "GenericCloud"),
      rocky("10", variant: "GenericCloud-Base"),
      ubuntu("20.04", "focal"), ubuntu("22.04", "jammy"), ubuntu("24.04", "noble"), ubuntu("25.10", "questing"),
      ubuntu("26.04", "resolute"),
    ]

  private static func alma(_ version: String) -> Entry {
    Entry(name: "almalinux/\(version)", family: .fedora, firmware: .bios) { cpu in
      Files(
        folder: "https://repo.almalinux.org/almalinux/\(version)/cloud/\(cpu.kernelName)/images",
        image: "AlmaLinux-\(version)-GenericCloud-latest.\(cpu.kernelName).qcow2", sums: "CHECKSUM")
    }
  }

  /// Alpine names every patch release, and keeps those that came before.
  private static func alpine(_ version: String, patch: Int) -> Entry {
    Entry(name: "alpine/\(version)", family: .alpine, firmware: .uefi) { cpu in
      Files(
        folder: "https://dl-cdn.alpinelinux.org/alpine/v\(version)/releases/cloud",
        image: "nocloud_alpine-\(version).\(patch)-\(cpu.kernelName)-uefi-cloudinit-r0.qcow2", suffix: ".sha512")
    }
  }

  /// The file's name has the build's date, which only the checksum file of the folder tells.
  private static let amazon = Entry(name: "amazonlinux/2023", family: .fedora, firmware: .uefi) { cpu in
    let (folder, suffix) =
      switch cpu {
      case .x86_64: ("kvm", "x86_64")
      case .arm64: ("kvm-arm64", "arm64")
      }
    return Files(
      folder: "https://cdn.amazonlinux.com/al2023/os-images/latest/\(folder)",
      image: "al2023-kvm-*-\(suffix).xfs.gpt.qcow2", sums: "SHA256SUMS")
  }

  /// Arch Linux is made for x86_64 only.
  private static let arch = Entry(name: "arch", family: .arch, firmware: .bios) { cpu in
    guard cpu == .x86_64 else { return nil }
    return Files(
      folder: "https://geo.mirror.pkgbuild.com/images/latest", image: "Arch-Linux-x86_64-cloudimg.qcow2",
      suffix: ".SHA256")
  }

  private static func centOSStream(_ version: String) -> Entry {
    Entry(name: "centos-stream/\(version)", family: .fedora, firmware: .bios) { cpu in
      Files(
        folder: "https://cloud.centos.org/centos/\(version)-stream/\(cpu.kernelName)/images",
        image: "CentOS-Stream-GenericCloud-\(version)-latest.\(cpu.kernelName).qcow2", suffix: ".SHA256SUM")
    }
  }

  private static func debian(_ version: String, _ suite: String) -> Entry {
    Entry(name: "debian/\(version)", alias: "debian/\(suite)", family: .debian, firmware: .bios) { cpu in
      Files(
        folder: "https://cloud.debian.org/images/cloud/\(suite)/latest",
        image: "debian-\(version)-genericcloud-\(cpu.debianName).qcow2", sums: "SHA512SUMS")
    }
  }

  /// Fedora's checksum file is named after the compose, not after the image.
  private static func fedora(_ version: String, compose: String) -> Entry {
    Entry(name: "fedora/\(version)", family: .fedora, firmware: .bios) { cpu in
      let release = "\(version)-\(compose)"
      return Files(
        folder:
          "https://download.fedoraproject.org/pub/fedora/linux/releases/\(version)/Cloud/\(cpu.kernelName)/images",
        image: "Fedora-Cloud-Base-Generic-\(release).\(cpu.kernelName).qcow2",
        sums: "Fedora-Cloud-\(release)-\(cpu.kernelName)-CHECKSUM")
    }
  }

  private static func leap(_ version: String, prefix: String) -> Entry {
    Entry(name: "opensuse/leap-\(version)", family: .suse, firmware: .uefi) { cpu in
      Files(
        folder: "https://download.opensuse.org/distribution/leap/\(version)/appliances",
        image: "\(prefix)-\(version)-Minimal-VM.\(cpu.kernelName)-Cloud.qcow2", suffix: ".sha256")
    }
  }

  /// Tumbleweed for arm64 is among the ports.
  private static let tumbleweed = Entry(name: "opensuse/tumbleweed", family: .suse, firmware: .uefi) { cpu in
    Files(
      folder: cpu == .x86_64
        ? "https://download.opensuse.org/tumbleweed/appliances"
        : "https://download.opensuse.org/ports/aarch64/tumbleweed/appliances",
      image: "openSUSE-Tumbleweed-Minimal-VM.\(cpu.kernelName)-Cloud.qcow2", suffix: ".sha256")
  }

  private static func rocky(_ version: String, variant: String) -> Entry {
    Entry(name: "rocky/\(version)", family: .fedora, firmware: .bios) { cpu in
      Files(
        folder: "https://dl.rockylinux.org/pub/rocky/\(version)/images/\(cpu.kernelName)",
        image: "Rocky-\(version)-\(variant).latest.\(cpu.kernelName).qcow2", suffix: ".CHECKSUM")
    }
  }

  private static func ubuntu(_ version: String, _ series: String) -> Entry {
    Entry(name: "ubuntu/\(version)", alias: "ubuntu/\(series)", family: .debian, firmware: .bios) { cpu in
      Files(
        folder: "https://cloud-images.ubuntu.com/releases/\(series)/release",
        image: "ubuntu-\(version)-server-cloudimg-\(cpu.debianName).img", sums: "SHA256SUMS")
    }
  }
}
