/// The backends that a matrix may speak of.
enum BackendName: String, CaseIterable {
  case qemu
  case multipass
  case orbstack
  case incus
  case lxd
  case lima

  /// Those that Muster can make machines with.
  static let available: [BackendName] = [.qemu, .multipass]

  /// Whether a name by itself means an image of the backend's own, and not one of the catalog.
  var hasImages: Bool { self != .qemu }
}
