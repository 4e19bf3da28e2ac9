import MusterCatalog
import MusterDiagnostics
import MusterYAML

/// The key `image` of a distro: a name of the catalog; `{url: …}`, `{path: …}` or `{debootstrap: …}`; a list of
/// alternatives; or a mapping from backends, and `default`, to any of these.
extension MatrixDecoder {
  private static let sourceKeys = ["url", "path", "debootstrap"]
  private static let backendKeys = BackendName.allCases.map(\.rawValue) + ["default"]
  private static let commonKeys = ["firmware", "init"]
  private static let checksumKeys = ["sha256", "sha512", "checksum"]

  /// - Parameters:
  ///   - backend: The only one that they are meant for.
  ///   - isOfMapping: Whether they stand in a mapping from backends, in which no other may.
  func images(_ node: Node, for backend: BackendName? = nil, isOfMapping: Bool = false) -> [ImageForm] {
    switch node.content {
    case .scalar: return namedImage(node, for: backend).map { [$0] } ?? []
    case .sequence(let nodes):
      if nodes.isEmpty { report("a list of images that is empty", at: node.span) }
      return nodes.flatMap { images($0, for: backend, isOfMapping: isOfMapping) }
    case .mapping(let mapping):
      let keys = mapping.entries.map(\.key)
      let isPerBackend = keys.contains { $0 == "default" || BackendName(rawValue: $0) != nil }
      if isPerBackend, !isOfMapping, !keys.contains(where: Self.sourceKeys.contains) {
        return imagesPerBackend(mapping)
      }
      return describedImage(mapping, at: node.span, for: backend, isOfMapping: isOfMapping).map { [$0] } ?? []
    }
  }

  private func imagesPerBackend(_ mapping: Mapping) -> [ImageForm] {
    var own: [ImageForm] = []
    var others: [ImageForm] = []
    for entry in mapping.entries {
      if entry.key == "default" {
        others += images(entry.value, isOfMapping: true)
      } else if let backend = BackendName(rawValue: entry.key) {
        own += images(entry.value, for: backend, isOfMapping: true)
      } else {
        reportUnknown(entry, in: "image", known: Self.backendKeys)
      }
    }
    return own + others
  }

  private func namedImage(_ node: Node, for backend: BackendName?) -> ImageForm? {
    guard let name = imageText(node, "the name of an image") else { return nil }
    if let backend, backend.hasImages {
      if let text = name.constant, let problem = backend.problem(ofImage: text) {
        report(problem, at: node.span)
        return nil
      }
      return ImageForm(backend: backend, source: .native(name), span: node.span)
    }
    if let text = name.constant, Catalog.family(of: text) == nil {
      var hint = Nearest.question(text, among: Catalog.names)
      if text.contains("://") {
        hint = "write {url: \"…\", sha256: …} for an image that is downloaded"
      } else if text.hasPrefix(".") || text.hasPrefix("/") || text.hasSuffix(".qcow2") || text.hasSuffix(".img") {
        hint = "write {path: \(text)} for a file"
      } else if Catalog.suite(named: text) != nil {
        hint = "write {debootstrap: \(text)} to build it from packages"
      } else {
        // Of another version of a known distro there is no telling which one was meant.
        let kin = Catalog.names.filter { $0.hasPrefix(text.prefix { $0 != "/" } + "/") }
        if !kin.isEmpty || hint == nil {
          hint = "the catalog has \((kin.isEmpty ? Catalog.names : kin).joined(separator: ", "))"
        }
      }
      report("the catalog has no image \(quoted(text))", at: node.span, hint: hint)
      return nil
    }
    return ImageForm(backend: backend, source: .catalog(name), span: node.span)
  }

  private func describedImage(
    _ mapping: Mapping, at span: Span, for backend: BackendName?, isOfMapping: Bool
  ) -> ImageForm? {
    let sources = mapping.entries.filter { Self.sourceKeys.contains($0.key) }
    guard let first = sources.first else {
      for entry in mapping.entries {
        reportUnknown(entry, in: "image", known: Self.sourceKeys + (isOfMapping ? [] : Self.backendKeys))
      }
      if mapping.entries.isEmpty {
        report("an image that is empty", at: span, hint: "write a name such as debian/12, or {url: …, sha256: …}")
      }
      return nil
    }
    if sources.count > 1 {
      report(
        "an image has either '\(first.key)' or '\(sources[1].key)'", at: sources[1].keySpan,
        hint: "write a list for alternatives")
      return nil
    }
    var form = Form()
    let checksums = first.key == "debootstrap" ? [] : Self.checksumKeys + ["user"]
    let extras = first.key == "debootstrap" ? ["packages", "mirror", "components"] : []
    for entry in mapping.entries where entry.key != first.key {
      guard (checksums + extras + Self.commonKeys).contains(entry.key) else {
        reportUnknown(
          entry, in: "an image with '\(first.key)'", known: [first.key] + checksums + extras + Self.commonKeys)
        continue
      }
      take(entry, into: &form)
    }
    guard let text = imageText(first.value, "'\(first.key)'"),
      let source = source(first, text, form)
    else { return nil }
    return ImageForm(
      backend: backend, source: source, firmware: form.firmware, initialization: form.initialization, span: span)
  }

  /// What stands beside the key that says where an image comes from.
  private struct Form {
    var checksum: ImageForm.ChecksumForm?
    /// Whether a checksum is given, be it right or wrong.
    var hasChecksum = false
    var packages: [Template] = []
    var mirror: Template?
    var components: [Template] = []
    var firmware: ImageDescription.Firmware?
    var initialization: ImageDescription.Initialization?
  }

  private func take(_ entry: Mapping.Entry, into form: inout Form) {
    switch entry.key {
    case "sha256", "sha512", "checksum":
      if form.hasChecksum {
        report("a second checksum of one image", at: entry.keySpan, hint: "one is enough")
      }
      form.hasChecksum = true
      form.checksum = checksum(entry)
    case "packages": form.packages = texts(entry.value, "'packages'", isPackage)
    case "components": form.components = texts(entry.value, "'components'")
    case "mirror": form.mirror = url(entry.value, "a mirror")
    case "firmware": form.firmware = word(entry.value, "a firmware")
    case "init": form.initialization = word(entry.value, "a way to initialize an image")
    // The image's own user: Muster makes a user of its own, so it only has to be a name.
    case "user": _ = constant(entry.value, "a user", PlainValues.account)
    default: break
    }
  }

  private func checksum(_ entry: Mapping.Entry) -> ImageForm.ChecksumForm? {
    switch entry.key {
    case "sha256":
      constant(entry.value, "a checksum") { text throws(ValueProblem) in try PlainValues.digest(text, count: 64) }
        .map { .sha256($0) }
    case "sha512":
      constant(entry.value, "a checksum") { text throws(ValueProblem) in try PlainValues.digest(text, count: 128) }
        .map { .sha512($0) }
    default: checksumFile(entry.value)
    }
  }

  private func checksumFile(_ node: Node) -> ImageForm.ChecksumForm? {
    guard let text = imageText(node, "the address of a checksum file") else { return nil }
    if let digest = text.constant?.split(separator: ":").last, let key = Self.digestKeys[digest.count],
      digest.allSatisfy(\.isHexDigit)
    {
      report(
        "'checksum' takes the address of a file that has the digest", at: node.span,
        hint: "write the digest itself as '\(key): …'")
      return nil
    }
    return isURL(text, at: node.span) ? .file(text) : nil
  }

  /// By how many digits they take.
  private static let digestKeys = [64: "sha256", 128: "sha512"]

  private func source(_ entry: Mapping.Entry, _ text: Template, _ form: Form) -> ImageForm.Source? {
    switch entry.key {
    case "url":
      guard isURL(text, at: entry.value.span) else { return nil }
      guard let checksum = form.checksum else {
        if !form.hasChecksum {
          report(
            "an image that is downloaded needs a checksum", at: entry.keySpan,
            hint: "add 'sha256: …' or 'sha512: …', or 'checksum: URL' of a file that has it")
        }
        return nil
      }
      return .download(url: text, checksum: checksum)
    case "path":
      check(text, at: entry.value.span, Scope(), HostPath.check)
      return .file(text, base: directory(of: entry.value.span), checksum: form.checksum)
    default:
      if let suite = text.constant, Catalog.suite(named: suite) == nil, form.mirror == nil {
        report(
          "unknown suite \(quoted(suite))", at: entry.value.span,
          hint: Nearest.hint(
            suite, among: Catalog.suites.map(\.name), listing: "add 'mirror: URL' that has it; known are"))
        return nil
      }
      return .debootstrap(
        suite: text, packages: form.packages, mirror: form.mirror, components: form.components)
    }
  }

  private func texts(
    _ node: Node, _ what: String, _ isRight: (Template, Span) -> Bool = { _, _ in true }
  ) -> [Template] {
    (oneOrMore(node, what) ?? []).compactMap { node in
      imageText(node, what).flatMap { isRight($0, node.span) ? $0 : nil }
    }
  }

  /// Text of an image, in which a cell's distro and architecture are all there is of it.
  private func imageText(_ node: Node, _ what: String) -> Template? {
    guard let text = template(node, what, Scope()) else { return nil }
    for case .builtIn(let name) in text.parts where name != .distro && name != .cpu {
      report(
        "'${\(name.rawValue)}' cannot be used in an image", at: node.span,
        hint: "an image may differ by ${distro} and ${cpu}")
      return nil
    }
    return text
  }

  private func url(_ node: Node, _ what: String) -> Template? {
    imageText(node, what).flatMap { isURL($0, at: node.span) ? $0 : nil }
  }

  private func isURL(_ text: Template, at span: Span) -> Bool {
    guard case .text(let start)? = text.parts.first,
      ["http://", "https://", "file:///"].contains(where: start.hasPrefix)
    else {
      report(
        "\(quoted(text.text(distro: "${distro}", cpu: cpu))) is not an address", at: span,
        hint: "write it with https://, http:// or file:///")
      return false
    }
    return true
  }
}
