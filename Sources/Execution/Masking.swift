package import MusterHost

extension Event.Kind {
  /// The event with secrets replaced in all that comes from outside: output, messages, evidence.
  func masked(by mask: SecretMask) -> Event.Kind {
    if mask.isEmpty { return self }
    switch self {
    case .notice(let text): return .notice(mask(text))
    case .working(let text): return .working(mask(text))
    case .setupFinished(let step): return .setupFinished(step.masked(by: mask))
    case .cellProgress(let cell, let activity): return .cellProgress(cell: cell, activity: mask(activity))
    case .launchRetried(let cell, let attempt, let reason):
      return .launchRetried(cell: cell, attempt: attempt, reason: reason.masked(by: mask))
    case .stepRetried(let cell, let attempt, let title, let reason):
      return .stepRetried(cell: cell, attempt: attempt, title: title, reason: reason.masked(by: mask))
    case .stepFinished(let cell, let attempt, let phase, let step):
      return .stepFinished(cell: cell, attempt: attempt, phase: phase, step: step.masked(by: mask))
    case .machineLeft(let cell, let machine, let reason):
      return .machineLeft(cell: cell, machine: machine, reason: reason.masked(by: mask))
    case .attemptFinished(var attempt):
      attempt.reason = attempt.reason?.masked(by: mask)
      return .attemptFinished(attempt)
    case .cellFinished(var cell):
      cell.reason = cell.reason?.masked(by: mask)
      return .cellFinished(cell)
    case .runFinished(var run):
      run.reason = run.reason?.masked(by: mask)
      return .runFinished(run)
    case .runStarted, .cellStarted, .imageReady, .waiting, .attemptStarted, .machineLaunched, .phaseStarted,
      .stepStarted, .slow, .phaseFinished, .machinePurged, .machineKept:
      return self
    }
  }
}

extension StepFinished {
  fileprivate func masked(by mask: SecretMask) -> StepFinished {
    var step = self
    step.reason = reason?.masked(by: mask)
    step.mismatch?.expected = mask(mismatch?.expected ?? "")
    step.mismatch?.actual = mask(mismatch?.actual ?? "")
    step.tail = tail.map { mask($0) }
    return step
  }
}

extension Reason {
  func masked(by mask: SecretMask) -> Reason {
    Reason(mask(message), evidence: evidence.map { mask($0) }, hint: hint.map { mask($0) }, blame: blame)
  }

  /// Why something of the host or a backend could not be had.
  package init(_ failure: Failure) {
    self.init(failure.message, evidence: failure.evidence, hint: failure.hint, blame: failure.blame)
  }
}
