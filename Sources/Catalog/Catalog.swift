/// The images that Muster knows by name: `debian/12`, `fedora/44`, `arch`. All of them have cloud-init.
package enum Catalog {
  /// All names, in alphabetical order; other spellings of the same image (`debian/bookworm`) are left out.
  package static let names: [String] = entries.map(\.name).sorted()

  /// The image of this name for a CPU; `nil` when there is no such name, or no such image for that CPU (then
  /// `family(of:)` still knows the name).
  package static func image(named name: String, cpu: CPU) -> ImageDescription? {
    guard let entry = entry(named: name), let files = entry.files(cpu) else { return nil }
    return ImageDescription(
      name: name, source: .download(url: files.image, checksum: .file(url: files.sums)), cpu: cpu,
      firmware: cpu == .arm64 ? .uefi : entry.firmware, initialization: .cloudInit)
  }

  /// The family of the distro of this name; `nil` when there is no such name.
  package static func family(of name: String) -> Family? {
    entry(named: name)?.family
  }

  /// The name under which an image of this name, or of this other spelling, stands in `names`.
  package static func canonicalName(of name: String) -> String? { entry(named: name)?.name }

  /// The code name of the release of this name: `bookworm` for `debian/12`; `nil` where it has none.
  package static func codeName(of name: String) -> String? {
    entry(named: name)?.alias?.split(separator: "/").last.map(String.init)
  }

  static func entry(named name: String) -> Entry? {
    entries.first { $0.name == name || $0.alias == name }
  }
}

extension Catalog {
  /// One line of the catalog.
  struct Entry: Sendable {
    var name: String
    /// Another spelling, by the release's code name.
    var alias: String?
    var family: Family
    /// What the x86_64 image boots with; arm64 knows UEFI only.
    var firmware: ImageDescription.Firmware
    /// Where the image and its checksums are; `nil` for a CPU that the distro is not made for.
    var files: @Sendable (CPU) -> Files?
  }

  /// Addresses of an image and of the file with its checksum. A `*` in the image's last part stands for what only the
  /// checksum file can tell, such as a build's date.
  struct Files: Sendable {
    var image: String
    var sums: String

    /// An image whose checksum file is in the same folder.
    init(folder: String, image: String, sums: String) {
      self.image = "\(folder)/\(image)"
      self.sums = "\(folder)/\(sums)"
    }

    /// An image whose checksum file has the image's name and a suffix.
    init(folder: String, image: String, suffix: String) {
      self.init(folder: folder, image: image, sums: image + suffix)
    }
  }
}

extension CPU {
  /// The name that Debian, Ubuntu and Go use.
  package var debianName: String {
    switch self {
    case .x86_64: "amd64"
    case .arm64: "arm64"
    }
  }

  /// The name that the kernel, Fedora and QEMU use.
  package var kernelName: String {
    switch self {
    case .x86_64: "x86_64"
    case .arm64: "aarch64"
    }
  }
}
