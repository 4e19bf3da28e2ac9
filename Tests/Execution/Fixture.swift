import MusterDiagnostics
import MusterHost
import MusterMachines
import MusterMatrix
import Synchronization
import Testing

@testable import MusterExecution

/// A run of a matrix on local machines, in a folder of its own that is gone with it.
final class Fixture: Sendable {
  let folder: String
  let backend: LocalBackend

  /// What stands before the tests of every matrix.
  static let head = "muster: 1\nname: sample\ndistros: {d: {image: debian/12, cpu: x86_64}}\n"

  init(_ faults: LocalBackend.Faults = LocalBackend.Faults()) throws {
    folder = try FileSystem.createTemporaryFolder("muster-execution-test")
    backend = LocalBackend(faults)
  }

  deinit {
    try? FileSystem.removeTree(folder)
  }

  var output: String { "\(folder)/run" }

  func plan(_ text: String) throws -> Plan {
    let path = "\(folder)/matrix.yaml"
    try FileSystem.write(text, to: path)
    let file = MatrixFile(path: path, workingDirectory: folder)
    return try #require(file.plan(), "\(file.diagnostics.map(\.message))")
  }

  /// Runs `head` and `tests`, with short pauses, and returns what happened.
  func run(
    _ tests: String, head: String = Fixture.head, status: BackendStatus = BackendStatus(),
    secrets: Secrets = Secrets(), interruption: Interruption = Interruption(),
    options change: (inout RunOptions) -> Void = { _ in },
    onEvent: @escaping @Sendable (Int, Event) async -> Void = { _, _ in }
  ) async throws -> [Event.Kind] {
    var options = RunOptions(output: output)
    options.pauses.launch = .milliseconds(1)
    options.pauses.cell = .milliseconds(1)
    options.pauses.mirror = .milliseconds(1)
    options.pauses.launchGrace = .zero
    change(&options)
    let events = Mutex<[Event]>([])
    let header = LedgerRecord.Header(
      run: "\(RunID())", host: HostFacts.hostID, user: HostFacts.userID, processID: HostFacts.processID,
      command: "test", output: output)
    let custody = Custody(try await Ledger.begin(header, in: folder))
    let executor = Executor(
      try plan(head + tests), backend: backend, status: status, options: options, custody: custody, secrets: secrets,
      interruption: interruption
    ) { event in
      let index = events.withLock { events in
        events.append(event)
        return events.count - 1
      }
      await onEvent(index, event)
    }
    await executor.run()
    _ = await custody.end()
    return events.withLock { $0.map(\.kind) }
  }

  func text(_ name: String) throws -> String {
    try FileSystem.readText("\(output)/\(name)")
  }
}

extension Event.Kind {
  /// In a few words, for comparing sequences; `nil` for what is only for live display or for times.
  var brief: String? {
    switch self {
    case .runStarted: "run started"
    case .notice(let text): "notice: \(text)"
    case .working, .cellProgress, .imageReady, .waiting: nil
    case .setupFinished(let step): "setup \(step.outcome.rawValue)"
    case .cellStarted(let cell): "\(cell) started"
    case .attemptStarted(_, let attempt, _, _): "attempt \(attempt)"
    case .launchRetried(_, _, let reason): "launch again: \(reason.message)"
    case .machineLaunched: "launched"
    case .phaseStarted(_, _, let phase): "\(phase.rawValue) {"
    case .stepStarted(_, _, _, let title, _): "step: \(title)"
    case .slow(_, let what, _, _): "slow \(what)"
    case .stepRetried(_, _, _, let reason): "step again: \(reason.message)"
    case .stepFinished(_, _, _, let step): "step \(step.outcome.rawValue)"
    case .phaseFinished(_, _, let phase, _): "} \(phase.rawValue)"
    case .machinePurged: "purged"
    case .machineLeft(_, _, let reason): "left: \(reason.message)"
    case .machineKept: "kept"
    case .attemptFinished(let attempt): "attempt \(attempt.outcome.rawValue)"
    case .cellFinished(let cell): "\(cell.cell) \(cell.outcome.rawValue)"
    case .runFinished: "run finished"
    }
  }
}

extension [Event.Kind] {
  var briefs: [String] { compactMap(\.brief) }

  var steps: [StepFinished] {
    compactMap { if case .stepFinished(_, _, _, let step) = $0 { step } else { nil } }
  }

  var cells: [CellFinished] {
    compactMap { if case .cellFinished(let cell) = $0 { cell } else { nil } }
  }

  var attempts: [AttemptFinished] {
    compactMap { if case .attemptFinished(let attempt) = $0 { attempt } else { nil } }
  }

  var end: RunFinished? {
    if case .runFinished(let end) = last { end } else { nil }
  }

  /// The outcome of each cell, in order.
  var outcomes: [Outcome] { cells.map(\.outcome) }
}
