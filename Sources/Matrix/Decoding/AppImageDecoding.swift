import MusterDiagnostics
import MusterYAML

/// `appimage: {file: dist/Greeter-x86_64.AppImage, command: greeter, run: mounted}`.
extension MatrixDecoder {
  static let appImageKeys = ["file", "command", "run", "sha256", "version", "checks"]

  func appImage(_ mapping: Mapping, at span: Span, _ scope: Scope) -> StepTemplate.Channel? {
    var run: Setting<ChannelStep.AppImage.Run>? = .fixed(.mounted)
    if let node = mapping["run"] {
      run = setting(node, "a way to run", scope) { text throws(ValueProblem) in
        guard let run = ChannelStep.AppImage.Run(rawValue: text) else { throw Self.unknownRun(text) }
        return run
      }
    }
    let sha256 = mapping["sha256"].flatMap { node in
      constant(node, "a checksum") { text throws(ValueProblem) in try PlainValues.digest(text, count: 64) }
    }
    let version = mapping["version"].flatMap { self.version($0, scope) }
    let checks = mapping["checks"].map { channelChecks($0, of: .appimage) } ?? ChannelStep.Channel.appimage.checks
    guard let file = mapping["file"] else {
      if lacks(mapping, "file", known: Self.appImageKeys) {
        report("'appimage' needs 'file'", at: span, hint: "add 'file: …', a path of this host or a URL")
      }
      return nil
    }
    guard let place = appImagePlace(file, scope) else { return nil }
    guard let command = command(mapping["command"], of: place, at: file.span), let run else { return nil }
    return StepTemplate.Channel(
      channel: .appimage,
      source: .appImage(StepTemplate.Channel.AppImage(place: place, command: command, run: run, sha256: sha256)),
      packages: [], version: version, checks: checks, base: directory(of: span))
  }

  /// A path of this host or a URL.
  func appImagePlace(_ node: Node, _ scope: Scope) -> Template? {
    guard let place = template(node, "a path", scope, .all) else { return nil }
    check(place, at: node.span, scope) { text throws(ValueProblem) in
      try HostPath.checkPlace(text, "an AppImage", isURL: place.isURL)
    }
    return place
  }

  private static func unknownRun(_ text: String) -> ValueProblem {
    ValueProblem(
      "unknown way to run \(quoted(text))",
      hint: Nearest.hint(text, among: ChannelStep.AppImage.Run.allCases.map(\.rawValue), listing: "the ways are"))
  }

  /// What it is called in the machine: as the matrix says, or as its file's name begins.
  private func command(_ node: Node?, of file: Template, at span: Span) -> String? {
    if let node {
      return constant(node, "the name of a command") { text throws(ValueProblem) in
        guard PlainValues.isName(text) else {
          throw ValueProblem(
            "\(quoted(text)) cannot be the name of a command", hint: "use letters, digits, '.', '-' and '_'")
        }
        return text
      }
    }
    let command = file.commandName
    if command == nil {
      report(
        "the name of the file does not tell what the command is called", at: span, hint: "add 'command: …' to the step")
    }
    return command
  }
}

extension Template {
  /// `greeter` of `dist/Greeter-1.2.0-x86_64.AppImage`: the file's name to its first `-`, `_` or `.`, in lower case.
  /// `nil` where the name does not begin with such a word, or with one that differs between cells.
  fileprivate var commandName: String? {
    var name = ""
    for part in parts {
      if case .text(let text) = part { name += text } else { name += "\u{0}" }
    }
    if isURL, let query = name.firstIndex(where: { $0 == "?" || $0 == "#" }) { name = String(name[..<query]) }
    let file = name.split(separator: "/").last ?? ""
    guard let end = file.firstIndex(where: { "-_.".contains($0) }) else { return nil }
    let word = file[..<end].lowercased()
    return PlainValues.isName(word) ? word : nil
  }
}
