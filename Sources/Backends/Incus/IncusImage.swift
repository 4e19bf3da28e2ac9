import MusterCatalog

/// What `launch` takes for an image.
struct IncusImage: Sendable {
  var dialect: IncusDialect
  var place: IncusPlace

  static let all =
    "the images of the catalog and {incus: NAME} or {lxd: NAME} for this CPU, and from {debootstrap: …} with "
    + "'instance: container' in 'backends'"

  /// - Returns: `nil` for what no instances can be made from.
  func argument(for image: ImageDescription) -> String? {
    guard image.cpu == .host, image.initialization == .cloudInit else { return nil }
    switch image.source {
    case .native(let name):
      // Nothing that would be taken for an option.
      guard !name.isEmpty, !name.hasPrefix("-") else { return nil }
      // By itself it would be looked for on whatever server the person has switched to.
      return name.contains(":") ? name : "\(place.remote):\(name)"
    case .download:
      // Its own images are what it can verify; others are of no form that it takes.
      return Catalog.image(named: image.name, cpu: image.cpu) == image ? known(image.name) : nil
    case .file, .debootstrap: return nil
    }
  }

  /// The servers name most as the catalog does.
  private func known(_ name: String) -> String? {
    let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
    let version = parts.count == 2 ? parts[1] : ""
    switch (parts[0], version) {
    case ("ubuntu", _): return dialect.ubuntu(version)
    case ("arch", _): return "images:archlinux/cloud"
    case ("rocky", _): return "images:rockylinux/\(version)/cloud"
    case ("centos-stream", _): return "images:centos/\(version)-Stream/cloud"
    case ("amazonlinux", _), ("amazon", _): return "images:amazonlinux/\(version)/cloud"
    case ("opensuse", _) where version.hasPrefix("leap-"):
      return "images:opensuse/\(version.dropFirst("leap-".count))/cloud"
    case ("debian", _), ("fedora", _), ("almalinux", _), ("alpine", _), ("opensuse", _):
      return "images:\(name)/cloud"
    default: return nil
    }
  }
}
