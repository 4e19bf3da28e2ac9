import MusterCatalog

/// What `orbctl create` takes for an image: a distro, a colon and a version.
enum OrbStackImage {
  static let all =
    "almalinux/…, alpine/…, arch, centos-stream/…, debian/…, fedora/…, opensuse/…, rocky/… and ubuntu/… "
    + "of the catalog, and from {orbstack: \"DISTRO:VERSION\"}"

  /// - Returns: `nil` for what OrbStack cannot make machines from.
  static func argument(for image: ImageDescription) -> String? {
    // On Apple's processors it executes machines of the other kind as well.
    guard image.cpu == .host || image.cpu == .x86_64, image.initialization == .cloudInit else { return nil }
    switch image.source {
    case .native(let name):
      // Nothing that would be taken for an option.
      return name.isEmpty || name.hasPrefix("-") ? nil : name
    case .download:
      guard Catalog.image(named: image.name, cpu: image.cpu) == image else { return nil }
      let parts = image.name.split(separator: "/", maxSplits: 1).map(String.init)
      return argument(distro: parts[0], version: parts.count == 2 ? parts[1] : nil)
    case .file, .debootstrap: return nil
    }
  }

  private static func argument(distro: String, version: String?) -> String? {
    guard let version else { return distro == "arch" ? distro : nil }
    switch distro {
    case "almalinux": return "alma:\(version)"
    case "alpine", "fedora", "rocky": return "\(distro):\(version)"
    case "centos-stream": return "centos:\(version)-Stream"
    case "debian", "ubuntu": return Catalog.codeName(of: "\(distro)/\(version)").map { "\(distro):\($0)" }
    case "opensuse": return "opensuse:" + (version.hasPrefix("leap-") ? String(version.dropFirst(5)) : version)
    default: return nil
    }
  }
}
