import MusterCatalog
import MusterHost
import MusterMachines
import MusterMatrix

/// One attempt of a cell: a fresh machine, the steps in it, and its end, whatever happened.
struct AttemptRun: Sendable {
  let context: RunContext
  let cell: Cell
  let plan: CellPlan
  let image: ImageDescription
  /// From 1.
  let number: Int
  /// Where its logs are, relative to the run's output folder.
  let folder: String
  let countdown: Countdown
  /// Whether the machine may be kept if the attempt does not end as expected.
  let mayKeep: @Sendable (Ending) -> Bool

  func perform() async -> Ending {
    do {
      try FileSystem.createFolder(context.path(folder))
    } catch {
      return .error(error, endsRun: true)
    }
    let launch = LaunchRun(attempt: self)
    let (name, result) = await launch.perform()
    var ending: Ending
    switch result {
    case .failure(let end): ending = end.ending
    case .success(let machine):
      let steps = await performSteps(in: machine)
      ending = steps.ending
      await collect(from: machine, after: steps)
      await end(machine, after: ending)
    }
    do {
      try maskLogs()
    } catch {
      ending.endsRun = true
    }
    await context.tell(
      .attemptFinished(
        AttemptFinished(
          cell: cell.name, attempt: number, machine: name.text, outcome: ending.outcome, reason: ending.reason,
          log: folder)))
    return ending
  }

  // MARK: - Steps

  /// What the steps came to.
  struct Steps: Sendable {
    var ending = Ending(outcome: .passed, reason: nil)
    var isMachineDead = false
    /// Files that were to be fetched by steps that were not come to.
    var unfetched: [FetchStep] = []
  }

  private func performSteps(in machine: any Machine) async -> Steps {
    var steps = Steps()
    var troubles = StepTroubles()
    for phase in plan.phases where !phase.steps.isEmpty {
      let name: PhaseName =
        switch phase.kind {
        case .provision: .provision
        case .verify: .verify
        case .lifecycle: .lifecycle
        }
      if steps.ending.outcome != .passed {
        steps.unfetched += phase.steps.fetches
        continue
      }
      let stopwatch = Stopwatch()
      await context.tell(.phaseStarted(cell: cell.name, attempt: number, phase: name))
      for (index, step) in phase.steps.enumerated() {
        if Task.isCancelled {
          steps.ending = .cancelled
          break
        }
        let end = await StepRun(
          context: context, cell: plan, attempt: number, folder: folder, machine: machine, phase: name,
          number: index + 1, step: step, cellCountdown: countdown, troubles: troubles
        ).perform()
        troubles = end.troubles
        if end.step.outcome == .passed { continue }
        steps.isMachineDead = end.isMachineDead
        steps.ending = Ending(
          outcome: end.step.outcome, reason: end.step.reason, canPass: Self.canPass(end.step),
          endsRun: end.isHostUnable, step: end.step.title)
        steps.unfetched = phase.steps[(index + 1)...].fetches
        break
      }
      await context.tell(
        .phaseFinished(cell: cell.name, attempt: number, phase: name, seconds: stopwatch.elapsed.seconds))
    }
    return steps
  }

  /// Whether a fresh machine may do better. What is wrong in the matrix, in the image or on this host stays wrong.
  private static func canPass(_ step: StepFinished) -> Bool {
    switch step.reason?.blame {
    case .matrix, .image, .host: false
    case .backend, .guest, .mirror, .publisher, nil: step.outcome != .cancelled
    }
  }

  // MARK: - The machine's end

  /// Purges the machine, or keeps it. Nothing of it changes how the attempt ended.
  private func end(_ machine: any Machine, after ending: Ending) async {
    let stopwatch = Stopwatch()
    await context.tell(.phaseStarted(cell: cell.name, attempt: number, phase: .purge))
    if !(mayKeep(ending) ? await keep(machine) : false) { await purge(machine) }
    await context.tell(
      .phaseFinished(cell: cell.name, attempt: number, phase: .purge, seconds: stopwatch.elapsed.seconds))
  }

  private func keep(_ machine: any Machine) async -> Bool {
    let path = await bounded(
      context.scale.time(context.options.pauses.purge), hurried: .zero, after: context.interruption.interrupted
    ) { try? await machine.keep() }
    guard case .some(.some(let path)) = path else { return false }
    context.custody.kept(machine.name, path: path)
    await context.tell(.machineKept(cell: cell.name, machine: machine.name.text, path: path))
    return true
  }

  private func purge(_ machine: any Machine) async {
    let limit = context.scale.time(context.options.pauses.purge)
    let result = await bounded(
      limit, hurried: context.options.pauses.hurriedPurge, after: context.interruption.interrupted
    ) { () async -> Reason? in
      do {
        try await machine.purge()
        return nil
      } catch let failure as Failure {
        return Reason(failure)
      } catch {
        return Reason("\(error)", blame: .backend)
      }
    }
    switch result {
    case .some(nil):
      context.custody.purged(machine.name)
      await context.tell(.machinePurged(cell: cell.name, machine: machine.name.text))
    case .some(.some(let reason)):
      await context.tell(.machineLeft(cell: cell.name, machine: machine.name.text, reason: reason))
    case nil:
      await context.tell(.machineLeft(cell: cell.name, machine: machine.name.text, reason: .notPurgedYet))
    }
  }

  /// What the backend wrote (the console above all) may hold what a script printed.
  private func maskLogs() throws(Failure) {
    let mask = context.secrets.mask
    if mask.isEmpty { return }
    let path = context.path(folder)
    for entry in try FileSystem.names(in: path) {
      if entry.hasSuffix(".log") { try mask.apply(toFile: "\(path)/\(entry)") }
      guard entry.hasPrefix("launch-") else { continue }
      for name in try FileSystem.names(in: "\(path)/\(entry)") { try mask.apply(toFile: "\(path)/\(entry)/\(name)") }
    }
  }
}

extension Sequence<Step> {
  fileprivate var fetches: [FetchStep] {
    compactMap { if case .fetch(let fetch) = $0.action { fetch } else { nil } }
  }
}

extension Reason {
  /// The guardian goes on with it when the run has ended.
  static let notPurgedYet = Reason(
    "it is not purged yet",
    hint: "a process goes on with it; if 'muster list' still shows it later, run 'muster clean'",
    blame: .backend)
}
