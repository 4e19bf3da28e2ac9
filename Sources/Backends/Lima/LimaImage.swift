import MusterCatalog

/// What `limactl start` takes for an image: a template.
enum LimaImage {
  static let all =
    "almalinux/…, alpine/…, arch, centos-stream/…, debian/…, fedora/…, opensuse/…, rocky/… and ubuntu/… "
    + "of the catalog, and from {lima: \"template:NAME\"}, for this CPU"

  /// - Returns: `nil` for what Lima cannot make machines from.
  static func argument(for image: ImageDescription) -> String? {
    guard image.cpu == .host, image.initialization == .cloudInit else { return nil }
    switch image.source {
    case .native(let name):
      // Nothing that would be taken for an option.
      return name.isEmpty || name.hasPrefix("-") ? nil : name
    case .download:
      guard Catalog.image(named: image.name, cpu: image.cpu) == image else { return nil }
      return Catalog.canonicalName(of: image.name).flatMap(template).map { "template:\($0)" }
    case .file, .debootstrap: return nil
    }
  }

  private static func template(_ name: String) -> String? {
    switch name {
    case "arch": return "archlinux"
    case "opensuse/tumbleweed": return "experimental/opensuse-tumbleweed"
    // Its templates name Leap by the major version, and have the newest of it.
    case "opensuse/leap-15.6": return "opensuse-leap-15"
    case "opensuse/leap-16.0": return "opensuse-leap-16"
    default: break
    }
    let distros = ["almalinux", "alpine", "centos-stream", "debian", "fedora", "rocky", "ubuntu"]
    let parts = name.split(separator: "/")
    guard parts.count == 2, distros.contains(String(parts[0])) else { return nil }
    return "\(parts[0])-\(parts[1])"
  }
}
