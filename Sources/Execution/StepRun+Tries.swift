import MusterChannels
import MusterGuest
import MusterHost
import MusterMachines
import MusterMatrix
import Synchronization

extension StepRun {
  /// How often a mirror is asked in all, by steps that Muster itself makes.
  private static let mirrorTries = 3

  func performTries(_ tries: Tries, log: StepLog, countdown: Countdown) async throws -> Verdict {
    while true {
      let count = tries.begin()
      log.begin()
      try log.note(heading(count))
      let verdict = try await performOnce(tries, log: log, countdown: countdown)
      for stream in [GuestStream.stdout, .stderr] { _ = try log.end(stream) }
      tries.end(verdict.reason)
      guard let reason = verdict.reason, let pause = pause(after: count, verdict) else { return verdict }
      await context.tell(.stepRetried(cell: cell.cell, attempt: attempt, title: step.title, reason: reason))
      try log.note(["# try \(count): \(reason.message); again in \(pause.human)"])
      try await context.pause(pause, of: cell.cell)
    }
  }

  /// How long to wait before the next try; `nil` when there is none.
  private func pause(after count: Int, _ verdict: Verdict) -> Duration? {
    switch verdict {
    case .passed: return nil
    case .failed: break
    case .error(let reason):
      if step.action.asksMirrors, reason.blame == .mirror || reason.blame == .publisher, count < Self.mirrorTries {
        return Pauses.growing(context.options.pauses.mirror, after: count, factor: 3)
      }
      guard reason.blame == .mirror || reason.blame == .guest else { return nil }
    }
    return count <= step.retry.count ? Pauses.growing(step.retry.delay, after: count) : nil
  }

  private func heading(_ count: Int) -> [String] {
    let title =
      count == 1
      ? ["# \(phase.rawValue) \(number): \(step.title)", "# \(step.location), \(Timestamp.now.iso8601())"]
      : ["# try \(count), \(Timestamp.now.iso8601())"]
    let lines = step.explanation(for: cell.family)
    return title + lines.map { $0.hasPrefix("# ") ? $0 : "$ \($0)" }
  }

  private func performOnce(_ tries: Tries, log: StepLog, countdown: Countdown) async throws -> Verdict {
    do {
      switch step.action {
      case .run(let run): return try await perform(run, log: log, countdown: countdown)
      case .wait(let wait): return try await perform(wait, tries, log: log)
      case .install(let install): return try await perform(install, log: log)
      case .channel(let channel, let part, let number):
        // What is executed was taken apart when the cell began.
        guard let part else { return .error(Reason("'\(step.title)' was not taken apart")) }
        return try await perform(channel, part, number, log: log)
      case .check(let check):
        let script = check.script(for: cell.family)
        return try await perform(script, subject: check.subject, what: nil, log: log)
      case .copy(let copy): return try await perform(copy)
      case .fetch(let fetch): return try await Artifacts(folder: context.path(folder)).fetch(fetch, machine.guest)
      case .reboot:
        try await machine.reboot(deadline: min(countdown.remaining, cellCountdown.remaining))
        return .passed
      }
    } catch let error as GuestError where error.code == .unreachable || error.code == .transfer {
      try await lookForDeath()
      return .error(Reason(error.message, blame: .guest))
    }
  }

  /// A machine that does not answer may be about to be known as dead, with a better reason.
  /// - Parameter countdown: What must not be used up by it.
  /// - Throws: `MachineDeath`.
  func lookForDeath(before countdown: Countdown? = nil) async throws {
    let patience = context.options.pauses.death
    let time = countdown.map { min(patience, $0.remaining / 2) } ?? patience
    let death = await withTaskGroup(of: Failure?.self) { group in
      group.addTask { [machine] in await machine.death() }
      group.addTask {
        try? await Task.sleep(for: time, clock: .awake)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
    if let death { throw MachineDeath(failure: death) }
  }

  // MARK: - The kinds of steps

  private func perform(_ run: RunStep, log: StepLog, countdown: Countdown) async throws -> Verdict {
    let command = command(run.script, shell: run.shell)
    let ending = Mutex<GuestEnding?>(nil)
    let verdict = try await run.judged(log: log, secrets: context.secrets) { output in
      let result = try await machine.guest.run(command, deadline: nil, output: output)
      ending.withLock { $0 = result }
      return result
    }
    if case .signaled = ending.withLock({ $0 }), !verdict.isPassed { try await lookForDeath(before: countdown) }
    guard case .failed(let reason, let mismatch) = verdict, mismatch?.subject == "exit status",
      let line = unreachable(log.text)
    else { return verdict }
    return .error(
      Reason(
        "\(reason.message): a mirror or host could not be reached", evidence: [line],
        hint: "try again when it can be reached", blame: .mirror))
  }

  /// The line by which a failed script shows that it is the network's fault. What a package manager says of a mirror
  /// always counts. What a download tool says counts while the machine is provisioned, but not when the release is
  /// verified: there it is often the release that does not answer.
  private func unreachable(_ output: String) -> String? {
    if let line = FailureSign.ofUnreachableMirror(output) { return line }
    if phase == .provision, let line = FailureSign.ofUnreachableHost(output) { return line }
    return FailureSign.tellsOfUnknownPackage(output) ? troubles.mirror : nil
  }

  private func perform(_ wait: WaitStep, _ tries: Tries, log: StepLog) async throws -> Verdict {
    let command = command(wait.script, shell: wait.shell)
    while true {
      let ending = try await machine.guest.run(command, deadline: nil) { stream, bytes in
        try log.append(bytes, from: stream)
      }
      if ending == .exited(0) { return .passed }
      tries.end(Reason(ending.text, evidence: log.lastLines(3)))
      log.begin()
      try await Task.sleep(for: wait.interval, clock: .awake)
    }
  }

  private func perform(_ install: InstallStep, log: StepLog) async throws -> Verdict {
    let script = install.script(for: cell.family)
    let ending = try await machine.guest.run(command(script, user: nil), deadline: nil) { stream, bytes in
      try log.append(bytes, from: stream)
    }
    if ending == .exited(0) { return .passed }
    if case .signaled = ending { try await lookForDeath() }
    return .error(Reason(ofInstall: ending, output: log.text, family: cell.family))
  }

  /// Asks for facts, and compares them with what is expected.
  /// - Parameter what: What the first fact is called; `nil` where it says what the subject itself is like.
  func perform(_ script: GuestScript, subject: String, what: String?, log: StepLog) async throws -> Verdict {
    let output = Mutex<[UInt8]>([])
    let ending = try await machine.guest.run(command(script, user: step.user), deadline: nil) { stream, bytes in
      try log.append(bytes, from: stream)
      if stream == .stdout { output.withLock { $0 += bytes.prefix(max(0, 1 << 16 - $0.count)) } }
    }
    guard ending == .exited(0) else {
      return .error(
        Reason("\(subject) cannot be checked here", evidence: log.lastLines(5), blame: .guest))
    }
    let answers = CheckAnswers(output.withLock { String(decoding: $0, as: UTF8.self) })
    for (index, fact) in script.facts.enumerated() {
      guard let actual = answers[fact] else {
        return .error(Reason("\(subject): the check does not tell its \(fact.name)", blame: .guest))
      }
      if fact.holds(actual, reveal: context.secrets.reveal) { continue }
      // The first fact says what the subject itself is like: exists, installed, active.
      let prefix = index == 0 ? "" : "\(fact.name) "
      let mismatch = Mismatch(
        subject: subject, expected: "\(prefix)\(fact.expectedText)", actual: "\(prefix)\(actual)",
        location: step.location)
      let evidence = what == nil ? [] : log.lastLines(5)
      // What is looked at of a release says by itself what is wrong, but for a version.
      let expectation = what != nil && index == 0 ? "" : ", expected \(mismatch.expected)"
      return .failed(Reason("\(subject): \(mismatch.actual)\(expectation)", evidence: evidence), mismatch)
    }
    return .passed
  }

  private func perform(_ copy: CopyStep) async throws -> Verdict {
    guard try FileSystem.information(copy.from) != nil else {
      return .error(
        Reason(
          "'\(copy.from)' does not exist on this host", hint: "build it first, or let 'setup' do it with --setup",
          blame: .matrix))
    }
    try await machine.guest.upload(copy.from, to: copy.to, mode: copy.mode, owner: copy.owner, deadline: nil)
    return .passed
  }

  // MARK: - Commands

  /// A person's script, with the secrets that it names in its environment.
  private func command(_ script: MaskedText, shell: [String]) -> GuestCommand {
    GuestCommand(
      script.description, shell: shell, user: step.user, directory: step.directory.map(context.secrets.reveal),
      environment: step.variables(secrets: script.secrets, context.secrets))
  }

  func command(_ script: GuestScript, user: String?) -> GuestCommand {
    GuestCommand(
      script.script, shell: script.shell, user: user,
      environment: step.variables(secrets: script.secrets, context.secrets))
  }
}

extension Step.Action {
  /// Whether mirrors are asked by Muster's own commands, which ask again by themselves.
  fileprivate var asksMirrors: Bool {
    switch self {
    case .install: true
    case .channel(_, let part?, _): part.asksHosts
    default: false
    }
  }
}

extension Step {
  /// The step's environment, each name once. A secret that a script names wins over a variable of the same name: the
  /// script means the secret.
  func variables(secrets names: [String], _ secrets: Secrets) -> [GuestCommand.Variable] {
    var variables: [GuestCommand.Variable] = []
    let all =
      environment.map { ($0.name, secrets.reveal($0.value)) } + names.map { ($0, secrets.value($0)) }
    for (name, value) in all {
      variables.removeAll { $0.name == name }
      variables.append(GuestCommand.Variable(name: name, value: value))
    }
    return variables
  }
}
