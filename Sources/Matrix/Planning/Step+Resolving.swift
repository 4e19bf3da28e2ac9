import MusterCatalog
import MusterDiagnostics

extension StepTemplate {
  /// The step of a cell; `environment` is what the matrix, the distro and the test set.
  func step(_ context: CellContext, _ environment: [VariableTemplate]) -> Step {
    Step(
      action: action.action(context), title: title(context), location: span.location,
      machine: details?.machine, user: details?.user.map(context.text),
      directory: details?.directory.map(context.masked),
      environment: VariableTemplate.merged([environment, details?.environment ?? []]).map {
        EnvironmentVariable(name: $0.name, value: context.masked($0.value))
      },
      timeout: details?.timeout.map(context.value), retry: details?.retry ?? Retry(),
      cache: details?.cache)
  }
}

extension StepTemplate.Action {
  fileprivate func action(_ context: CellContext) -> Step.Action {
    switch self {
    case .run(let run):
      .run(
        RunStep(
          script: context.masked(run.script), shell: run.shell, exit: run.exit,
          stdout: run.stdout.map { $0.expectation(context) }, stderr: run.stderr.map { $0.expectation(context) }))
    case .copy(let copy):
      .copy(
        CopyStep(
          from: Path.absolute(context.text(copy.from), in: copy.base), to: context.text(copy.to), mode: copy.mode,
          owner: copy.owner.map(context.text)))
    case .fetch(let from, let to, let optional):
      .fetch(FetchStep(from: context.text(from), to: to.map(context.text), optional: optional))
    case .install(let packages):
      .install(InstallStep(packages: packages.flatMap { $0.names(context.distro.family) }.map(context.text)))
    case .channel(let channel): .channel(channel.step(context), nil, number: 0)
    case .check(let check): .check(check.check(context))
    case .reboot: .reboot
    case .wait(let script, let shell, let interval):
      .wait(WaitStep(script: context.masked(script), shell: shell, interval: interval))
    }
  }
}

extension StepTemplate.Channel {
  fileprivate func step(_ context: CellContext) -> ChannelStep {
    ChannelStep(
      channel: channel, source: source.source(of: channel, context, base: base), packages: packages.map(context.text),
      version: version.map(context.masked), checks: checks)
  }
}

extension StepTemplate.Channel.Source {
  /// - Parameter own: The repository of the release itself, for another release: what is not said of the other one's is as it
  ///   is there.
  func source(
    of channel: ChannelStep.Channel, _ context: CellContext, base: String, own: ChannelStep.Repository? = nil
  ) -> ChannelStep.Source {
    let path = { (template: Template) in Path.absolute(context.text(template), in: base) }
    return switch self {
    case .file(let file): .file(path(file))
    case .pkgbuild(let folder): .pkgbuild(path(folder))
    case .userRepository: .userRepository
    case .appImage(let image):
      .appImage(
        ChannelStep.AppImage(
          place: image.place.appImage(context, base: base), command: image.command, run: context.value(image.run),
          sha256: image.sha256))
    case .formula(let tap): .formula(tap: tap.map(path))
    case .repository(let repository): .repository(repository.repository(of: channel, context, base: base, own: own))
    }
  }
}

extension StepTemplate.Channel.Repository {
  fileprivate func repository(
    of channel: ChannelStep.Channel, _ context: CellContext, base: String, own: ChannelStep.Repository?
  ) -> ChannelStep.Repository {
    let path = { (template: Template) in Path.absolute(context.text(template), in: base) }
    let suite = self.suite.map(context.text) ?? own?.suite
    let isFlat = suite.map { Template.text($0).isFlatSuite } ?? true
    let components = self.components.isEmpty ? own?.components ?? [] : self.components.map(context.text)
    return ChannelStep.Repository(
      place: place.isURL ? .url(context.masked(place)) : .folder(path(place)), suite: isFlat ? nil : suite,
      components: isFlat ? [] : components, key: key.map(path) ?? own?.key,
      // Another key has another fingerprint.
      fingerprint: fingerprint ?? (key == nil ? own?.fingerprint : nil),
      isServed: !place.isURL && (isServed ?? own?.isServedFolder ?? (channel == .pypi)))
  }
}

extension ChannelStep.Repository {
  /// Whether its folder is served; `nil` where it is no folder.
  fileprivate var isServedFolder: Bool? {
    if case .folder = place { isServed } else { nil }
  }
}

extension Template {
  /// Where an AppImage is.
  func appImage(_ context: CellContext, base: String) -> ChannelStep.AppImage.Place {
    isURL ? .url(context.masked(self)) : .file(Path.absolute(context.text(self), in: base))
  }

  /// Whether it is the suite of an APT repository that has none, as it is written in what apt reads.
  var isFlatSuite: Bool { constant == "./" || constant == "/" }

  /// Whether it begins as a URL of a repository does.
  var isURL: Bool {
    guard case .text(let text)? = parts.first else { return false }
    return ["https://", "http://"].contains { text.hasPrefix($0) }
  }
}

extension StepTemplate.Expected {
  fileprivate func expectation(_ context: CellContext) -> Expectation {
    Expectation(kind: kind, text: context.masked(text), location: span.location)
  }
}

extension StepTemplate.Check {
  fileprivate func check(_ context: CellContext) -> CheckStep {
    switch self {
    case .command(let name): .command(name: context.text(name))
    case .file(let file):
      .file(
        FileCheck(
          path: context.text(file.path), kind: file.kind, mode: file.mode, owner: file.owner.map(context.text),
          contains: file.contains.map(context.masked), sha256: file.sha256.map(context.text)))
    case .package(let package, let version):
      .package(
        name: package.names(context.distro.family).map(context.text).first ?? "",
        version: version.map(context.masked))
    case .service(let name, let state): .service(name: context.text(name), state: state)
    case .port(let number, let transport, let open): .port(number: number, transport: transport, open: open)
    case .user(let user):
      .user(
        UserCheck(
          name: context.text(user.name), exists: user.exists, home: user.home.map(context.text),
          shell: user.shell.map(context.text), groups: user.groups.map(context.text)))
    case .process(let name, let running): .process(name: context.text(name), running: running)
    }
  }
}
