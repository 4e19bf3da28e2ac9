import MusterCatalog
import MusterDiagnostics
import MusterYAML

/// The actions that have values of their own.
extension MatrixDecoder {
  private static let copyKeys = ["from", "to", "mode", "owner"]
  private static let fetchKeys = ["from", "to", "optional"]

  func copy(_ node: Node, _ scope: Scope) -> StepTemplate.Copy? {
    guard let mapping = mapping(node, "'copy'", hint: "write {from: …, to: …}") else { return nil }
    var from: (template: Template, base: String)?
    var to: Template?
    var mode: UInt16?
    var owner: Template?
    for entry in mapping.entries {
      switch entry.key {
      case "from":
        from = hostPath(entry.value, "a path", scope).map { ($0, directory(of: entry.value.span)) }
      case "to": to = guestPath(entry.value, "a path", scope)
      case "mode": mode = constant(entry.value, "a file mode", PlainValues.mode)
      case "owner": owner = self.owner(entry.value, scope)
      default: reportUnknown(entry, in: "copy", known: Self.copyKeys)
      }
    }
    if from == nil, lacks(mapping, "from", known: Self.copyKeys) { report("'copy' needs 'from'", at: node.span) }
    if to == nil, lacks(mapping, "to", known: Self.copyKeys) {
      report("'copy' needs 'to'", at: node.span)
    }
    guard let from, let to else { return nil }
    return StepTemplate.Copy(from: from.template, base: from.base, to: to, mode: mode, owner: owner)
  }

  /// A path, or `{from: …, to: …, optional: true}`.
  func fetch(_ node: Node, _ scope: Scope) -> StepTemplate.Action? {
    guard case .mapping(let mapping) = node.content else {
      return guestPath(node, "a path", scope).map { .fetch(from: $0, to: nil, optional: false) }
    }
    var from: Template?
    var to: Template?
    var optional = false
    for entry in mapping.entries {
      switch entry.key {
      case "from": from = guestPath(entry.value, "a path", scope)
      case "to": to = keptPath(entry.value, scope)
      case "optional": optional = bool(entry.value, "'optional'") ?? false
      default: reportUnknown(entry, in: "fetch", known: Self.fetchKeys)
      }
    }
    if from == nil, lacks(mapping, "from", known: Self.fetchKeys) { report("'fetch' needs 'from'", at: node.span) }
    guard let from else { return nil }
    return .fetch(from: from, to: to, optional: optional)
  }

  /// A relative path that does not lead out of the folder it is in.
  private func keptPath(_ node: Node, _ scope: Scope) -> Template? {
    guard let path = template(node, "a path", scope) else { return nil }
    let text = path.parts.reduce("") { if case .text(let plain) = $1 { $0 + plain } else { $0 + "x" } }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    if text.hasPrefix("/") || text.isEmpty || parts.contains("..") {
      report(
        "\(quoted(text)) is not a path within the run's own folder", at: node.span,
        hint: "write a relative path without '..'")
      return nil
    }
    return path
  }

  /// A package or a list of packages; each a name, or `{debian: …, fedora: …, default: …}`.
  func install(_ node: Node, _ scope: Scope) -> [StepTemplate.Package]? {
    let nodes: [Node]
    if case .mapping = node.content { nodes = [node] } else { nodes = oneOrMore(node, "'install'") ?? [] }
    if case .sequence(let given) = node.content, given.isEmpty {
      report("a list of packages that is empty", at: node.span)
    }
    let packages = nodes.compactMap { package($0, scope) }
    return packages.isEmpty || packages.count < nodes.count ? nil : packages
  }

  func package(_ node: Node, _ scope: Scope) -> StepTemplate.Package? {
    guard case .mapping(let mapping) = node.content else {
      return packageName(node, scope).map { .named($0) }
    }
    var names: [Family: [Template]] = [:]
    var others: [Template]?
    for entry in mapping.entries {
      if entry.key == "default" {
        others = packageNames(entry.value, scope)
      } else if let family = Family(rawValue: entry.key) {
        names[family] = packageNames(entry.value, scope)
      } else {
        reportUnknown(
          entry, in: "the names of a package", known: Family.allCases.map(\.rawValue) + ["default"])
      }
    }
    if mapping.entries.isEmpty {
      report("a package without a name", at: node.span)
      return nil
    }
    return .perFamily(StepTemplate.Names(perFamily: names, others: others, span: node.span))
  }

  /// One name, several, or nothing where a family has no need of it.
  private func packageNames(_ node: Node, _ scope: Scope) -> [Template] {
    if case .scalar(let scalar) = node.content, scalar.isNull { return [] }
    return oneOrMore(node, "the names of a package")?.compactMap { packageName($0, scope) } ?? []
  }

  private func packageName(_ node: Node, _ scope: Scope) -> Template? {
    template(node, "the name of a package", scope).flatMap { isPackage($0, at: node.span) ? $0 : nil }
  }

  /// Whether a text can be the name of one package, which is told if not.
  func isPackage(_ name: Template, at span: Span) -> Bool {
    guard let text = name.constant,
      text.isEmpty || text.utf8.first == UInt8(ascii: "-")
        || text.utf8.contains(where: { $0 <= 0x20 || $0 == UInt8(ascii: ",") })
    else { return true }
    report(
      "\(quoted(text)) is not the name of a package", at: span,
      hint: text.contains(" ") || text.contains(",") ? "write several as a list: [one, other]" : nil)
    return false
  }

  func owner(_ node: Node, _ scope: Scope) -> Template? {
    guard let owner = template(node, "an owner", scope) else { return nil }
    if let text = owner.constant {
      do throws(ValueProblem) {
        _ = try PlainValues.owner(text)
      } catch {
        report(error, at: node.span)
        return nil
      }
    }
    return owner
  }
}
