package import MusterExecution
import MusterHost

/// The events that a run which was killed could not tell any more: everything that is open is ended, in order.
package struct Epilogue: Sendable {
  /// A machine, and why it is left; `nil` when it was purged.
  package typealias Machine = (name: String, failure: Reason?)

  /// When the run began, in milliseconds since 1970; `nil` where it told nothing.
  package private(set) var began: Int64?
  /// The cells in order, and those that have ended.
  private var cells: [String] = []
  private var ended: Set<String> = []
  /// The cell that has begun and not ended, and the one that began last.
  private var cell: String?
  private var last: String?
  private var attempt: (number: Int, machine: String, log: String)?
  private var seconds = 0.0
  private var isFinished = false

  package init() {}

  /// Takes in what the run told.
  package mutating func add(_ event: Event) {
    began = began ?? event.time
    switch event.kind {
    case .runStarted(let run): cells = run.cells.map(\.cell)
    case .cellStarted(let name): (cell, last) = (name, name)
    case .attemptStarted(_, let number, let machine, let log): attempt = (number, machine, log)
    case .phaseFinished(_, _, _, let more): seconds += more
    case .attemptFinished: attempt = nil
    case .cellFinished(let end):
      ended.insert(end.cell)
      cell = nil
      seconds = 0
    case .runFinished: isFinished = true
    default: break
    }
  }

  /// - Parameter machines: Those that were purged, or could not be, since.
  package func events(_ machines: [Machine]) -> [Event.Kind] {
    // A run may end before its last machine is purged.
    if isFinished { return last.map { Self.events(of: machines, in: $0) } ?? [] }
    let reason = Reason(
      "the run was killed",
      hint: "look what killed it: a CI system at its time limit, or the kernel when memory ran out", blame: .host)
    var kinds: [Event.Kind] = []
    if let cell {
      kinds += Self.events(of: machines, in: cell)
      if let attempt {
        kinds.append(
          .attemptFinished(
            AttemptFinished(
              cell: cell, attempt: attempt.number, machine: attempt.machine, outcome: .error, reason: reason,
              log: attempt.log)))
      }
      kinds.append(.cellFinished(CellFinished(cell: cell, outcome: .error, seconds: seconds, reason: reason)))
    }
    for name in cells where name != cell && !ended.contains(name) {
      kinds.append(
        .cellFinished(
          CellFinished(cell: name, outcome: .cancelled, seconds: 0, reason: Reason("the run was killed before it"))))
    }
    kinds.append(.runFinished(RunFinished(reason: reason)))
    return kinds
  }

  private static func events(of machines: [Machine], in cell: String) -> [Event.Kind] {
    machines.map { machine in
      machine.failure.map { .machineLeft(cell: cell, machine: machine.name, reason: $0) }
        ?? .machinePurged(cell: cell, machine: machine.name)
    }
  }
}
