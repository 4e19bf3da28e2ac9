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
    let name = newName(plan.machines.first?.name)
    await context.tell(.attemptStarted(cell: cell.name, attempt: number, machine: name.text, log: folder))
    let launch = await launch(name)
    var ending: Ending
    var members = launch.members
    if let failure = launch.failure {
      ending = failure
    } else {
      var steps = await performSteps(in: &members)
      if steps.ending.outcome != .cancelled, !steps.ending.endsRun, let damage = await damage(of: members) {
        steps.ending = .error(damage, step: steps.ending.step)
      }
      ending = steps.ending
      await collect(from: members, after: steps)
    }
    if !members.isEmpty { await end(members, after: ending) }
    do {
      try maskLogs()
    } catch {
      ending.endsRun = true
    }
    await context.tell(
      .attemptFinished(
        AttemptFinished(
          cell: cell.name, attempt: number, machine: launch.name.text, outcome: ending.outcome, reason: ending.reason,
          log: folder)))
    return ending
  }

  // MARK: - Steps

  /// What the steps came to.
  struct Steps: Sendable {
    var ending = Ending(outcome: .passed, reason: nil)
    /// The names of the machines that are dead.
    var dead: Set<MachineName> = []
    /// Files that were to be fetched by steps that were not come to.
    var unfetched: [Step] = []
  }

  private func performSteps(in members: inout [Member]) async -> Steps {
    var steps = Steps()
    var troubles: [MachineName: StepTroubles] = [:]
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
      let turns = phase.steps.enumerated().flatMap { index, step in
        members.indices.filter { members[$0].does(step) }.map { (index: index, member: $0) }
      }
      for turn in turns {
        if Task.isCancelled {
          steps.ending = .cancelled
          break
        }
        let member = members[turn.member]
        let step = member.own(phase.steps[turn.index], among: members)
        let machine = member.machine
        if phase.kind == .provision, turn.index < machine.keptSteps {
          await tellKept(step, phase: name)
          continue
        }
        let end = await StepRun(
          context: context, cell: plan, attempt: number, folder: member.folder(in: folder), machine: machine,
          phase: name, number: turn.index + 1, step: step, cellCountdown: countdown,
          troubles: troubles[machine.name] ?? StepTroubles()
        ).perform()
        troubles[machine.name] = end.troubles
        if end.step.outcome == .passed {
          do {
            if step.action == .reboot, member.name != nil { try await introduceAgain(turn.member, among: &members) }
            // A mirror that could not be reached is not kept, though the step passed.
            if phase.kind == .provision, turn.index + 1 == machine.nextLayer, end.troubles.mirror == nil {
              members[turn.member].machine = try await machine.keepLayer { activity in
                await context.tell(.cellProgress(cell: cell.name, activity: activity))
              }
            }
            continue
          } catch {
            if machine.nextLayer != nil { steps.dead.insert(machine.name) }
            steps.ending =
              Task.isCancelled
              ? .cancelled : .error(error as? Failure ?? Failure(.guest, "\(error)"), step: step.title)
            break
          }
        }
        if end.isMachineDead { steps.dead.insert(machine.name) }
        steps.ending = Ending(
          outcome: end.step.outcome, reason: end.step.reason, canPass: Self.canPass(end.step),
          endsRun: end.isHostUnable, step: end.step.title)
        steps.unfetched = phase.steps[(turn.index + 1)...].fetches
        break
      }
      await context.tell(
        .phaseFinished(cell: cell.name, attempt: number, phase: name, seconds: stopwatch.elapsed.seconds))
    }
    return steps
  }

  /// Why nothing counts of what the steps came to, also where all have passed.
  private func damage(of members: [Member]) async -> Failure? {
    for member in members {
      if let damage = await member.machine.damage() { return damage }
    }
    return nil
  }

  /// Tells of a step that was not done here, since the machine was made of one in which it was.
  private func tellKept(_ step: Step, phase: PhaseName) async {
    await context.tell(
      .stepStarted(cell: cell.name, attempt: number, phase: phase, title: step.title, location: step.location))
    await context.tell(
      .stepFinished(
        cell: cell.name, attempt: number, phase: phase,
        step: StepFinished(title: step.title, location: step.location, outcome: .passed, seconds: 0, isKept: true)))
  }

  /// Whether a fresh machine may do better. What is wrong in the matrix, in the image or on this host stays wrong.
  private static func canPass(_ step: StepFinished) -> Bool {
    switch step.reason?.blame {
    case .matrix, .image, .host: false
    case .backend, .guest, .mirror, .publisher, nil: step.outcome != .cancelled
    }
  }

  // MARK: - The machine's end

  /// Purges the machines, or keeps them. Nothing of it changes how the attempt ended.
  private func end(_ members: [Member], after ending: Ending) async {
    let stopwatch = Stopwatch()
    await context.tell(.phaseStarted(cell: cell.name, attempt: number, phase: .purge))
    // All at once: after a signal there is little time for all of them.
    await withDiscardingTaskGroup { group in
      for member in members {
        group.addTask { if !(mayKeep(ending) ? await keep(member.machine) : false) { await purge(member.machine) } }
      }
    }
    await context.tell(
      .phaseFinished(cell: cell.name, attempt: number, phase: .purge, seconds: stopwatch.elapsed.seconds))
  }

  private func keep(_ machine: any Machine) async -> Bool {
    let path = await bounded(
      context.scale.time(context.options.pauses.purge), hurried: .zero, after: context.interruption.interrupted
    ) { () async -> String? in
      do {
        return try await machine.keep()
      } catch {
        await context.tell(.notice("'\(machine.name)' cannot be kept, and is purged: \(error)"))
        return nil
      }
    }
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
    for place in [folder] + plan.machines.map({ "\(folder)/\($0.name)" }) {
      let path = context.path(place)
      guard FileSystem.isFolder(path) else { continue }
      for entry in try FileSystem.names(in: path) {
        if entry.hasSuffix(".log") { try mask.apply(toFile: "\(path)/\(entry)") }
        guard entry.hasPrefix("launch-") else { continue }
        for name in try FileSystem.names(in: "\(path)/\(entry)") { try mask.apply(toFile: "\(path)/\(entry)/\(name)") }
      }
    }
  }
}

extension Sequence<Step> {
  fileprivate var fetches: [Step] {
    filter { if case .fetch = $0.action { true } else { false } }
  }
}

extension Reason {
  /// The guardian goes on with it when the run has ended.
  static let notPurgedYet = Reason(
    "it is not purged yet",
    hint: "a process goes on with it; if 'muster list' still shows it later, run 'muster clean'",
    blame: .backend)
}
