import MusterDiagnostics
import MusterYAML

/// The key `lifecycle` of a test: `{upgrade: {from: 1.1.0}, remove: true, leftovers: {ignore: [/var/log/greeter]}}`.
extension MatrixDecoder {
  private static let lifecycleKeys = [
    "upgrade", "downgrade", "reinstall", "remove", "purge", "install-again", "leftovers", "refuses",
  ]
  private static func sourceKeys(of channel: ChannelStep.Channel) -> [String] {
    channel == .homebrew
      ? ["tap"]
      : ["repository", "file", "pkgbuild", "name", "key", "fingerprint", "suite", "components", "serve"]
  }

  /// Whether a test's lifecycle makes cells of its own, seen before anything is decoded.
  static func makesCells(_ node: Node) -> Bool {
    guard case .mapping(let mapping) = node.content else { return false }
    return ["upgrade", "downgrade", "refuses"].contains { mapping[$0] != nil }
  }

  func lifecycle(_ entry: Mapping.Entry, of test: Test, _ scope: Scope) -> LifecycleTemplate? {
    guard let mapping = mapping(entry.value, "'lifecycle'", hint: "write {upgrade: {from: 1.0}, remove: true}") else {
      return nil
    }
    let channels = test.provision.compactMap { step in
      if case .channel(let channel) = step.action { channel } else { nil }
    }
    guard let channel = channels.first else {
      report(
        "'lifecycle' is of a release, and no step of 'provision' installs one", at: entry.keySpan,
        hint: "use a channel there: \(ChannelStep.Channel.allCases.map(\.rawValue).joined(separator: ", "))")
      return nil
    }
    var lifecycle = LifecycleTemplate()
    for entry in mapping.entries {
      let span = entry.keySpan
      switch entry.key {
      case "upgrade": lifecycle.upgrade = other(entry, "from", channel, scope)
      case "downgrade": lifecycle.downgrade = other(entry, "to", channel, scope)
      case "reinstall": lifecycle.reinstall = isWanted(entry) ? span : nil
      case "remove": lifecycle.remove = isWanted(entry) ? span : nil
      case "purge": lifecycle.purge = isWanted(entry) ? span : nil
      case "install-again": lifecycle.installAgain = isWanted(entry) ? span : nil
      case "leftovers": lifecycle.leftovers = leftovers(entry, scope)
      case "refuses": lifecycle.refuses = refusals(entry, channels)
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

  /// The release that an upgrade starts from, or a downgrade ends at; a version is enough.
  private func other(
    _ entry: Mapping.Entry, _ preposition: String, _ channel: StepTemplate.Channel, _ scope: Scope
  ) -> LifecycleTemplate.Other? {
    var other = LifecycleTemplate.Other(base: directory(of: entry.value.span), span: entry.keySpan)
    defer { checkHomebrew(entry, channel, other) }
    if case .scalar(let scalar) = entry.value.content, !scalar.isNull {
      other.version = template(entry.value, "a version", scope, .all)
      return other
    }
    guard let mapping = mapping(entry.value, "'\(entry.key)'", hint: "write {\(preposition): VERSION}") else {
      return nil
    }
    let sourceKeys = Self.sourceKeys(of: channel.channel)
    let known = [preposition, "verify"] + (entry.key == "upgrade" ? ["conffiles"] : []) + sourceKeys
    var hasSource = false
    let place = "'\(entry.key)'"
    for entry in mapping.entries {
      switch entry.key {
      case preposition: other.version = template(entry.value, "a version", scope, .all)
      case "verify": other.verify = steps(entry.value, "'verify'", scope)
      case "conffiles" where known.contains("conffiles"):
        other.settings = word(entry.value, "what is done with configuration files") ?? .untouched
      case let key where sourceKeys.contains(key): hasSource = true
      default: reportUnknown(entry, in: place, known: known)
      }
    }
    if hasSource {
      other.source = source(of: mapping, channel.channel, known: sourceKeys, at: entry.value.span, scope)
    }
    if other.version == nil, other.source == nil, lacks(mapping, preposition, known: known) {
      report(
        "'\(entry.key)' does not say which release it goes \(preposition)", at: entry.keySpan,
        hint: "write {\(preposition): VERSION}, or name another 'repository' or 'file'")
    }
    return other
  }

  /// Homebrew has one version of a formula, and goes to no older one.
  private func checkHomebrew(
    _ entry: Mapping.Entry, _ channel: StepTemplate.Channel, _ other: LifecycleTemplate.Other
  ) {
    guard channel.channel == .homebrew else { return }
    if entry.key == "downgrade" {
      report("Homebrew knows no downgrade", at: entry.keySpan, hint: "leave it out")
    } else if other.source == nil {
      report(
        "a tap has one version of a formula: 'upgrade' does not say which tap has the older one", at: entry.keySpan,
        hint: "write {from: VERSION, tap: FOLDER}")
    }
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
