import MusterCatalog
import MusterDiagnostics

/// An image as the file says it, for whichever architecture.
struct ImageForm: Sendable {
  enum Source: Sendable {
    case catalog(Template)
    case download(url: Template, checksum: ChecksumForm)
    /// A path, and the absolute folder that a relative one starts in.
    case file(Template, base: String, checksum: ChecksumForm?)
    case debootstrap(suite: Template, packages: [Template], mirror: Template?, components: [Template])
    case native(Template)
  }

  enum ChecksumForm: Sendable {
    case sha256(String)
    case sha512(String)
    case file(Template)
  }

  /// The only backend it is meant for.
  var backend: BackendName?
  var source: Source
  var firmware: ImageDescription.Firmware?
  var initialization: ImageDescription.Initialization?
  var span: Span

  /// The family that goes without saying.
  func family(distro: String, cpu: CPU) -> Family? {
    switch source {
    case .catalog(let name): Catalog.family(of: name.text(distro: distro, cpu: cpu))
    case .debootstrap: .debian
    case .download, .file, .native: nil
    }
  }

  /// The image for an architecture; `nil` when the catalog has none for it.
  func choice(distro: String, cpu: CPU) -> ImageChoice? {
    let text = { (template: Template) in template.text(distro: distro, cpu: cpu) }
    let described = { (name: String, source: ImageDescription.Source, ready: ImageDescription.Initialization) in
      ImageDescription(
        name: name, source: source, cpu: cpu, firmware: firmware ?? (cpu == .arm64 ? .uefi : .bios),
        initialization: initialization ?? ready)
    }
    let image: ImageDescription
    switch source {
    case .catalog(let name):
      guard let known = Catalog.image(named: text(name), cpu: cpu) else { return nil }
      image = known
    case .download(let url, let checksum):
      image = described(
        text(url), .download(url: text(url), checksum: checksum.checksum(distro: distro, cpu: cpu)), .cloudInit)
    case .file(let path, let base, let checksum):
      image = described(
        text(path),
        .file(
          path: Path.absolute(text(path), in: base), checksum: checksum?.checksum(distro: distro, cpu: cpu)),
        .cloudInit)
    case .debootstrap(let suite, let packages, let mirror, let components):
      image = described(
        "debootstrap \(text(suite))",
        .debootstrap(
          Debootstrap(
            suite: text(suite), packages: packages.map(text), mirror: mirror.map(text),
            components: components.map(text))), .builtIn)
    case .native(let name):
      image = described(text(name), .native(name: text(name)), .cloudInit)
    }
    return ImageChoice(backend: backend?.rawValue, image: image)
  }
}

extension ImageForm.ChecksumForm {
  fileprivate func checksum(distro: String, cpu: CPU) -> Checksum {
    switch self {
    case .sha256(let digest): .sha256(digest)
    case .sha512(let digest): .sha512(digest)
    case .file(let url): .file(url: url.text(distro: distro, cpu: cpu))
    }
  }
}

extension Template {
  /// The text where only a distro and an architecture are known, as for images.
  func text(distro: String, cpu: CPU) -> String {
    if let constant { return constant }
    return parts.reduce(into: "") { text, part in
      switch part {
      case .text(let plain): text += plain
      case .builtIn(.distro): text += distro
      case .builtIn(.cpu): text += cpu.rawValue
      case .builtIn, .axis, .secret, .address: break
      }
    }
  }
}
