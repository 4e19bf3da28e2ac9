extension Step {
  /// The step with the addresses of machines in place, which are known once these are launched.
  package func addressed(_ address: (String) -> String) -> Step {
    var step = self
    step.directory = directory?.addressed(address)
    step.environment = environment.map { EnvironmentVariable(name: $0.name, value: $0.value.addressed(address)) }
    step.action = action.addressed(address)
    return step
  }
}

extension Step.Action {
  fileprivate func addressed(_ address: (String) -> String) -> Step.Action {
    switch self {
    case .run(var run):
      run.script = run.script.addressed(address)
      run.stdout = run.stdout.map { $0.addressed(address) }
      run.stderr = run.stderr.map { $0.addressed(address) }
      return .run(run)
    case .wait(var wait):
      wait.script = wait.script.addressed(address)
      return .wait(wait)
    case .check(.file(var file)):
      file.contains = file.contains?.addressed(address)
      return .check(.file(file))
    case .check(.package(let name, let version)):
      return .check(.package(name: name, version: version?.addressed(address)))
    case .channel(var channel, let part, let number):
      channel.version = channel.version?.addressed(address)
      channel.source = channel.source.addressed(address)
      return .channel(channel, part, number: number)
    case .copy, .fetch, .install, .check, .reboot: return self
    }
  }
}

extension Expectation {
  fileprivate func addressed(_ address: (String) -> String) -> Expectation {
    Expectation(kind: kind, text: text.addressed(address), location: location)
  }
}

extension ChannelStep.Source {
  fileprivate func addressed(_ address: (String) -> String) -> ChannelStep.Source {
    switch self {
    case .repository(var repository):
      if case .url(let url) = repository.place { repository.place = .url(url.addressed(address)) }
      return .repository(repository)
    case .appImage(var image):
      if case .url(let url) = image.place { image.place = .url(url.addressed(address)) }
      return .appImage(image)
    case .file, .pkgbuild, .userRepository, .formula: return self
    }
  }
}
