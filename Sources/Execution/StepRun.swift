import MusterChannels
import MusterGuest
import MusterHost
import MusterMachines
import MusterMatrix
import Synchronization

/// One step in a machine, with all its tries, within its limit.
struct StepRun: Sendable {
  let context: RunContext
  let cell: CellPlan
  let attempt: Int
  /// The attempt's folder, relative to the run's output folder.
  let folder: String
  let machine: any Machine
  let phase: PhaseName
  /// The step's number in its phase, from 1.
  let number: Int
  let step: Step
  let cellCountdown: Countdown
  /// What steps before it told, though they passed.
  let troubles: StepTroubles

  /// How a step ended, and what the attempt must know of it.
  struct End: Sendable {
    var step: StepFinished
    var isMachineDead = false
    /// The log could not be written.
    var isHostUnable = false
    /// What this step and those before it told, though they passed.
    var troubles: StepTroubles
  }

  /// The tries of a step, as far as they have come.
  final class Tries: Sendable {
    private let state = Mutex<(count: Int, last: Reason?)>((0, nil))

    var count: Int { state.withLock { $0.count } }
    /// Why the last finished try did not pass.
    var last: Reason? { state.withLock { $0.last } }

    func begin() -> Int {
      state.withLock { state in
        state.count += 1
        return state.count
      }
    }

    func end(_ reason: Reason?) {
      state.withLock { $0.last = reason }
    }
  }

  func perform() async -> End {
    await context.tell(
      .stepStarted(cell: cell.cell, attempt: attempt, phase: phase, title: step.title, location: step.location))
    let stopwatch = Stopwatch()
    let end: End
    do {
      let log = try StepLog(
        "\(folder)/\(phase.rawValue)-\(number)-\(Slug.make(step.title)).log", in: context.options.output,
        limit: cell.logLimit, mask: context.secrets.mask)
      end = await perform(log: log, stopwatch: stopwatch)
    } catch {
      end = End(
        step: StepFinished(
          title: step.title, location: step.location, outcome: .error, seconds: stopwatch.elapsed.seconds,
          reason: Reason(error)),
        isHostUnable: true, troubles: troubles)
    }
    await context.tell(.stepFinished(cell: cell.cell, attempt: attempt, phase: phase, step: end.step))
    return end
  }

  private func perform(log: StepLog, stopwatch: Stopwatch) async -> End {
    let tries = Tries()
    let countdown = Countdown("step", step.timeout ?? cell.timeouts.step, scale: context.scale)
    // A machine that is rebooted tells by itself what went wrong.
    let result = await watched(
      [countdown, cellCountdown], machine: step.action == .reboot ? nil : machine,
      interruption: context.interruption, warn: context.warning(of: cell.cell)
    ) {
      try await performTries(tries, log: log, countdown: countdown)
    }
    var end = End(
      step: StepFinished(
        title: step.title, location: step.location, outcome: .passed, seconds: 0, tries: max(1, tries.count),
        log: log.name), troubles: troubles)
    let trouble = await trouble(behind: result)
    // Who does not get through to it now does not get its logs either.
    end.isMachineDead = trouble != nil
    judge(result, tries: tries, trouble: trouble, log: log, into: &end)
    if [.failed, .timedOut, .error].contains(end.step.outcome), !end.isHostUnable,
      let damage = await machine.damage()
    {
      (end.step.outcome, end.step.reason, end.step.mismatch) = (.error, Reason(damage), nil)
    }
    end.step.seconds = stopwatch.elapsed.seconds
    if end.step.outcome == .passed {
      end.troubles.note(log.text, of: step.action)
    } else {
      end.step.tail = log.lastLines(20)
    }
    do {
      let reason = end.step.reason.map { ": \($0.message)" } ?? ""
      try log.note(["# \(end.step.outcome.rawValue) after \(stopwatch.elapsed.human)\(reason)"])
      try log.finish()
    } catch {
      end.isHostUnable = true
      end.step.outcome = .error
      end.step.reason = Reason(error)
    }
    return end
  }

  /// What is wrong with the machine, or with what runs it, where a step did not come to its end.
  private func trouble(behind result: Watched<Verdict>) async -> Failure? {
    switch result {
    case .timedOut: await machine.trouble(after: nil)
    case .finished(.failure(let error as GuestError)) where error.code == .unreachable && !Task.isCancelled:
      await machine.trouble(after: error)
    default: nil
    }
  }

  private func judge(
    _ result: Watched<Verdict>, tries: Tries, trouble: Failure?, log: StepLog, into end: inout End
  ) {
    func set(_ outcome: Outcome, _ reason: Reason?) {
      end.step.outcome = outcome
      end.step.reason = reason
    }
    switch result {
    case .finished(.success(let verdict)):
      // A script that is ended because of a cancellation seems to fail.
      if !verdict.isPassed, Task.isCancelled { return set(.cancelled, nil) }
      switch verdict {
      case .passed: break
      case .error(let reason): set(.error, reason)
      case .failed(let reason, var mismatch):
        if mismatch?.location == nil { mismatch?.location = step.location }
        set(.failed, reason)
        end.step.mismatch = mismatch
      }
    case .timedOut(let countdown):
      if let trouble { return set(.error, Reason(trouble)) }
      set(.timedOut, reason(ofTimeOut: countdown, last: tries.last))
    case .died(let failure):
      end.isMachineDead = true
      set(.error, Reason(failure))
    case .finished(.failure(let error)):
      if let failure = log.failure {
        end.isHostUnable = true
        return set(.error, Reason(failure))
      }
      if let death = error as? MachineDeath {
        end.isMachineDead = true
        return set(.error, Reason(death.failure))
      }
      if Task.isCancelled { return set(.cancelled, nil) }
      set(.error, trouble.map { Reason($0) } ?? Self.reason(of: error))
    }
  }

  /// A person's own command that takes too long blames the release; what Muster does for them does not.
  private func reason(ofTimeOut countdown: Countdown, last: Reason?) -> Reason {
    let blame: Blame? =
      switch step.action {
      case .run, .wait: nil
      case .copy, .fetch, .install, .channel, .check, .reboot: .guest
      }
    let lastTry = last.map { ["the last try: \($0.message)"] + $0.evidence } ?? []
    return Reason(
      countdown.what == "cell"
        ? "the cell's time of \(countdown.text) is over" : "not done within \(countdown.text)",
      evidence: lastTry,
      hint: countdown.what == "cell" ? "'timeouts: {cell: …}' allows more" : "the step's 'timeout' allows more",
      blame: blame)
  }

  private static func reason(of error: any Error) -> Reason {
    switch error {
    case let failure as Failure: return Reason(failure)
    case let error as GuestError:
      switch error.code {
      case .unreachable, .transfer: return Reason(error.message, blame: .guest)
      case .circumstances: return Reason(error.message, blame: .matrix)
      case .host: return Reason(error.message, blame: .host)
      }
    default: return Reason("\(error)", blame: .host)
    }
  }
}

/// What steps told that passed all the same, for those that come after them.
struct StepTroubles: Sendable {
  /// The line by which a script told of a mirror that cannot be reached. `apt-get update` ends with 0 then.
  var mirror: String?
  /// The line by which the last installation of a release told that a script of a package failed. Many package managers
  /// end with 0 then.
  var script: String?

  mutating func note(_ output: String, of action: Step.Action) {
    switch action {
    case .run: mirror = mirror ?? FailureSign.ofUnreachableMirror(output)
    case .channel(_, let part?, _) where part.installs: script = FailureSign.ofScript(output)
    default: break
    }
  }
}

extension ChannelPart {
  /// Whether hosts of others are asked for something.
  var asksHosts: Bool {
    installs || [.bring, .serve, .add, .refresh, .download, .fuse, .fetch, .prepare, .prepareTest].contains(self)
  }
}

/// The machine died while a step ran in it.
struct MachineDeath: Error {
  var failure: Failure
}
