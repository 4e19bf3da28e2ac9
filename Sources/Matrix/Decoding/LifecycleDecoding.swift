import MusterDiagnostics
import MusterYAML

/// The key `lifecycle` of a test: `{upgrade: {from: 1.1.0}, remove: true, leftovers: {ignore: [/var/log/greeter]}}`.
extension MatrixDecoder {
  private static let lifecycleKeys = [
    "upgrade", "downgrade", "reinstall", "remove", "purge", "install-again", "leftovers", "refuses",
  ]

  /// Whether a test's lifecycle makes cells of its own, seen before anything is decoded.
  static func makesCells(_ node: Node) -> Bool {
    guard case .mapping(let mapping) = node.content else { return false }
    return ["upgrade", "downgrade", "refuses"].contains { mapping[$0] != nil }
  }

  /// - Parameter number: The test's.
  func lifecycle(
    _ entry: Mapping.Entry, of test: Test, _ number: Int, _ names: Names, _ scope: Scope
  ) -> LifecycleTemplate? {
    guard let mapping = mapping(entry.value, "'lifecycle'", hint: "write {upgrade: {from: 1.0}, remove: true}") else {
      return nil
    }
    let releases = releases(of: test, number, names, at: entry.keySpan)
    if releases.isEmpty { return nil }
    var lifecycle = LifecycleTemplate()
    for entry in mapping.entries {
      let span = entry.keySpan
      switch entry.key {
      case "upgrade": lifecycle.upgrade = other(entry, "from", releases, scope)
      case "downgrade": lifecycle.downgrade = other(entry, "to", releases, scope)
      case "reinstall": lifecycle.reinstall = isWanted(entry) ? span : nil
      case "remove": lifecycle.remove = isWanted(entry) ? span : nil
      case "purge": lifecycle.purge = isWanted(entry) ? span : nil
      case "install-again": lifecycle.installAgain = isWanted(entry) ? span : nil
      case "leftovers": lifecycle.leftovers = leftovers(entry, scope)
      case "refuses": lifecycle.refuses = refusals(entry, releases)
      default: reportUnknown(entry, in: "'lifecycle'", known: Self.lifecycleKeys)
      }
    }
    if lifecycle.remove == nil, lifecycle.purge == nil {
      for key in ["leftovers", "install-again"] {
        guard let wrong = mapping.entries.first(where: { $0.key == key && (isWanted($0, quietly: true)) }) else {
          continue
        }
        report(
          "'\(key)' comes after the release is removed", at: wrong.keySpan, hint: "add 'remove: true' or 'purge: true'")
      }
    }
    return lifecycle
  }

  private func isWanted(_ entry: Mapping.Entry, quietly: Bool = false) -> Bool {
    if quietly, case .scalar(let scalar) = entry.value.content { return scalar.text != "false" }
    if quietly { return true }
    return bool(entry.value, "'\(entry.key)'") ?? false
  }

  private func leftovers(_ entry: Mapping.Entry, _ scope: Scope) -> LifecycleTemplate.Leftovers? {
    var leftovers = LifecycleTemplate.Leftovers(span: entry.keySpan)
    guard case .mapping(let mapping) = entry.value.content else {
      return isWanted(entry) ? leftovers : nil
    }
    for entry in mapping.entries {
      guard entry.key == "ignore" else {
        reportUnknown(entry, in: "'leftovers'", known: ["ignore"])
        continue
      }
      for node in list(entry.value, "'ignore'", hint: "write [/var/log/greeter]") ?? [] {
        if case .mapping(let mapping) = node.content {
          for entry in mapping.entries where !["path", "reason"].contains(entry.key) {
            reportUnknown(entry, in: "what is ignored", known: ["path", "reason"])
          }
          guard let path = mapping["path"] else {
            if lacks(mapping, "path", known: ["path", "reason"]) {
              report("what is ignored needs 'path'", at: node.span)
            }
            continue
          }
          let reason = mapping["reason"].flatMap { template($0, "a reason", scope) }
          if let path = guestPath(path, "a path", scope) { leftovers.ignored.append((path, reason)) }
        } else if let path = guestPath(node, "a path", scope) {
          leftovers.ignored.append((path, nil))
        }
      }
    }
    return leftovers
  }

  private func refusals(
    _ entry: Mapping.Entry, _ channels: [StepTemplate.Channel]
  ) -> [(refusal: Lifecycle.Refusal, span: Span)] {
    for channel in channels {
      if channel.channel == .apk {
        report("it is not looked at what apk refuses", at: entry.keySpan, hint: "leave 'refuses' out")
        return []
      }
      guard case .repository(let repository) = channel.source, !repository.place.isURL, repository.key != nil else {
        report(
          "'refuses' needs a repository with a key that is a folder of this host", at: entry.keySpan,
          hint: "a copy of it is tampered with in the machine")
        return []
      }
    }
    var refusals: [(refusal: Lifecycle.Refusal, span: Span)] = []
    for node in oneOrMore(entry.value, "'refuses'") ?? [] {
      guard let refusal: Lifecycle.Refusal = word(node, "something that is refused") else { continue }
      if refusal == .expired, channels.contains(where: { $0.channel != .apt }) {
        report("only the index of an APT repository expires", at: node.span)
        continue
      }
      if refusals.contains(where: { $0.refusal == refusal }) {
        report("'\(refusal.rawValue)' is listed twice", at: node.span)
        continue
      }
      refusals.append((refusal, node.span))
    }
    return refusals
  }
}
