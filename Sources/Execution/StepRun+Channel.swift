import MusterCatalog
import MusterChannels
import MusterGuest
import MusterHost
import MusterMachines
import MusterMatrix

/// The parts of a channel's step. What goes wrong with a release's own repository, packages and scripts is the release's
/// fault; what goes wrong with the network, the hosts of others and the machine never is.
extension StepRun {
  func perform(_ channel: ChannelStep, _ part: ChannelPart, _ number: Int, log: StepLog) async throws -> Verdict {
    if part == .check(.scripts) {
      return Self.verdict(ofScript: troubles.script, hint: ChannelStep.Check.scripts.advice)
    }
    let script = channel.script(for: part, number: number, family: cell.family)
    if !script.facts.isEmpty {
      let verdict = try await perform(script, subject: step.title, what: part.noun, log: log)
      guard case .failed(var reason, let mismatch) = verdict else { return verdict }
      reason.hint = part.advice
      return .failed(reason, mismatch)
    }
    let ending = try await machine.guest.run(command(script, user: nil), deadline: nil) { stream, bytes in
      try log.append(bytes, from: stream)
    }
    if case .signaled = ending { try await lookForDeath() }
    if case .refuse(let refusal) = part { return verdict(of: ending, refusal, log) }
    if ending == .exited(0) {
      return part == .remove || part == .purge ? Self.verdict(ofScript: FailureSign.ofScript(log.text)) : .passed
    }
    if part == .fuse {
      return .ofPreparation(ending, output: log.text, lastLines: log.lastLines(5), family: cell.family)
    }
    let verdict = await ChannelFailure(
      part: part, channel: channel, name: "muster-\(number)", output: log.text, lastLines: log.lastLines(5),
      status: ending.status, family: cell.family
    ).verdict { await answers($0) }
    if case .appImage = channel.source, part == .install, case .failed = verdict {
      return .failed(Reason("the AppImage cannot unpack itself", evidence: log.lastLines(5)), nil)
    }
    return verdict
  }

  /// - Parameter line: By which a package manager that went on told of a script that failed; `nil` when none did.
  private static func verdict(ofScript line: String?, hint: String? = nil) -> Verdict {
    guard let line else { return .passed }
    return .failed(
      Reason(
        "a script of the package failed, though the package manager says that all is well", evidence: [line],
        hint: hint), nil)
  }

  /// A spoiled repository must be refused, and for what is wrong with it.
  private func verdict(of ending: GuestEnding, _ refusal: Lifecycle.Refusal, _ log: StepLog) -> Verdict {
    if ending == .exited(0) {
      return .failed(
        Reason(
          "\(refusal.description) is not refused", evidence: log.lastLines(1), hint: refusal.advice), nil)
    }
    if FailureSign.ofRefusal(log.text) != nil { return .passed }
    if let line = FailureSign.ofUnreachableMirror(log.text) {
      return .error(Reason("a mirror cannot be reached", evidence: [line], hint: "try again later", blame: .mirror))
    }
    return .failed(
      Reason("\(refusal.description) is refused, but not for that", evidence: log.lastLines(5)), nil)
  }

  /// Whether a script that asks for hosts reaches one of them from within the machine.
  private func answers(_ script: String) async -> Bool {
    let command = GuestCommand(script, shell: ["sh"])
    let ending = try? await machine.guest.run(command, deadline: .seconds(60)) { _, _ in }
    return ending == .exited(0)
  }
}

/// Why a part of a channel's step failed, and whose fault that is.
struct ChannelFailure {
  var part: ChannelPart
  var channel: ChannelStep
  /// What the repository is called in the package manager's settings.
  var name: String
  var output: String
  var lastLines: [String]
  var status: Int
  var family: Family

  /// - Parameter ask: Executes a script in the machine that ends with 0 if a host which has nothing to do with the
  ///   release can be reached.
  func verdict(_ ask: (String) async -> Bool) async -> Verdict {
    if let line = FailureSign.ofUnreachableMirror(output) { return await verdict(ofNetwork: line, ask) }
    if channel.channel == .homebrew, let line = FailureSign.ofUnreachableHost(output) {
      return await verdict(ofNetwork: line, ask)
    }
    if part == .download, let line = FailureSign.ofDownload(output) { return await verdict(ofNetwork: line, ask) }
    let sign = FailureSign.ofInstall(output, exit: status, family: family)
    let evidence = sign.map { [$0.line] } ?? lastLines
    let failed = { (message: String, hint: String?) in
      Verdict.failed(Reason(message, evidence: evidence, hint: hint), nil)
    }
    switch sign?.cause {
    case .diskFull:
      return .error(
        Reason(
          "the machine's disk is full", evidence: evidence, hint: "ask for more with 'resources: {disk: …}'",
          blame: .guest))
    case .clock: return .error(Reason("the machine's clock is wrong", evidence: evidence, blame: .guest))
    case .locked:
      return .error(
        Reason("another process holds the package manager's lock", evidence: evidence, blame: .guest))
    case .signature where evidence[0].contains("is expired"):
      return failed("\(place)'s index is too old", "sign a new Release file before 'Valid-Until' is over")
    case .signature:
      return failed(
        "\(place)'s signature is not accepted", "sign it with the key that 'key' names, and publish both together")
    case .checksum:
      return failed(
        "\(place) is not what its digest says", "publish a file under its address once, and write its digest anew")
    case .network:
      return isRemote
        ? await verdict(ofNetwork: evidence[0], ask)
        : failed(
          "\(place) is not in order", "make its index anew after every change of what is in it, and sign it last")
    case .prompt:
      return failed(
        "the upgrade asks about a configuration file that nobody changed",
        "a script of the package must not change a file that the package ships as a configuration file")
    case .architecture:
      return failed(
        "the package is not for this architecture", "build it for each architecture that it is published for")
    case .noSuchPackage where evidence.contains { $0.contains("is to be installed") }:
      return failed(
        "what the release depends on is here in another version",
        "depend on what this distro has; or name all of the release's packages in 'install', so that they come in one version"
      )
    case .noSuchPackage where evidence.contains { $0.contains("nothing provides") || $0.contains("Depends:") }:
      return failed(
        "what the release depends on does not exist here", "depend on what this distro has, by its name there")
    case .noSuchPackage: return failed("a package that is asked for does not exist", nil)
    case .conflict:
      return failed(
        "a file of the package belongs to another package already", "declare the conflict, or move the file")
    case .scriptlet: return failed("a script of the package failed", "run it by hand: 'muster run --keep failed'")
    case nil:
      return failed(
        part == .refresh
          ? "the repository cannot be used: exit status \(status)" : "\(part.failure): exit status \(status)", nil)
    }
  }

  private var place: String { part == .refresh ? "the repository" : "the release" }

  /// Whether the repository is on a host of its publisher's.
  private var isRemote: Bool {
    switch channel.source {
    case .repository(let repository): if case .url = repository.place { true } else { false }
    case .appImage(let image): if case .url = image.place { true } else { false }
    case .formula: true
    default: false
    }
  }

  /// Whether a line is about the release's repository, and not about what the distro itself has.
  private func isOwn(_ line: String) -> Bool {
    // pip names no host, and asks PyPI for what the release depends on.
    if channel.channel == .pypi {
      let path = line.lowercased().replacing("_", with: "-")
      return !line.hasPrefix("WARNING: Retrying") || channel.packages.contains { path.contains($0.lowercased()) }
    }
    if part == .refresh || line.contains(name) || line.contains("/var/lib/muster/") {
      return true
    }
    if part == .download { return FailureSign.ofDownload(line) != nil }
    if case .formula = channel.source { return part != .bring && !Homebrew.hosts.contains { line.contains($0) } }
    guard case .repository(let repository) = channel.source else { return false }
    guard case .url(let url) = repository.place else { return repository.isServed && line.contains("127.0.0.1:") }
    let host = url.description.split(separator: "/").dropFirst().first?.split(separator: "@").last ?? ""
    return !host.isEmpty && line.contains(host)
  }

  /// Trouble with a host: the publisher's, if another answers at the same time.
  private func verdict(ofNetwork line: String, _ ask: (String) async -> Bool) async -> Verdict {
    guard isOwn(line) else {
      return .error(Reason("a mirror cannot be reached", evidence: [line], hint: "try again later", blame: .mirror))
    }
    // What changes on the way is a fault of the way; what is wrong where it lies is the release's.
    if !isRemote || FailureSign.tellsOfWrongDigest(line) {
      return .failed(
        Reason(
          "\(place) is not in order", evidence: [line],
          hint: "make its index anew after every change of what is in it, and sign it last"), nil)
    }
    return await ask(ControlHost.script(of: family))
      ? .error(
        Reason(
          "the host that the release is published on does not give it, while others can be reached", evidence: [line],
          hint: "look whether it is there, at the very address in the matrix", blame: .publisher))
      : .error(
        Reason(
          "the host that the release is published on cannot be reached, nor can others", evidence: [line],
          hint: "look at the network of this host, and try again", blame: .mirror))
  }
}
