import MusterCatalog
import MusterDiagnostics
import MusterMatrix

/// What happens to a release beside being installed and verified, taken apart into steps of their own.
struct LifecycleParts {
  var lifecycle: Lifecycle
  /// The step of `provision` that installs the release.
  var step: Step
  var release: ChannelStep
  var family: Family
  /// Tells the steps of a cell apart; the other release, where it comes from elsewhere, has the next.
  var number: Int

  /// The steps in place of the release's own.
  var provision: [Step] {
    switch lifecycle.course {
    case .install, .downgrade: step.parts(of: release, number, family, before: preparation)
    case .upgrade:
      lifecycle.upgrade.map { wish in
        var older = step
        older.title = wish.value.release.title
        return older.parts(of: wish.value.release, number, family)
      } ?? []
    case .refuse: step.bringing(release, number, family)
    }
  }

  /// The steps of the phase `lifecycle`.
  var steps: [Step] {
    switch lifecycle.course {
    case .install: reinstallation + removal + again
    case .upgrade: lifecycle.upgrade.map(upgrade) ?? []
    case .downgrade: lifecycle.downgrade.map(downgrade) ?? []
    case .refuse:
      lifecycle.refuses.map { wish in
        part(.refuse(wish.value), "refuse \(wish.value.rawValue)", at: wish.location)
      }
    }
  }

  /// What must be done before the release is there, to tell later what it left.
  private var preparation: [(ChannelPart, String)] {
    guard lifecycle.course == .install, lifecycle.leftovers != nil else { return [] }
    let prepare: [(ChannelPart, String)] =
      [.apt, .aur, .homebrew].contains(release.channel) ? [(.prepare, "install what it depends on")] : []
    return prepare + [(.snapshot, "note what the system has")]
  }

  private func part(
    _ part: ChannelPart, _ title: String, at location: Location, of channel: ChannelStep? = nil, number: Int? = nil
  ) -> Step {
    var step = step
    step.action = .channel(channel ?? release, part, number: number ?? self.number)
    step.title = "\(channel?.title ?? self.step.title): \(title)"
    step.location = location
    return step
  }

  private func checks(of channel: ChannelStep, at location: Location, number: Int? = nil) -> [Step] {
    channel.lookingAt.map { part, title in
      self.part(part, title, at: location, of: channel, number: number)
    }
  }

  private var reinstallation: [Step] {
    guard let location = lifecycle.reinstall else { return [] }
    if release.channel == .appimage {
      return [part(.install, "install anew", at: location)] + checks(of: release, at: location)
    }
    return [part(.reinstall, "reinstall", at: location)] + checks(of: release, at: location)
  }

  /// Conffiles may stay when a package is only removed.
  private var removal: [Step] {
    var steps: [Step] = []
    if let location = lifecycle.remove {
      steps.append(part(.remove, "remove", at: location))
      steps.append(part(.removed(purged: false), "removed", at: location))
    }
    // What a Debian package may keep when it is removed must go when it is purged.
    let purge = lifecycle.purge ?? (release.channel == .apt ? lifecycle.leftovers?.location : nil)
    if let location = purge {
      steps.append(part(.purge, "purge", at: location))
      steps.append(part(.removed(purged: true), "purged", at: location))
    }
    if let leftovers = lifecycle.leftovers {
      steps.append(
        part(
          .leftovers(ignored: leftovers.value, purged: purge != nil), "leftovers", at: leftovers.location))
    }
    return steps
  }

  private var again: [Step] {
    guard let location = lifecycle.installAgain else { return [] }
    if release.channel == .appimage { return replacement(release, at: location) }
    return [part(.install, "install again", at: location)] + checks(of: release, at: location)
  }

  private func upgrade(_ wish: Lifecycle.Wish<Lifecycle.Other>) -> [Step] {
    let location = wish.location
    var steps = wish.value.verify
    if release.channel == .appimage { return steps + replacement(release, at: location) }
    if wish.value.settings == .changed {
      steps.append(part(.changeSettings, "change configuration files", at: location, of: wish.value.release))
    }
    let number = number(of: wish.value.release)
    steps += beside(release, number, at: location, titled: step.title)
    steps.append(part(.upgrade(wish.value.settings), "upgrade", at: location, number: number))
    steps += checks(of: release, at: location, number: number)
    if PackageDatabase(release.channel) != nil {
      steps.append(
        part(
          .settings(wish.value.settings), "configuration files", at: location, of: wish.value.release))
    }
    return steps
  }

  /// What the place of the release that comes second is called: another one, if the other release comes from elsewhere.
  private func number(of other: ChannelStep) -> Int { other.source == release.source ? number : number + 1 }

  /// Brings the release that comes second, and adds its repository beside the first one's, if it comes from elsewhere.
  private func beside(_ second: ChannelStep, _ number: Int, at location: Location, titled title: String) -> [Step] {
    if number == self.number { return [] }
    var added = step
    added.location = location
    added.title = title
    return added.bringing(second, number, family) + added.adding(second, number)
  }

  /// Another file takes the place of an AppImage.
  private func replacement(_ other: ChannelStep, at location: Location) -> [Step] {
    var replacing = step
    replacing.location = location
    return replacing.parts(of: other, number + 1, family)
  }

  private func downgrade(_ wish: Lifecycle.Wish<Lifecycle.Other>) -> [Step] {
    let older = wish.value.release
    if release.channel == .appimage { return replacement(older, at: wish.location) + wish.value.verify }
    let number = number(of: older)
    var steps = beside(older, number, at: wish.location, titled: older.title)
    steps.append(part(.downgrade, "downgrade", at: wish.location, of: older, number: number))
    return steps + checks(of: older, at: wish.location, number: number) + wish.value.verify
  }
}

extension ChannelStep {
  /// A short line for people, as the matrix language makes it of a step without a name.
  fileprivate var title: String {
    let what =
      switch source {
      case .appImage(let image): image.command
      case .file(let path): path.split(separator: "/").last.map(String.init) ?? path
      case .pkgbuild(let path) where packages.isEmpty: "PKGBUILD of \(path)"
      default: packages.joined(separator: " ")
      }
    return "\(channel.rawValue) \(what)" + (version.map { " \($0)" } ?? "")
  }
}
