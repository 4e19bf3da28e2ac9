package import MusterDiagnostics
package import MusterExecution
package import MusterHost
package import MusterMatrix

/// What a run came to: every report is a view of it.
package struct Summary: Sendable {
  /// The run's id; empty while no event has come.
  package var run = ""
  /// The matrix's name, and its file as given.
  package var matrix = ""
  package var file = ""
  package var backend = ""
  package var accelerator: String?
  /// The folder that the logs' paths start from.
  package var output = ""
  /// The file with what was told of cells that were released.
  var record: String?
  package var started = Timestamp(milliseconds: 0)
  package var seconds = 0.0
  package var time = TimeSpent()
  /// Steps on the host, before the first cell.
  package var setup: [StepFinished] = []
  package var notices: [String] = []
  /// In the order of the plan.
  package var cells: [CellSummary] = []
  package var machines = MachineCounts()
  /// Whether the run told its end; a run that was killed did not.
  package var isFinished = false
  /// The signal that ended the run early, if one did.
  package var signal: Int32?
  /// Why the run ended before its last cell.
  package var reason: Reason?

  package init() {}
}

package struct CellSummary: Sendable {
  package var header: CellHeader
  /// `cancelled` until the cell tells otherwise.
  package var outcome = Outcome.cancelled
  package var seconds = 0.0
  /// When its first attempt started; `nil` for a cell that was never begun.
  package var started: Timestamp?
  package var reason: Reason?
  /// Where in the matrix the reason stands, if it is neither a step nor the test.
  package var location: Location?
  package var remark: Remark?
  package var attempts: [AttemptSummary] = []
  /// Where the record has what was told of the cell, once this was released: then `attempts` and the reason's evidence
  /// are empty here.
  var released: Range<Int64>?

  package init(header: CellHeader) {
    self.header = header
  }
}

package struct AttemptSummary: Sendable {
  package var machine: String
  package var outcome = Outcome.cancelled
  package var reason: Reason?
  package var phases: [PhaseSummary] = []
  /// The folder of the attempt's logs, relative to the run's output folder; `nil` until the attempt has ended.
  package var log: String?

  package init(machine: String) {
    self.machine = machine
  }
}

package struct PhaseSummary: Sendable {
  package var phase: PhaseName
  package var seconds = 0.0
  package var steps: [StepFinished] = []

  package init(phase: PhaseName) {
    self.phase = phase
  }
}

/// What became of the machines of a run.
package struct MachineCounts: Sendable, Hashable {
  package var launched = 0
  package var purged = 0
  /// Kept because the person asked for it, by `machine`, with the path of its disk.
  package var kept: [KeptMachine] = []
  /// Neither purged nor kept, in order of launch.
  package var left: [LeftMachine] = []

  package init() {}
}

package struct KeptMachine: Sendable, Hashable {
  package var machine: String
  package var path: String
}

package struct LeftMachine: Sendable, Hashable {
  package var machine: String
  /// Why it could not be purged; `nil` where the run ended before it was tried.
  package var reason: Reason?
}

extension Outcome {
  /// Whether a cell that ended so, with this blame, speaks against the release. A time-out does where it is nobody
  /// else's fault.
  package func blamesRelease(_ blame: Blame?) -> Bool {
    switch self {
    case .failed, .unexpectedPass: true
    case .timedOut: blame == nil
    case .passed, .flaky, .error, .skipped, .expectedFailure, .cancelled: false
    }
  }

  /// Whether a cell that ended so is as the matrix wants it.
  package var isAsExpected: Bool {
    switch self {
    case .passed, .flaky, .skipped, .expectedFailure: true
    case .failed, .error, .timedOut, .unexpectedPass, .cancelled: false
    }
  }
}

extension CellSummary {
  package var blame: Blame? { reason?.blame }

  package var blamesRelease: Bool { outcome.blamesRelease(blame) }

  /// The step that decided the outcome, if a step did.
  package var decisiveStep: StepFinished? { attempts.last?.decisiveStep?.step }

  /// Where a person should look: at the expectation, at the step, at another cause, or at the test.
  package var decisiveLocation: Location {
    let step = outcome.isAsExpected ? nil : decisiveStep
    return step?.mismatch?.location ?? step?.location ?? (outcome == .unexpectedPass ? remark?.location : nil)
      ?? location ?? header.location
  }
}

extension Summary {
  /// A cell with all that it did, which may have been released.
  func whole(_ cell: CellSummary) -> CellSummary { SummaryFold.whole(cell, record) }

  /// How many cells have each outcome.
  package var totals: [Outcome: Int] {
    cells.reduce(into: [:]) { $0[$1.outcome, default: 0] += 1 }
  }

  /// The run's outcome: the worst of what its cells came to. `passed` where all is as expected, `skipped` where no cell
  /// was tried.
  package var outcome: Outcome {
    var outcome = Outcome.skipped
    for cell in cells {
      if cell.blamesRelease { return .failed }
      switch cell.outcome {
      case .error, .timedOut: outcome = .error
      case .cancelled: if outcome != .error { outcome = .cancelled }
      case .passed, .flaky, .expectedFailure: if outcome == .skipped { outcome = .passed }
      case .skipped, .failed, .unexpectedPass: break
      }
    }
    return outcome
  }
}
