import MusterDiagnostics
import MusterYAML

/// The steps that are called after a channel: `apt: {repository: dist/apt, key: dist/key.asc, install: greeter}`.
extension MatrixDecoder {
  private static let repositoryKeys = ["key", "fingerprint", "suite", "components", "name", "serve"]
  private static let sharedKeys = ["repository", "file", "install", "version", "checks"]

  private static func keys(of channel: ChannelStep.Channel) -> [String] {
    switch channel {
    case .apt: sharedKeys + ["key", "fingerprint", "suite", "components", "serve"]
    case .rpm: sharedKeys + ["key", "fingerprint", "serve"]
    case .aur:
      ["package", "pkgbuild", "repository", "name", "key", "fingerprint", "install", "version", "checks", "serve"]
    case .pypi: sharedKeys + ["serve"]
    case .appimage: appImageKeys
    case .apk: sharedKeys + ["key", "serve"]
    case .homebrew: ["tap", "formula", "version", "checks"]
    }
  }

  func channel(_ entry: Mapping.Entry, _ scope: Scope) -> StepTemplate.Channel? {
    guard let channel = ChannelStep.Channel(rawValue: entry.key),
      let mapping = mapping(
        entry.value, "'\(entry.key)'",
        hint: channel == .appimage ? "write {file: …}" : "write {repository: …, key: …, install: …}")
    else { return nil }
    let known = Self.keys(of: channel)
    for entry in mapping.entries where !known.contains(entry.key) {
      reportUnknown(entry, in: "a step with '\(channel.rawValue)'", known: known)
    }
    if channel == .appimage { return appImage(mapping, at: entry.value.span, scope) }
    let packages = (mapping["install"] ?? mapping["package"] ?? mapping["formula"]).map { packageNames($0, scope) }
    let version = mapping["version"].flatMap { template($0, "a version", scope, .all) }
    let checks = mapping["checks"].map { channelChecks($0, of: channel) } ?? channel.checks
    guard let source = source(of: mapping, channel, known: known, at: entry.value.span, scope) else { return nil }
    if case .repository = source, packages == nil, lacks(mapping, "install", known: known) {
      report("'\(channel.rawValue)' needs 'install'", at: entry.value.span, hint: "name the release's packages")
    }
    if channel == .homebrew, packages == nil, lacks(mapping, "formula", known: known) {
      report("'homebrew' needs 'formula'", at: entry.value.span, hint: "write {formula: user/tap/name}")
    }
    if packages?.isEmpty ?? false, let span = (mapping["install"] ?? mapping["formula"])?.span {
      report("a list of packages that is empty", at: span)
    }
    return StepTemplate.Channel(
      channel: channel, source: source, packages: packages ?? [], version: version, checks: checks,
      base: directory(of: entry.value.span))
  }

  private func packageNames(_ node: Node, _ scope: Scope) -> [Template] {
    (oneOrMore(node, "'install'") ?? []).compactMap { node in
      template(node, "the name of a package", scope).flatMap { isPackage($0, at: node.span) ? $0 : nil }
    }
  }

  /// Either a repository or a file.
  func source(
    of mapping: Mapping, _ channel: ChannelStep.Channel, known: [String], at span: Span, _ scope: Scope
  ) -> StepTemplate.Channel.Source? {
    if channel == .homebrew { return .formula(tap: mapping["tap"].flatMap { template($0, "a path", scope, .all) }) }
    let sources = ["repository", "file", "pkgbuild", "package"].filter(known.contains)
    let names = mapping.entries.filter { sources.contains($0.key) }
    if names.count > 1 {
      report(
        "a release comes from one place, and this has both '\(names[0].key)' and '\(names[1].key)'",
        at: names[1].keySpan, hint: "write two steps")
      return nil
    }
    guard let from = names.first else {
      if sources.allSatisfy({ lacks(mapping, $0, known: known) }) {
        let others = sources.dropFirst().map { "'\($0): …'" }.joined(separator: ", ")
        report(
          "'\(channel.rawValue)' does not say where the release comes from", at: span,
          hint: "add 'repository: …' (a folder of this host, or a URL) or \(others)")
      }
      return nil
    }
    if from.key == "package" { return .userRepository }
    let what = from.key == "repository" ? "a repository" : "a path"
    guard let place = template(from.value, what, scope, .all) else { return nil }
    if from.key != "repository" {
      for wrong in mapping.entries where Self.repositoryKeys.contains(wrong.key) && known.contains(wrong.key) {
        let key = wrong.key
        report("'\(key)' is of a repository, and this step has '\(from.key)'", at: wrong.keySpan)
      }
      return from.key == "file" ? .file(place) : .pkgbuild(place)
    }
    var repository = StepTemplate.Channel.Repository(place: place)
    repository.suite = (mapping["suite"] ?? mapping["name"]).flatMap { template($0, "a name", scope) }
    if channel == .aur, place.isURL, repository.suite == nil, lacks(mapping, "name", known: known) {
      report("a pacman repository at a URL needs its 'name'", at: span, hint: "its index is NAME.db")
    }
    if let node = mapping["components"] {
      repository.components = oneOrMore(node, "'components'")?.compactMap { template($0, "a component", scope) } ?? []
    }
    repository.key = mapping["key"].flatMap { template($0, "the file of a key", scope) }
    repository.fingerprint = known.contains("fingerprint") ? fingerprint(in: mapping, known) : nil
    if let entry = mapping.entries.first(where: { $0.key == "serve" }), known.contains("serve") {
      repository.isServed = bool(entry.value, "'serve'") ?? false
      if repository.isServed, place.isURL {
        report(
          "'serve' is for a folder of this host, and this repository is served already", at: entry.keySpan,
          hint: "leave it out, or name the folder in place of the URL")
      }
    }
    return .repository(repository)
  }

  /// `{libraries: false}`: which of the checks are not made.
  func channelChecks(_ node: Node, of channel: ChannelStep.Channel) -> [ChannelStep.Check] {
    guard let mapping = mapping(node, "'checks'", hint: "write {libraries: false} to leave one out") else { return [] }
    var checks = channel.checks
    for entry in mapping.entries {
      guard let check = ChannelStep.Check(rawValue: entry.key), channel.checks.contains(check) else {
        reportUnknown(entry, in: "the checks of '\(channel.rawValue)'", known: channel.checks.map(\.rawValue))
        continue
      }
      if bool(entry.value, "'\(entry.key)'") == false { checks.removeAll { $0 == check } }
    }
    return checks
  }
}
