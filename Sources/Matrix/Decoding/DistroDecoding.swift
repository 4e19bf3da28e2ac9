import MusterCatalog
import MusterDiagnostics
import MusterYAML

/// A distro before the tests are known, and with them the architectures that it is needed for.
struct DistroForm {
  var name: String
  var nameSpan: Span
  var tags: [String] = []
  var family: Family?
  var cpu: CPU
  var images: [ImageForm] = []
  /// Where they stand.
  var imageSpan: Span?
  var settings = Settings()
  /// Read once the names that `when` may use are known.
  var provision: Node?
  var isWhole = true
}

extension MatrixDecoder {
  private static let distroKeys = ["image", "family", "tags", "cpu", "provision"]

  /// The key `distros`.
  func distros(_ node: Node) -> [DistroForm] {
    guard let mapping = mapping(node, "'distros'", hint: "write {debian-12: {image: debian/12}}") else { return [] }
    if mapping.entries.isEmpty { report("there are no distros", at: node.span) }
    return mapping.entries.map(distro)
  }

  private func distro(_ entry: Mapping.Entry) -> DistroForm {
    var form = DistroForm(name: entry.key, nameSpan: entry.keySpan, cpu: cpu)
    form.isWhole = isName(entry, "a distro")
    guard let mapping = mapping(entry.value, "a distro", hint: "write {image: debian/12}") else {
      form.isWhole = false
      return form
    }
    let before = diagnostics.count
    for entry in mapping.entries {
      switch entry.key {
      case "image": (form.images, form.imageSpan) = (images(entry.value), entry.value.span)
      case "family": form.family = word(entry.value, "a family")
      case "tags": form.tags = tags(entry.value)
      case "cpu": form.cpu = cpu(entry.value) ?? cpu
      case "provision": form.provision = entry.value
      default:
        if !takeSetting(entry, into: &form.settings, Scope()) {
          reportUnknown(entry, in: "a distro", known: Self.distroKeys + Self.settingsKeys)
        }
      }
    }
    if form.images.isEmpty, lacks(mapping, "image", known: Self.distroKeys + Self.settingsKeys) {
      report("the distro '\(form.name)' needs an image", at: entry.keySpan, hint: "add 'image: debian/12', or another")
    }
    if diagnostics.count > before { form.isWhole = form.isWhole && !form.images.isEmpty }
    if mapping["family"] == nil { form.family = family(of: form) }
    return form
  }

  /// The family that the images tell.
  private func family(of form: DistroForm) -> Family? {
    var told: (family: Family, span: Span)?
    for image in form.images {
      guard let family = image.family(distro: form.name, cpu: form.cpu) else { continue }
      if let told, told.family != family {
        report(
          "the images of '\(form.name)' are of two families, \(told.family.rawValue) and \(family.rawValue)",
          at: image.span, hint: "make two distros of them",
          notes: [.init("\(told.family.rawValue) is told here", at: told.span)])
        return told.family
      }
      told = told ?? (family, image.span)
    }
    if let told { return told.family }
    if let image = form.images.first {
      report(
        "the family of '\(form.name)' cannot be told from its image", at: image.span,
        hint: "add 'family:' with one of \(Family.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return nil
  }

  func tags(_ node: Node) -> [String] {
    var tags: [String] = []
    for node in oneOrMore(node, "'tags'") ?? [] {
      guard let tag = textNode(node, "a tag") else { continue }
      if !PlainValues.isName(tag) || tag == "all" || tag == "not" {
        report("\(quoted(tag)) cannot be a tag", at: node.span, hint: Self.nameHint)
      } else if tags.contains(tag) {
        report("'\(tag)' is twice in the list", at: node.span)
      } else {
        tags.append(tag)
      }
    }
    return tags
  }

  func isName(_ entry: Mapping.Entry, _ what: String) -> Bool {
    if PlainValues.isName(entry.key), entry.key != "all", entry.key != "not" { return true }
    report("\(quoted(entry.key)) cannot be the name of \(what)", at: entry.keySpan, hint: Self.nameHint)
    return false
  }

  private static let nameHint =
    "use letters, digits, '.', '-' and '_', a letter or digit first; 'all' and 'not' are taken"
}
