package import MusterCatalog
package import MusterMatrix

extension CellPlan {
  /// The plan with each channel's step taken apart: what is brought into the machine, and each thing that is done and
  /// looked at, as a step of its own with its own verdict; and with the steps of the release's lifecycle.
  package func takenApart() -> CellPlan {
    var plan = self
    let steps = phases.first { $0.kind == .provision }?.steps ?? []
    let release = steps.lastIndex { if case .channel(_, nil, _) = $0.action { true } else { false } }
    var parts: LifecycleParts?
    var number = 0
    for phase in plan.phases.indices {
      let isProvision = plan.phases[phase].kind == .provision
      plan.phases[phase].steps = plan.phases[phase].steps.enumerated().flatMap { index, step -> [Step] in
        guard case .channel(let channel, nil, _) = step.action else { return [step] }
        number += 1
        guard let lifecycle, isProvision, index == release else { return step.parts(of: channel, number, family) }
        let taken = LifecycleParts(
          lifecycle: lifecycle, step: step, release: channel, family: family, number: number)
        parts = taken
        // Another release may come from another place.
        number += 1
        return taken.provision
      }
    }
    guard let parts else { return plan.servingAgain() }
    let phase = Phase(kind: .lifecycle, steps: parts.steps)
    switch parts.lifecycle.course {
    case .install: plan.phases.append(phase)
    case .upgrade: plan.phases.insert(phase, at: plan.phases.firstIndex { $0.kind == .verify } ?? plan.phases.endIndex)
    case .downgrade, .refuse: plan.phases = plan.phases.filter { $0.kind == .provision } + [phase]
    }
    plan.phases.removeAll { $0.steps.isEmpty }
    return plan.servingAgain()
  }

  /// A restart of the machine ends the servers in it: they are started anew.
  private func servingAgain() -> CellPlan {
    var plan = self
    var servers: [Step] = []
    for phase in plan.phases.indices {
      plan.phases[phase].steps = plan.phases[phase].steps.flatMap { step -> [Step] in
        if case .channel(_, .serve, _) = step.action { servers.append(step) }
        if case .reboot = step.action { return [step] + servers }
        return [step]
      }
    }
    return plan
  }
}

extension Step {
  /// All parts of a channel's step, in their order.
  /// - Parameter before: What is done right before the installation.
  func parts(
    of channel: ChannelStep, _ number: Int, _ family: Family, before: [(ChannelPart, String)] = []
  ) -> [Step] {
    if case .appImage(let image) = channel.source {
      let place = ChannelPlace(channel: channel.channel, number: number)
      return AppImageScripts(step: channel, image: image, place: place).parts(number: number, before: before)
        .map { part($0.action, $0.title) }
    }
    return bringing(channel, number, family) + adding(channel, number)
      + taken(before + [(.install, "install")] + channel.lookingAt, of: channel, number)
  }

  private func taken(_ parts: [(ChannelPart, String)], of channel: ChannelStep, _ number: Int) -> [Step] {
    parts.map { part, title in self.part(.channel(channel, part, number: number), title) }
  }

  /// Brings what comes from this host into the machine.
  func bringing(_ channel: ChannelStep, _ number: Int, _ family: Family) -> [Step] {
    var steps: [Step] = []
    let place = ChannelPlace(channel: channel.channel, number: number)
    func add(_ action: Action, _ title: String) { steps.append(part(action, title)) }
    if channel.channel == .pypi { add(.install(InstallStep(packages: PyPI.packages(of: family))), "bring pip") }
    if channel.channel == .homebrew {
      add(.install(InstallStep(packages: Homebrew.packages(of: family))), "bring what Homebrew needs")
      add(.channel(channel, .bring, number: number), "bring Homebrew")
    }
    switch channel.source {
    case .file(let file):
      add(.copy(CopyStep(from: file, to: place.file(file), mode: 0o644)), "bring the file")
    case .pkgbuild(let folder): add(.copy(CopyStep(from: folder, to: place.pkgbuild)), "bring the PKGBUILD")
    case .userRepository, .appImage, .formula(nil): break
    case .formula(let folder?): add(.copy(CopyStep(from: folder, to: place.repository)), "bring the tap")
    case .repository(let repository):
      if case .folder(let folder) = repository.place {
        add(.copy(CopyStep(from: folder, to: place.repository)), "bring the repository")
      }
      if let key = repository.key {
        add(.copy(CopyStep(from: key, to: place.key, mode: 0o644)), "bring the key")
        // The keys of apk are no OpenPGP keys.
        if channel.channel == .apk { break }
        add(
          .channel(channel, .key, number: number), repository.fingerprint == nil ? "key" : "fingerprint of the key")
      }
    }
    return steps
  }

  /// Makes the repository known, if there is one. pip knows no index but the one that it is given with each command.
  func adding(_ channel: ChannelStep, _ number: Int) -> [Step] {
    var parts: [(ChannelPart, String)] = []
    if case .formula = channel.source { parts = [(.add, "add the tap"), (.fetch, "fetch")] }
    guard let repository = channel.repository else { return taken(parts, of: channel, number) }
    if repository.isServed { parts.append((.serve, "serve the repository")) }
    if channel.channel != .pypi { parts += [(.add, "add the repository"), (.refresh, "refresh the repository")] }
    return taken(parts, of: channel, number)
  }

  private func part(_ action: Action, _ title: String) -> Step {
    var step = self
    step.action = action
    step.title = "\(self.title): \(title)"
    return step
  }
}

extension ChannelStep {
  /// What one part of it executes in a machine of a family.
  package func script(for part: ChannelPart, number: Int, family: Family) -> GuestScript {
    let place = ChannelPlace(channel: channel, number: number)
    // What has nothing to do with how the release is installed.
    switch part {
    case .serve: return RepositoryServer.script(place, family)
    case .key: return KeyFile.script(place.key, fingerprint: repository?.fingerprint)
    case .snapshot: return Leftovers(place: place, family: family).snapshot
    case .leftovers(let ignored, let purged):
      return Leftovers(place: place, family: family).compare(ignored: ignored, purged: purged)
    default: break
    }
    guard let database = PackageDatabase(channel) else { return script(for: part, place, family) }
    return switch part {
    case .check(let check):
      ChannelChecks(step: self, database: database, place: place, family: family).script(for: check)
    case .removed(let purged): removed(place, database, purged: purged)
    case .changeSettings: changeSettings(place, database)
    case .settings(let settings): self.settings(settings, place, database)
    case .refuse(let refusal): refuse(refusal, place, database, family)
    default: noting(before: part, place, database) + script(for: part, place, family)
    }
  }

  /// What is known of other packages is forgotten, and their versions are noted where nothing else tells an upgrade from
  /// one that did nothing.
  private func noting(before part: ChannelPart, _ place: ChannelPlace, _ database: PackageDatabase) -> GuestScript {
    guard part.installs else { return GuestScript("") }
    guard case .upgrade = part, version == nil else { return GuestScript("rm -f \(place.loader)\n") }
    return GuestScript(
      """
      rm -f \(place.loader)
      mkdir -p \(place.folder)
      \(database.all) >\(place.older)

      """)
  }

  /// What a package manager is told.
  func script(for part: ChannelPart, _ place: ChannelPlace, _ family: Family) -> GuestScript {
    if case .appImage(let image) = source {
      return AppImageScripts(step: self, image: image, place: place).script(for: part, family)
    }
    return switch channel {
    case .apt: apt(part, place)
    case .rpm: family == .suse ? zypper(part, place) : dnf(part, place)
    case .aur: pacman(part, place)
    case .pypi: PyPI(step: self, place: place).script(for: part)
    case .appimage: GuestScript("")
    case .apk: apk(part, place)
    case .homebrew: Homebrew(step: self, place: place).script(for: part)
    }
  }
}

/// Where what belongs to one channel's step is in the machine.
struct ChannelPlace {
  var channel: ChannelStep.Channel
  /// Tells the steps of a cell apart.
  var number: Int
  /// Tells a spoiled copy of the repository from the good one.
  var variant: String?

  /// What the repository is called in the package manager's settings.
  var name: String { "muster-\(number)\(variant.map { "-\($0)" } ?? "")" }
  var folder: String { "/var/lib/muster/\(channel.rawValue)-\(number)\(variant.map { "-\($0)" } ?? "")" }
  var repository: String { "\(folder)/repository" }
  var key: String { "\(folder)/key" }
  var pkgbuild: String { "\(folder)/pkgbuild" }
  /// The names of the packages that were built of a PKGBUILD.
  var names: String { "\(folder)/names" }
  /// What the packages had of files and of configuration files, before they were removed.
  var owned: String { "\(folder)/owned" }
  var settings: String { "\(folder)/settings" }
  /// What the loader said of the packages' programs, until others take their place.
  var loader: String { "/run/\(name).loader" }
  /// What the system had before the release; there after a restart too.
  var before: String { "\(folder)/before" }
  /// The versions of the packages before an upgrade, a line each.
  var older: String { "\(folder)/older" }

  /// A package's file keeps its name: package managers look at how it ends.
  func file(_ path: String) -> String { "\(folder)/\(path.split(separator: "/").last.map(String.init) ?? "file")" }

  /// The file with the port that the repository is served at.
  var port: String { "\(folder)/port" }

  /// The name of a key's own file.
  func keyFile(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? "key" }

  /// The address that a package manager in the machine finds the repository at, as a word of a script. A spoiled copy is
  /// not served.
  func address(_ repository: ChannelStep.Repository) -> (word: String, secrets: [String]) {
    switch repository.place {
    case .folder where repository.isServed && variant == nil: ("\"http://127.0.0.1:$(cat \(port))/\"", [])
    case .folder: (Shell.quote("file://\(self.repository)"), [])
    case .url(let url): (Shell.quote(url), url.secrets)
    }
  }
}

extension ChannelStep {
  /// The checks, and what they need.
  var lookingAt: [(ChannelPart, String)] {
    checks.flatMap { check -> [(ChannelPart, String)] in
      (check == .test ? [(.prepareTest, "install what its test needs")] : []) + [(.check(check), check.rawValue)]
    }
  }

  /// The repository, where it comes from one.
  var repository: Repository? {
    if case .repository(let repository) = source { repository } else { nil }
  }

  /// The file's path in the machine, where it comes as one.
  func file(_ place: ChannelPlace) -> String? {
    if case .file(let path) = source { place.file(path) } else { nil }
  }

  /// The names of the packages as words of a script.
  var words: String { Shell.words(packages) }
}
