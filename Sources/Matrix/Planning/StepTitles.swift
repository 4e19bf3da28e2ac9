import MusterCatalog

extension StepTemplate {
  /// A short line for people: the step's name, or what it does.
  func title(_ context: CellContext) -> String {
    title(in: context.distro.family) { context.text($0) }
  }

  /// The title of a step on the host.
  func title(outsideCells text: (Template) -> String) -> String { title(in: nil, text) }

  /// The title, if it is the same in every cell.
  var constantTitle: String? {
    var isOpen = false
    let title = title(in: nil) { template in
      if template.constant == nil { isOpen = true }
      return template.constant ?? ""
    }
    return isOpen || title.isEmpty ? nil : title
  }

  private func title(in family: Family?, _ text: (Template) -> String) -> String {
    if let name = details?.name { return Self.line(text(name)) }
    return switch action {
    case .run(let run): "run " + Self.line(text(run.script))
    case .copy(let copy): Self.line("copy \(text(copy.from)) to \(text(copy.to))")
    case .fetch(let from, _, _): Self.line("fetch \(text(from))")
    case .install(let packages): Self.packages(packages, in: family, text).map { Self.line("install \($0)") } ?? ""
    case .channel(let channel): Self.line(channel.title(text))
    case .check(let check): check.title(in: family, text).map { Self.line("check \($0)") } ?? ""
    case .reboot: "reboot"
    case .wait(let script, _, _): "wait until " + Self.line(text(script))
    }
  }

  /// The names of packages; `nil` where they depend on a family that is not known.
  fileprivate static func packages(
    _ packages: [Package], in family: Family?, _ text: (Template) -> String
  ) -> String? {
    var names: [String] = []
    for package in packages {
      switch (package, family) {
      case (.named(let name), _): names.append(text(name))
      case (.perFamily, let family?): names += package.names(family).map(text)
      case (.perFamily, nil): return nil
      }
    }
    return names.isEmpty ? "nothing" : names.joined(separator: " ")
  }

  /// The first line of a text that says something, cut to a title's length; `…` stands for what is left out.
  private static func line(_ text: String) -> String {
    var rest = text.unicodeScalars.drop { $0.properties.isWhitespace }[...]
    while rest.last?.properties.isWhitespace ?? false { rest.removeLast() }
    let first = rest.prefix { $0 != "\n" && $0 != "\r" }.prefix(100)
    var line = ""
    for scalar in first { line.unicodeScalars.append(scalar.properties.generalCategory == .control ? " " : scalar) }
    return first.endIndex < rest.endIndex ? line + " …" : line
  }
}

extension StepTemplate.Channel {
  fileprivate func title(_ text: (Template) -> String) -> String {
    let what =
      switch source {
      case .file(let path) where packages.isEmpty: text(path).split(separator: "/").last.map(String.init) ?? ""
      case .appImage(let image): image.command
      case .pkgbuild(let path) where packages.isEmpty: "PKGBUILD of \(text(path))"
      default: packages.map(text).joined(separator: " ")
      }
    return "\(channel.rawValue) \(what)" + (version.map { " " + text($0) } ?? "")
  }
}

extension StepTemplate.Check {
  fileprivate func title(in family: Family?, _ text: (Template) -> String) -> String? {
    switch self {
    case .command(let name): "command \(text(name))"
    case .file(let file): "file \(text(file.path))\(file.kind == .absent ? " is absent" : "")"
    case .package(let package, let version):
      StepTemplate.packages([package], in: family, text).map { name in
        "package \(name)\(version.map { " " + text($0) } ?? "")"
      }
    case .service(let name, let state): "service \(text(name)) is \(state.rawValue)"
    case .port(let number, let transport, let open):
      "port \(number)/\(transport.rawValue) is \(open ? "open" : "closed")"
    case .user(let user): "user \(text(user.name))\(user.exists ? "" : " does not exist")"
    case .process(let name, let running): "process \(text(name))\(running ? "" : " does not run")"
    }
  }
}
