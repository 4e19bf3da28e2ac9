import MusterDiagnostics
import MusterYAML

/// The steps that are called after a channel: `apt: {repository: dist/apt, key: dist/key.asc, install: greeter}`.
extension MatrixDecoder {
  private static let repositoryKeys = ["key", "fingerprint", "suite", "components", "name", "serve"]
  private static let sharedKeys = ["repository", "file", "install", "version", "checks"]

  static func keys(of channel: ChannelStep.Channel) -> [String] {
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
    let names = mapping.entries.filter { ["install", "package", "formula"].contains($0.key) && known.contains($0.key) }
    let packages = names.first.map { packageNames($0, ofTap: mapping["tap"] != nil, scope) }
    if names.count > 1 {
      report(
        "'\(names[0].key)' names the packages already", at: names[1].keySpan,
        hint: "'install' goes with 'repository' and 'pkgbuild', and 'package' stands alone")
    }
    let version = mapping["version"].flatMap { self.version($0, scope) }
    let checks = mapping["checks"].map { channelChecks($0, of: channel) } ?? channel.checks
    guard let source = source(of: mapping, channel, known: known, at: entry.value.span, scope) else { return nil }
    if case .repository = source, packages == nil, lacks(mapping, "install", known: known) {
      report("'\(channel.rawValue)' needs 'install'", at: entry.value.span, hint: "name the release's packages")
    }
    if channel == .homebrew, packages == nil, lacks(mapping, "formula", known: known) {
      report("'homebrew' needs 'formula'", at: entry.value.span, hint: "write {formula: user/tap/name}")
    }
    return StepTemplate.Channel(
      channel: channel, source: source, packages: packages ?? [], version: version, checks: checks,
      base: directory(of: entry.value.span))
  }

  /// - Parameter isOfTap: Whether they are formulas of a tap that is a folder of this host.
  private func packageNames(_ entry: Mapping.Entry, ofTap isOfTap: Bool, _ scope: Scope) -> [Template] {
    if case .sequence(let nodes) = entry.value.content, nodes.isEmpty {
      report("a list of packages that is empty", at: entry.value.span)
    }
    return (oneOrMore(entry.value, "'\(entry.key)'") ?? []).compactMap { node in
      guard let name = template(node, "the name of a package", scope) else { return nil }
      check(name, at: node.span, scope, isOfTap ? ReleaseValues.formulaOfTap : ReleaseValues.package)
      return name
    }
  }

  /// A version of a release.
  func version(_ node: Node, _ scope: Scope, hint: String? = nil) -> Template? {
    guard let version = template(node, "a version", scope, .all) else { return nil }
    check(version, at: node.span, scope) { text throws(ValueProblem) in try ReleaseValues.version(text, hint: hint) }
    return version
  }

  /// Either a repository or a file.
  /// - Parameter own: The release's own repositories, for another release: what is not said is as it is there.
  func source(
    of mapping: Mapping, _ channel: ChannelStep.Channel, known: [String], at span: Span, _ scope: Scope,
    own: [StepTemplate.Channel.Repository] = []
  ) -> StepTemplate.Channel.Source? {
    if channel == .homebrew {
      return .formula(
        tap: mapping["tap"].flatMap {
          hostPath($0, "a path", scope, .all, address: "write {formula: user/tap/name} for a tap of the web")
        })
    }
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
    if from.key != "repository" {
      guard let place = file(from, of: channel, scope) else { return nil }
      for wrong in mapping.entries where Self.repositoryKeys.contains(wrong.key) && known.contains(wrong.key) {
        let key = wrong.key
        report("'\(key)' is of a repository, and this step has '\(from.key)'", at: wrong.keySpan)
      }
      return from.key == "file" ? .file(place) : .pkgbuild(place)
    }
    return repository(from.value, mapping, channel, known, at: span, scope, own).map { .repository($0) }
  }

  private func repository(
    _ node: Node, _ mapping: Mapping, _ channel: ChannelStep.Channel, _ known: [String], at span: Span, _ scope: Scope,
    _ own: [StepTemplate.Channel.Repository]
  ) -> StepTemplate.Channel.Repository? {
    guard let place = template(node, "a repository", scope, .all) else { return nil }
    check(place, at: node.span, scope) { text throws(ValueProblem) in
      try HostPath.checkPlace(text, "a repository", isURL: place.isURL)
    }
    var repository = StepTemplate.Channel.Repository(place: place)
    if channel == .rpm {
      check(place, at: node.span, scope) { text throws(ValueProblem) in
        guard text.hasSuffix(".repo") else { return }
        throw ValueProblem(
          "\(quoted(text)) is the settings of a repository",
          hint: "write the 'baseurl' that it has, and the file of its 'key' beside it")
      }
    }
    repository.suite = (mapping["suite"] ?? mapping["name"]).flatMap { node in
      guard let suite = template(node, "a name", scope) else { return nil }
      check(suite, at: node.span, scope) { text throws(ValueProblem) in
        if text.isEmpty { throw ValueProblem("a name that is empty") }
      }
      return suite
    }
    let hasSuite = repository.suite != nil || own.contains { $0.suite != nil }
    if channel == .aur, place.isURL, !hasSuite, lacks(mapping, "name", known: known) {
      report("a pacman repository at a URL needs its 'name'", at: span, hint: "its index is NAME.db")
    }
    if let entry = mapping.entries.first(where: { $0.key == "components" }), known.contains("components") {
      repository.components =
        oneOrMore(entry.value, "'components'")?.compactMap { template($0, "a component", scope) } ?? []
      if repository.suite.map(\.isFlatSuite) ?? (!hasSuite && lacks(mapping, "suite", known: known)) {
        report(
          "'components' are of a suite, and this repository is flat: it has none", at: entry.keySpan,
          hint: "add 'suite: …', or leave 'components' out")
      }
    }
    repository.key = mapping["key"].flatMap {
      hostPath($0, "the file of a key", scope, address: "download it in 'setup', and name the file")
    }
    repository.fingerprint =
      known.contains("fingerprint")
      ? fingerprint(in: mapping, known, ofKey: own.contains { $0.key != nil }) : nil
    if let entry = mapping.entries.first(where: { $0.key == "serve" }), known.contains("serve") {
      repository.isServed = bool(entry.value, "'serve'")
      if repository.isServed ?? false, place.isURL {
        report(
          "'serve' is for a folder of this host, and this repository is served already", at: entry.keySpan,
          hint: "leave it out, or name the folder in place of the URL")
      }
    }
    return repository
  }

  /// A package's file, or a folder with a PKGBUILD.
  private func file(_ entry: Mapping.Entry, of channel: ChannelStep.Channel, _ scope: Scope) -> Template? {
    if channel == .appimage { return appImagePlace(entry.value, scope) }
    let isFolder = entry.key == "pkgbuild"
    let path = hostPath(
      entry.value, "a path", scope, .all,
      address: isFolder
        ? "write {package: NAME} for what is in the AUR" : "download it in 'setup', or name its 'repository'")
    if let path {
      check(path, at: entry.value.span, scope) { text throws(ValueProblem) in
        if isFolder, text.split(separator: "/").last == "PKGBUILD" {
          throw ValueProblem("'pkgbuild' is the folder that the PKGBUILD is in", hint: "leave '/PKGBUILD' out")
        }
        try HostPath.checkFile(text, endings: isFolder ? [] : channel.endings, "a package for '\(channel.rawValue)'")
      }
    }
    return path
  }

  /// A path of this host, where no URL can stand.
  /// - Parameter address: What to do about a URL.
  func hostPath(
    _ node: Node, _ what: String, _ scope: Scope, _ uses: Uses = .builtIns,
    address hint: String = "download it in 'setup', and name the file"
  ) -> Template? {
    guard let path = template(node, what, scope, uses) else { return nil }
    check(path, at: node.span, scope) { text throws(ValueProblem) in try HostPath.check(text, address: hint) }
    return path
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
