import MusterHost
import MusterMachines
import MusterMatrix

/// The launch of an attempt's machine, tried again on what can pass.
struct LaunchRun: Sendable {
  let attempt: AttemptRun

  private var context: RunContext { attempt.context }
  private var plan: CellPlan { attempt.plan }
  private var cell: String { attempt.cell.name }

  /// No machine came of it.
  struct NoMachine: Error {
    var ending: Ending
  }

  /// The name is that of the last machine that was tried.
  func perform() async -> (name: MachineName, Result<any Machine, NoMachine>) {
    let stopwatch = Stopwatch()
    var name = newName()
    await context.tell(
      .attemptStarted(cell: cell, attempt: attempt.number, machine: name.text, log: attempt.folder))
    await context.tell(.phaseStarted(cell: cell, attempt: attempt.number, phase: .launch))
    var count = 1
    var result = await launch(name, count)
    while case .failure(let failure) = result, failure.canPass, !Task.isCancelled, plan.attempts.launch > count,
      attempt.countdown.remaining > .zero
    {
      await context.tell(.launchRetried(cell: cell, attempt: attempt.number, reason: Reason(failure)))
      let pause = Pauses.growing(context.options.pauses.launch, after: count)
      try? await Task.sleep(for: min(pause, attempt.countdown.remaining), clock: .awake)
      if Task.isCancelled { break }
      count += 1
      name = newName()
      result = await launch(name, count)
    }
    if case .success(let machine) = result {
      await context.tell(.machineLaunched(cell: cell, machine: machine.name.text))
    }
    await context.tell(
      .phaseFinished(cell: cell, attempt: attempt.number, phase: .launch, seconds: stopwatch.elapsed.seconds))
    let isCancelled = Task.isCancelled
    return (name, result.mapError { NoMachine(ending: isCancelled ? .cancelled : .error($0)) })
  }

  private func newName() -> MachineName {
    MachineName(
      test: plan.test, seconds: Int(Timestamp.now.milliseconds / 1000), processID: HostFacts.processID,
      limit: context.backend.nameLimit)
  }

  private func launch(_ name: MachineName, _ count: Int) async -> Result<any Machine, Failure> {
    // The logs of a failed launch stay beside those of the next.
    let logs = context.path(count == 1 ? attempt.folder : "\(attempt.folder)/launch-\(count)")
    let workspace = Workspaces.newPath()
    do {
      try FileSystem.createFolder(logs)
      try await context.custody.begin(Relic(name: name, backend: context.backend.name, workspace: workspace))
      try Workspaces.create(workspace)
    } catch {
      return .failure(error)
    }
    let countdown = Countdown(
      "launch", plan.timeouts.launch, scale: context.scale, grace: context.options.pauses.launchGrace)
    let request = LaunchRequest(
      name: name, image: attempt.image, cpus: plan.resources.cpus, memory: plan.resources.memory,
      disk: plan.resources.disk, logs: logs, workspace: workspace,
      deadline: min(countdown.limit, attempt.countdown.remaining))
    // A machine that becomes ready in the very moment in which time is over must not be lost.
    let machine = Promise<any Machine>()
    let result = await watched([countdown, attempt.countdown], warn: context.warning(of: cell)) {
      [backend = context.backend, context, cell] in
      machine.keep(
        try await backend.launch(request) { activity in
          await context.tell(.cellProgress(cell: cell, activity: activity))
        })
    }
    if let machine = machine.current { return .success(machine) }
    await undo(name, workspace)
    switch result {
    case .finished(.failure(let failure as Failure)): return .failure(failure)
    case .finished(.failure(let error)): return .failure(Failure(.backend, "the launch failed: \(error)"))
    case .timedOut(let countdown):
      return .failure(
        Failure(
          .backend,
          countdown.what == "cell"
            ? "the cell's time of \(countdown.text) is over before the machine is ready"
            : "the machine is not ready within \(countdown.text)",
          hint: "'timeouts: {\(countdown.what): …}' allows more", canPass: countdown.what == "launch"))
    case .finished(.success), .died: return .failure(Failure(.backend, "the launch gave no machine"))
    }
  }

  /// Ends what there may be of the machine: until it is proven gone, it stays on the ledger.
  private func undo(_ name: MachineName, _ workspace: String) async {
    let relic = Relic(name: name, backend: context.backend.name, workspace: workspace)
    let backends = BackendSet([context.backend])
    let reason = await bounded(
      context.scale.time(context.options.pauses.purge), hurried: context.options.pauses.hurriedPurge,
      after: context.interruption.interrupted
    ) { () async -> Reason? in
      do throws(Failure) {
        try await backends.purge(relic)
        return nil
      } catch {
        return Reason(error)
      }
    }
    if case .some(nil) = reason { return context.custody.purged(name) }
    await context.tell(.machineLeft(cell: cell, machine: name.text, reason: (reason ?? nil) ?? .notPurgedYet))
  }
}
