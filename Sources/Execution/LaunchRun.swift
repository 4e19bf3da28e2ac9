import MusterHost
import MusterMachines
import MusterMatrix

/// The launch of one of an attempt's machines, tried again on what can pass.
struct LaunchRun: Sendable {
  let attempt: AttemptRun
  /// What the machine is to be like.
  let resources: Resources
  /// Its place among the attempt's machines; `nil` where it is the only one.
  let place: Place?

  /// The place of one of several machines.
  struct Place: Sendable {
    /// Its name in the matrix.
    var name: String
    var index: Int
    var count: Int
    /// The first one's workspace, once that is there.
    var folder: String?
  }

  private var context: RunContext { attempt.context }
  private var plan: CellPlan { attempt.plan }
  private var cell: String { attempt.cell.name }

  /// No machine came of it.
  struct NoMachine: Error {
    var ending: Ending
  }

  /// What came of it: also the name and the workspace of the last machine that was tried.
  struct Launched: Sendable {
    var name: MachineName
    var workspace: String
    var result: Result<any Machine, NoMachine>
  }

  func perform(_ firstName: MachineName) async -> Launched {
    var name = firstName
    var workspace = Workspaces.newPath()
    var count = 1
    var result = await launch(name, workspace, count)
    while case .failure(let failure) = result, failure.canPass, !Task.isCancelled, plan.attempts.launch > count,
      attempt.countdown.remaining > .zero
    {
      await context.tell(.launchRetried(cell: cell, attempt: attempt.number, reason: Reason(failure)))
      let pause = Pauses.growing(context.options.pauses.launch, after: count)
      try? await context.pause(min(pause, attempt.countdown.remaining), of: cell)
      if Task.isCancelled { break }
      count += 1
      name = attempt.newName(place?.name)
      workspace = Workspaces.newPath()
      result = await launch(name, workspace, count)
    }
    if case .success(let machine) = result {
      await context.tell(.machineLaunched(cell: cell, machine: machine.name.text, start: machine.start))
    }
    let isCancelled = Task.isCancelled
    return Launched(
      name: name, workspace: workspace,
      result: result.mapError { NoMachine(ending: isCancelled ? .cancelled : .error($0)) })
  }

  private func relic(_ name: MachineName, _ workspace: String) -> Relic {
    Relic(name: name, backend: context.backend.name, workspace: workspace, place: context.backend.place)
  }

  private func launch(
    _ name: MachineName, _ workspace: String, _ count: Int
  ) async -> Result<any Machine, Failure> {
    // The logs of a failed launch stay beside those of the next.
    let folder = attempt.folder + (place.map { "/\($0.name)" } ?? "")
    let logs = context.path(count == 1 ? folder : "\(folder)/launch-\(count)")
    do {
      try FileSystem.createFolder(logs)
      try await context.custody.begin(relic(name, workspace))
      try Workspaces.create(workspace)
    } catch {
      return .failure(error)
    }
    let layers: [MachineLayer]
    do {
      layers = context.options.cold || context.options.withoutCache ? [] : try await plan.machineLayers()
    } catch {
      return .failure(error as? Failure ?? Failure(.host, "what is kept of steps cannot be told: \(error)"))
    }
    let countdown = Countdown(
      "launch", plan.timeouts.launch, scale: context.scale, grace: context.options.pauses.launchGrace)
    let request = LaunchRequest(
      name: name, image: attempt.image, cpus: resources.cpus, memory: resources.memory, disk: resources.disk,
      logs: logs, workspace: workspace, deadline: min(countdown.limit, attempt.countdown.remaining),
      network: place.map { MachineNetwork(count: $0.count, index: $0.index, folder: $0.folder ?? workspace) },
      layers: layers, isCold: context.options.cold || plan.start == .cold)
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
    let relic = relic(name, workspace)
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
