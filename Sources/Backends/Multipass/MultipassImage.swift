import MusterCatalog

/// What `multipass launch` takes for an image.
enum MultipassImage {
  /// - Returns: `nil` for what Multipass cannot make machines from.
  static func argument(for image: ImageDescription) -> String? {
    guard image.cpu == .host, image.initialization == .cloudInit else { return nil }
    switch image.source {
    case .native(let name):
      // Nothing that would be taken for an option.
      return name.isEmpty || name.hasPrefix("-") ? nil : name
    case .download(let url, _):
      // Its own Ubuntu images are what it knows best.
      if image.name.hasPrefix(ubuntu), Catalog.image(named: image.name, cpu: image.cpu) == image {
        return String(image.name.dropFirst(ubuntu.count))
      }
      // A `*` stands for what only the checksum file tells.
      let isPlain = ["http://", "https://"].contains(where: url.hasPrefix) && !url.contains("*")
      return isPlain && takesURLs ? url : nil
    case .file, .debootstrap: return nil
    }
  }

  private static let ubuntu = "ubuntu/"

  /// Multipass takes images that are not its own on Linux only.
  #if os(Linux)
    private static let takesURLs = true
  #else
    private static let takesURLs = false
  #endif
}
