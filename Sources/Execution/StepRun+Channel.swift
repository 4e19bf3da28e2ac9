import MusterCatalog
import MusterChannels
import MusterGuest
import MusterHost
import MusterMachines
import MusterMatrix
import Synchronization

/// The parts of a channel's step. What goes wrong with a release's own repository, packages and scripts is the release's
/// fault; what goes wrong with the network, the distro's mirrors and the machine never is.
extension StepRun {
  func perform(_ channel: ChannelStep, _ part: ChannelPart, _ number: Int, log: StepLog) async throws -> Verdict {
    let script = channel.script(for: part, number: number, family: cell.family)
    if case .check(let check) = part {
      return try await perform(script, subject: "\(step.title)", what: check.rawValue, log: log)
    }
    let ending = try await machine.guest.run(command(script, user: nil), deadline: nil) { stream, bytes in
      try log.append(bytes, from: stream)
    }
    if case .signaled = ending { try await lookForDeath() }
    if ending == .exited(0) {
      // Package managers say that all is well when a package's own script has failed.
      guard part == .install, let line = FailureSign.ofScript(log.text) else { return .passed }
      return .failed(
        Reason("a script of the package failed, though the package manager says that all is well", evidence: [line]),
        nil)
    }
    if part == .fuse {
      return .ofPreparation(ending, output: log.text, lastLines: log.lastLines(5), family: cell.family)
    }
    let verdict = verdict(of: ending, part, channel, log)
    if part == .download, case .failed = verdict {
      return .ofDownload(ending, output: log.text, lastLines: log.lastLines(5))
    }
    if case .appImage = channel.source, part == .install, case .failed = verdict {
      return .failed(Reason("the AppImage cannot unpack itself", evidence: log.lastLines(5)), nil)
    }
    return verdict
  }

  private func verdict(
    of ending: GuestEnding, _ part: ChannelPart, _ channel: ChannelStep, _ log: StepLog
  ) -> Verdict {
    let status = if case .exited(let code) = ending { code } else { -1 }
    let output = log.text
    if let line = FailureSign.ofUnreachableMirror(output) {
      return .error(
        Reason(
          "a mirror or the repository's host cannot be reached", evidence: [line], hint: "try again later",
          blame: .mirror))
    }
    let sign = FailureSign.ofInstall(output, exit: status, family: cell.family)
    let evidence = sign.map { [$0.line] } ?? log.lastLines(5)
    let place = part == .refresh ? "the repository" : "the release"
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
    case .signature: return .failed(Reason("\(place)'s signature is not accepted", evidence: evidence), nil)
    case .network: return .failed(Reason("\(place) is not in order", evidence: evidence), nil)
    case .noSuchPackage where evidence.contains { $0.contains("nothing provides") }:
      return .failed(Reason("what the release depends on does not exist here", evidence: evidence), nil)
    case .noSuchPackage: return .failed(Reason("a package that is asked for does not exist", evidence: evidence), nil)
    case .scriptlet: return .failed(Reason("a script of the package failed", evidence: evidence), nil)
    case nil:
      let what = part == .install ? "it cannot be installed" : "\(place) cannot be used"
      return .failed(Reason("\(what): exit status \(status)", evidence: evidence), nil)
    }
  }
}
