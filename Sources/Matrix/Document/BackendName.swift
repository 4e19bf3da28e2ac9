import MusterCatalog

/// The backends that a matrix may speak of.
enum BackendName: String, CaseIterable {
  case qemu
  case multipass
  case orbstack
  case incus
  case lxd
  case lima

  /// In the order in which they are tried where a person has no preference.
  static let available: [BackendName] = [.qemu, .lima, .multipass, .incus, .lxd, .orbstack]

  /// Whether a name by itself means an image of the backend's own, and not one of the catalog.
  var hasImages: Bool { self != .qemu }

  /// Why a text cannot be the name of an image of the backend's own, as far as its form tells.
  func problem(ofImage text: String) -> ValueProblem? {
    // Incus has some of the same names.
    if self != .incus, self != .lxd, Catalog.family(of: text) != nil {
      return ValueProblem(
        "\(quoted(text)) is a name of the catalog, and none of \(rawValue)", hint: "write 'default: \(text)'")
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    // Multipass and Lima take addresses as well, in which a port may stand.
    let most = self == .multipass || self == .lima ? 3 : 2
    let isPlain = !text.hasPrefix("-") && !text.contains(where: \.isWhitespace)
    if isPlain, parts.count <= most, !parts.contains("") { return nil }
    let example =
      switch self {
      case .qemu: "debian/12"
      case .multipass: "noble or daily:26.04"
      case .orbstack: "ubuntu or ubuntu:noble"
      case .incus: "images:debian/12/cloud"
      case .lxd: "ubuntu:24.04"
      case .lima: "template:ubuntu-24.04"
      }
    return ValueProblem(
      "\(quoted(text)) cannot be the name of an image of \(rawValue)", hint: "write it as \(example)")
  }
}
