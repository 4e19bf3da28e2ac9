import MusterGuest
import MusterHost
import MusterMachines
import MusterMatrix

/// The matrix's setup steps, on this host: they make what is tested.
struct SetupRun: Sendable {
  let context: RunContext

  /// A reason if one of them did not pass: then there is nothing to test.
  func perform() async -> Reason? {
    for (index, step) in context.plan.setup.enumerated() {
      await context.tell(.working("setup: \(step.title)"))
      let finished = await perform(step, number: index + 1)
      await context.tell(.setupFinished(finished))
      if finished.outcome == .passed { continue }
      if finished.outcome == .cancelled { return nil }
      return Reason(
        "the setup step '\(step.title)' did not pass: \(finished.reason?.message ?? finished.outcome.rawValue)",
        evidence: finished.reason?.evidence ?? [], hint: finished.log.map { "look into \($0)" },
        blame: finished.reason?.blame ?? .matrix)
    }
    return nil
  }

  private func perform(_ step: Step, number: Int) async -> StepFinished {
    let stopwatch = Stopwatch()
    var finished = StepFinished(title: step.title, location: step.location, outcome: .passed, seconds: 0)
    do {
      guard case .run(let run) = step.action, step.user == nil else {
        throw Failure(.matrix, "setup can only have 'run' steps, without 'as'")
      }
      let log = try StepLog(
        "setup-\(number)-\(Slug.make(step.title)).log", in: context.options.output, limit: 64 << 20,
        mask: context.secrets.mask)
      finished.log = log.name
      try log.note(
        ["# setup \(number): \(step.title)", "# \(step.location), \(Timestamp.now.iso8601())"]
          + run.script.description.split(separator: "\n").map { "$ \($0)" })
      let verdict = try await perform(run, of: step, log: log)
      switch verdict {
      case .passed: break
      case .failed(let reason, let mismatch):
        (finished.outcome, finished.reason) = (.failed, reason)
        finished.mismatch = mismatch
      case .error(let reason): (finished.outcome, finished.reason) = (.error, reason)
      }
      if !verdict.isPassed { finished.tail = log.lastLines(20) }
      if !verdict.isPassed, Task.isCancelled { finished.outcome = .cancelled }
      try log.note(["# \(finished.outcome.rawValue) after \(stopwatch.elapsed.human)"])
      try log.finish()
    } catch {
      finished.outcome = Task.isCancelled ? .cancelled : .error
      finished.reason =
        (error as? Failure).map { Reason($0) } ?? Reason("\(error)", blame: .host)
    }
    finished.seconds = stopwatch.elapsed.seconds
    return finished
  }

  private func perform(_ run: RunStep, of step: Step, log: StepLog) async throws -> Verdict {
    // The script is a file, as it is in a machine: so every interpreter reads it the same way.
    let folder = try FileSystem.createTemporaryFolder("muster-setup")
    defer { try? FileSystem.removeTree(folder) }
    try FileSystem.write(run.script.description, to: "\(folder)/script", mode: 0o600)
    let variables = step.variables(secrets: run.script.secrets, context.secrets)
    let command = HostCommand(
      run.shell.first ?? "sh", run.shell.dropFirst() + ["\(folder)/script"],
      environment: Dictionary(variables.map { ($0.name, $0.value) }) { $1 },
      directory: step.directory.map(context.secrets.reveal) ?? context.plan.directory)
    do {
      return try await run.judged(log: log, secrets: context.secrets) { output in
        let ending = try await command.run(deadline: step.timeout) { stream, bytes in
          try await output(stream == .stdout ? .stdout : .stderr, bytes)
        }
        return switch ending {
        case .exited(let status): .exited(Int(status))
        case .signaled(let signal): .signaled(Int(signal))
        }
      }
    } catch let error as HostCommandError {
      if case .timedOut(_, let time) = error { return .failed(Reason("not done within \(time.human)"), nil) }
      return .error(Reason("\(error)", blame: .host))
    }
  }
}
