package import MusterCatalog
package import MusterMatrix

extension CellPlan {
  /// The plan with each channel's step taken apart: what is brought into the machine, and each thing that is done and
  /// looked at, as a step of its own with its own verdict.
  package func takenApart() -> CellPlan {
    var plan = self
    var number = 0
    for index in plan.phases.indices {
      plan.phases[index].steps = plan.phases[index].steps.flatMap { step -> [Step] in
        if case .channel(_, nil, _) = step.action { number += 1 }
        return step.takenApart(number: number, family: plan.family)
      }
    }
    return plan
  }
}

extension Step {
  /// The parts of a channel's step; any other is its own only part.
  func takenApart(number: Int, family: Family) -> [Step] {
    guard case .channel(let channel, nil, _) = action else { return [self] }
    var steps: [Step] = []
    let place = ChannelPlace(channel: channel.channel, number: number)
    func add(_ action: Action, _ title: String) {
      var step = self
      step.action = action
      step.title = "\(self.title): \(title)"
      steps.append(step)
    }
    if channel.channel == .pypi { add(.install(InstallStep(packages: PyPI.packages(of: family))), "bring pip") }
    switch channel.source {
    case .appImage(let image):
      let scripts = AppImageScripts(step: channel, image: image, place: place)
      for part in scripts.parts(number: number) { add(part.action, part.title) }
      return steps
    case .file(let file):
      add(.copy(CopyStep(from: file, to: place.file(file), mode: 0o644)), "bring the file")
    case .pkgbuild(let folder): add(.copy(CopyStep(from: folder, to: place.pkgbuild)), "bring the PKGBUILD")
    case .userRepository: break
    case .repository(let repository):
      if case .folder(let folder) = repository.place {
        add(.copy(CopyStep(from: folder, to: place.repository)), "bring the repository")
      }
      if let key = repository.key { add(.copy(CopyStep(from: key, to: place.key, mode: 0o644)), "bring the key") }
      // pip knows no index but the one that it is given with each command.
      if channel.channel == .pypi { break }
      add(.channel(channel, .add, number: number), "add the repository")
      add(.channel(channel, .refresh, number: number), "refresh the repository")
    }
    add(.channel(channel, .install, number: number), "install")
    for check in channel.checks { add(.channel(channel, .check(check), number: number), check.rawValue) }
    return steps
  }
}

extension ChannelStep {
  /// What one part of it executes in a machine of a family.
  package func script(for part: ChannelPart, number: Int, family: Family) -> GuestScript {
    let place = ChannelPlace(channel: channel, number: number)
    if case .appImage(let image) = source {
      return AppImageScripts(step: self, image: image, place: place).script(for: part, family)
    }
    return switch (channel, part) {
    case (.aur, .check(let check)): pacman(check, place)
    case (.aur, _): pacman(part, place)
    case (.appimage, _): GuestScript("")
    case (.pypi, _): PyPI(step: self, place: place).script(for: part)
    case (_, .check(let check)): self.script(for: check, place, family)
    case (.apt, _): apt(part, place)
    case (.rpm, _): family == .suse ? zypper(part, place) : dnf(part, place)
    }
  }
}

/// Where what belongs to one channel's step is in the machine.
struct ChannelPlace {
  var channel: ChannelStep.Channel
  /// Tells the steps of a cell apart.
  var number: Int

  /// What the repository is called in the package manager's settings.
  var name: String { "muster-\(number)" }
  private var folder: String { "/var/lib/muster/\(channel.rawValue)-\(number)" }
  var repository: String { "\(folder)/repository" }
  var key: String { "\(folder)/key" }
  var pkgbuild: String { "\(folder)/pkgbuild" }

  /// A package's file keeps its name: package managers look at how it ends.
  func file(_ path: String) -> String { "\(folder)/\(path.split(separator: "/").last.map(String.init) ?? "file")" }

  /// The address that a package manager in the machine finds the repository at.
  func address(_ repository: ChannelStep.Repository) -> MaskedText {
    switch repository.place {
    case .folder: MaskedText("file://\(self.repository)")
    case .url(let url): url
    }
  }
}

extension ChannelStep {
  /// The repository, where it comes from one.
  var repository: Repository? {
    if case .repository(let repository) = source { repository } else { nil }
  }

  /// The file's path in the machine, where it comes as one.
  func file(_ place: ChannelPlace) -> String? {
    if case .file(let path) = source { place.file(path) } else { nil }
  }

  /// The names of the packages as words of a script; of a file without one, `$name`, which the script must set first.
  var words: String {
    packages.isEmpty ? "\"$name\"" : packages.map { Shell.quote($0) }.joined(separator: " ")
  }
}
