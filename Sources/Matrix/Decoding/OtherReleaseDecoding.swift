import MusterDiagnostics
import MusterYAML

/// The other release of a lifecycle: `upgrade: 1.1.0`, or `upgrade: {from: 1.1.0, repository: dist/old, verify: […]}`.
extension MatrixDecoder {
  /// What tells where the other release of a channel comes from.
  private static func sourceKeys(of channel: ChannelStep.Channel) -> [String] {
    let known = [
      "repository", "file", "pkgbuild", "tap", "name", "key", "fingerprint", "suite", "components", "serve",
    ]
    return keys(of: channel).filter(known.contains)
  }

  /// The release that an upgrade starts from, or a downgrade ends at; a version is enough.
  /// - Parameter releases: What the lifecycle is about, one at least.
  func other(
    _ entry: Mapping.Entry, _ preposition: String, _ releases: [StepTemplate.Channel], _ scope: Scope
  ) -> LifecycleTemplate.Other? {
    if entry.key == "downgrade", releases.contains(where: { $0.channel == .homebrew }) {
      report("Homebrew knows no downgrade", at: entry.keySpan, hint: "leave it out")
      return nil
    }
    var other = LifecycleTemplate.Other(base: directory(of: entry.value.span), span: entry.keySpan)
    if case .scalar(let scalar) = entry.value.content, !scalar.isNull {
      other.version = version(
        entry.value, scope,
        hint: (try? PlainValues.bool(scalar.text)) == false
          ? "leave '\(entry.key)' out" : "write '\(entry.key): 1.1.0', or {\(preposition): 1.1.0}")
      _ = hasSource(entry, preposition, releases)
      checkVersion(of: other, at: entry.value.span, entry.key, preposition, releases)
      return other
    }
    guard let mapping = mapping(entry.value, "'\(entry.key)'", hint: "write {\(preposition): VERSION}") else {
      return nil
    }
    var sourceKeys: [String] = []
    for key in releases.flatMap({ Self.sourceKeys(of: $0.channel) }) where !sourceKeys.contains(key) {
      sourceKeys.append(key)
    }
    let known = [preposition, "verify"] + (entry.key == "upgrade" ? ["conffiles"] : []) + sourceKeys
    for part in mapping.entries {
      switch part.key {
      case preposition: other.version = version(part.value, scope, hint: "write '\(preposition): 1.1.0'")
      case "verify": other.verify = steps(part.value, "'verify'", scope)
      case "conffiles" where known.contains("conffiles"):
        other.settings = word(part.value, "what is done with configuration files") ?? .untouched
      case let key where sourceKeys.contains(key): break
      default: reportUnknown(part, in: "'\(entry.key)'", known: known)
      }
    }
    if mapping.entries.contains(where: { sourceKeys.contains($0.key) }) {
      let own = releases.compactMap { release in
        if case .repository(let repository) = release.source { repository } else { nil }
      }
      other.source = source(
        of: mapping, releases[0].channel, known: sourceKeys, at: entry.value.span, scope, own: own)
      checkPlaces(of: other, entry, preposition, releases)
    } else if sourceKeys.allSatisfy({ lacks(mapping, $0, known: known) }), hasSource(entry, preposition, releases),
      other.version == nil, lacks(mapping, preposition, known: known)
    {
      report(
        "'\(entry.key)' does not say which release it goes \(preposition)", at: entry.keySpan,
        hint: "write {\(preposition): VERSION}, or name another 'repository' or 'file'")
    }
    if let node = mapping[preposition] {
      checkVersion(of: other, at: node.span, entry.key, preposition, releases)
    }
    return other
  }

  /// Whether the other release can come from where the release itself does. A place that has one version of it is told.
  private func hasSource(
    _ entry: Mapping.Entry, _ preposition: String, _ releases: [StepTemplate.Channel]
  ) -> Bool {
    guard let single = releases.lazy.compactMap(\.single).first else { return true }
    report(
      "\(single.reason.map { "\($0): " } ?? "")'\(entry.key)' does not say \(single.missing)", at: entry.keySpan,
      hint: "write {\(preposition): VERSION, \(single.key)}")
    return false
  }

  /// Tells where the other release cannot come from its own place.
  private func checkPlaces(
    of other: LifecycleTemplate.Other, _ entry: Mapping.Entry, _ preposition: String, _ releases: [StepTemplate.Channel]
  ) {
    for release in releases {
      if release.single != nil, release.base == other.base, let place = release.source.place,
        place == other.source?.place
      {
        report(
          "'\(entry.key)' goes \(preposition) the very place that the release itself comes from", at: entry.keySpan,
          hint: "name the older release's")
        return
      }
      switch (other.source, release.source) {
      case (.formula(_?), .formula(nil)):
        report(
          "'\(entry.key)' goes \(preposition) one tap to another, which Homebrew does not do", at: entry.keySpan,
          hint: "write {tap: FOLDER, formula: NAME} in the step as well")
        return
      case (.repository, _) where release.packages.isEmpty:
        report(
          "'\(entry.key)' goes \(preposition) a repository, and the step does not say which packages it has",
          at: entry.keySpan, hint: "add 'install: …' to the step")
        return
      default: break
      }
    }
  }

  /// Tells where both releases are the same.
  private func checkVersion(
    of other: LifecycleTemplate.Other, at span: Span, _ key: String, _ preposition: String,
    _ releases: [StepTemplate.Channel]
  ) {
    guard let version = other.version, releases.contains(where: { $0.version == version }) else { return }
    // From another place, both may have the same version, and be released a second time.
    report(
      "'\(key)' goes \(preposition) the version of the release itself", at: span, hint: "write the older version",
      severity: other.source == nil ? .error : .warning)
  }
}

extension StepTemplate.Channel {
  /// Of a place that has one version of the release: why, what is not said of another one, and the key that says it.
  fileprivate var single: (reason: String?, missing: String, key: String)? {
    switch source {
    case .repository where channel == .aur:
      ("a repository of pacman has one version of a package", "which has the older one", "repository: FOLDER")
    case .repository: nil
    case .file, .appImage: (nil, "which file has the older release", "file: PATH")
    case .pkgbuild: (nil, "which folder has the older PKGBUILD", "pkgbuild: FOLDER")
    case .userRepository: ("the AUR has one version of a package", "where the older one is", "pkgbuild: FOLDER")
    case .formula: ("a tap has one version of a formula", "which tap has the older one", "tap: FOLDER")
    }
  }
}

extension StepTemplate.Channel.Source {
  /// What tells where it is.
  fileprivate var place: Template? {
    switch self {
    case .repository(let repository): repository.place
    case .file(let file): file
    case .pkgbuild(let folder): folder
    case .appImage(let image): image.place
    case .formula(let tap): tap
    case .userRepository: nil
    }
  }
}
