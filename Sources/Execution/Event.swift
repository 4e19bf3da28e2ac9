package import MusterDiagnostics
package import MusterMachines
package import MusterMatrix

/// One thing that happened in a run. Everything that is told of a run, live or later, is a fold over its events.
package struct Event: Sendable, Codable {
  /// Milliseconds since 1970.
  package var time: Int64
  /// Seconds since the run started.
  package var elapsed: Double
  package var kind: Kind

  package init(time: Int64, elapsed: Double, kind: Kind) {
    self.time = time
    self.elapsed = elapsed
    self.kind = kind
  }

  package enum Kind: Sendable, Codable {
    case runStarted(RunStarted)
    /// Something a person should know that belongs to no cell: why KVM is not used, that time-outs are scaled.
    case notice(String)
    /// A wait or a piece of work that belongs to no cell has come further; for live display, never needed to fold.
    case working(String)
    case setupFinished(StepFinished)
    case cellStarted(cell: String)
    /// The cell is being worked on (`downloading debian/12: 40 %, 12 s left`); for live display.
    case cellProgress(cell: String, activity: String)
    /// An image was made ready for the cell: found, downloaded or built.
    case imageReady(cell: String, image: String, seconds: Double)
    /// A pause before something is tried again begins: an image, a launch, a step, the cell.
    case waiting(cell: String, seconds: Double)
    /// `log` is the folder of its logs, relative to the output folder.
    case attemptStarted(cell: String, attempt: Int, machine: String, log: String)
    /// A launch failed for a cause that can pass, and is tried again.
    case launchRetried(cell: String, attempt: Int, reason: Reason)
    case machineLaunched(cell: String, machine: String, start: MachineStart)
    case phaseStarted(cell: String, attempt: Int, phase: PhaseName)
    case stepStarted(cell: String, attempt: Int, phase: PhaseName, title: String, location: Location?)
    /// A step, a launch or a cell has used most of its time.
    case slow(cell: String, what: String, seconds: Double, limit: Double)
    case stepRetried(cell: String, attempt: Int, title: String, reason: Reason)
    case stepFinished(cell: String, attempt: Int, phase: PhaseName, step: StepFinished)
    case phaseFinished(cell: String, attempt: Int, phase: PhaseName, seconds: Double)
    case machinePurged(cell: String, machine: String)
    /// A machine could not be purged; `reason.hint` says what to do by hand.
    case machineLeft(cell: String, machine: String, reason: Reason)
    /// A machine was kept because the person asked for it; `path` holds its disk.
    case machineKept(cell: String, machine: String, path: String)
    case attemptFinished(AttemptFinished)
    case cellFinished(CellFinished)
    case runFinished(RunFinished)
  }
}

/// What a cell goes through, as reported. `launch`, `collect` and `purge` hold no steps.
package enum PhaseName: String, Sendable, Hashable, Codable, CaseIterable {
  case launch
  case provision
  case verify
  /// A release is upgraded, removed, refused.
  case lifecycle
  case collect
  case purge
}

package struct RunStarted: Sendable, Codable {
  /// The run's id: time and random part, unique.
  package var run: String
  package var matrix: String
  /// The matrix file as given.
  package var file: String
  package var backend: String
  /// What made the instructions run: `kvm`, `tcg`, …
  package var accelerator: String?
  /// Where everything of the run is kept.
  package var output: String
  /// What deadlines are multiplied by.
  package var timeScale: Double
  /// All cells in order, those that will be skipped included.
  package var cells: [CellHeader]

  package init(
    run: String, matrix: String, file: String, backend: String, accelerator: String?,
    output: String, timeScale: Double, cells: [CellHeader]
  ) {
    self.run = run
    self.matrix = matrix
    self.file = file
    self.backend = backend
    self.accelerator = accelerator
    self.output = output
    self.timeScale = timeScale
    self.cells = cells
  }
}

package struct CellHeader: Sendable, Codable {
  package var cell: String
  package var test: String
  package var distro: String
  package var axes: [AxisValue]
  /// Where the test stands in the matrix.
  package var location: Location
  /// Why the matrix expects it to fail, if it does.
  package var expectedFailure: Remark?

  package init(
    cell: String, test: String, distro: String, axes: [AxisValue], location: Location, expectedFailure: Remark? = nil
  ) {
    self.cell = cell
    self.test = test
    self.distro = distro
    self.axes = axes
    self.location = location
    self.expectedFailure = expectedFailure
  }
}

package struct StepFinished: Sendable, Codable {
  package var title: String
  package var location: Location?
  /// `passed`, `failed`, `error`, `timed-out`, `cancelled`.
  package var outcome: Outcome
  package var seconds: Double
  /// How often it was tried; 1 without `retry`.
  package var tries: Int
  package var reason: Reason?
  /// What was expected and what came, where an expectation failed.
  package var mismatch: Mismatch?
  /// The step's log, relative to the run's output folder; `nil` where nothing was logged.
  package var log: String?
  /// The last lines of the log, for a failed step: valid UTF-8, secrets masked, control characters kept.
  package var tail: [String]
  /// Whether it was not done here, since the machine was made of one in which it was.
  package var isKept: Bool

  package init(
    title: String, location: Location?, outcome: Outcome, seconds: Double, tries: Int = 1,
    reason: Reason? = nil, mismatch: Mismatch? = nil, log: String? = nil, tail: [String] = [], isKept: Bool = false
  ) {
    self.title = title
    self.location = location
    self.outcome = outcome
    self.seconds = seconds
    self.tries = tries
    self.reason = reason
    self.mismatch = mismatch
    self.log = log
    self.tail = tail
    self.isKept = isKept
  }
}

/// What was expected of a step and what came instead.
package struct Mismatch: Sendable, Hashable, Codable {
  /// What was looked at: `stdout`, `stderr`, `exit status`, `service greeterd`.
  package var subject: String
  /// As a person reads it: `contains "1.2.0"`.
  package var expected: String
  package var actual: String
  /// Where the expectation stands in the matrix.
  package var location: Location?

  package init(subject: String, expected: String, actual: String, location: Location? = nil) {
    self.subject = subject
    self.expected = expected
    self.actual = actual
    self.location = location
  }
}

package struct AttemptFinished: Sendable, Codable {
  package var cell: String
  package var attempt: Int
  package var machine: String
  package var outcome: Outcome
  package var reason: Reason?
  /// Relative to the run's output folder: the folder of this attempt's logs.
  package var log: String

  package init(
    cell: String, attempt: Int, machine: String, outcome: Outcome, reason: Reason?, log: String
  ) {
    self.cell = cell
    self.attempt = attempt
    self.machine = machine
    self.outcome = outcome
    self.reason = reason
    self.log = log
  }
}

package struct CellFinished: Sendable, Codable {
  package var cell: String
  package var outcome: Outcome
  package var seconds: Double
  package var reason: Reason?
  /// Where in the matrix the reason stands, if it is neither a step nor the test.
  package var location: Location?
  /// The person's statement that made it `skipped`, `expected-failure` or `unexpected-pass`.
  package var remark: Remark?

  package init(
    cell: String, outcome: Outcome, seconds: Double, reason: Reason? = nil, location: Location? = nil,
    remark: Remark? = nil
  ) {
    self.cell = cell
    self.outcome = outcome
    self.seconds = seconds
    self.reason = reason
    self.location = location
    self.remark = remark
  }
}

package struct RunFinished: Sendable, Codable {
  /// The signal that ended the run early, if one did.
  package var signal: Int32?
  /// Why the run ended before its last cell, where it is not a signal: `--fail-fast`, a failed setup.
  package var reason: Reason?

  package init(signal: Int32? = nil, reason: Reason? = nil) {
    self.signal = signal
    self.reason = reason
  }
}
