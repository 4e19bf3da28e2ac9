package import MusterExecution
import MusterHost

/// The events that a run which was killed could not tell any more: everything that is open is ended, in order.
package struct Epilogue: Sendable {
  /// A machine, and why it is left; `nil` when it was purged.
  package typealias Machine = (name: String, failure: Reason?)

  /// - Parameters:
  ///   - events: What the run told until it was killed.
  ///   - machines: Those that were purged, or could not be, since.
  package static func events(after events: [Event], machines: [Machine]) -> [Event.Kind] {
    var open = Open()
    for event in events { open.add(event.kind) }
    // A run may end before its last machine is purged.
    if open.isFinished { return open.last.map { Self.events(of: machines, in: $0) } ?? [] }
    let reason = Reason(
      "the run was killed",
      hint: "look what killed it: a CI system at its time limit, or the kernel when memory ran out", blame: .host)
    var kinds: [Event.Kind] = []
    if let cell = open.cell {
      kinds += Self.events(of: machines, in: cell)
      if let attempt = open.attempt {
        kinds.append(
          .attemptFinished(
            AttemptFinished(
              cell: cell, attempt: attempt.number, machine: attempt.machine, outcome: .error, reason: reason,
              log: attempt.log)))
      }
      kinds.append(.cellFinished(CellFinished(cell: cell, outcome: .error, seconds: open.seconds, reason: reason)))
    }
    for cell in open.unfinished where cell != open.cell {
      kinds.append(
        .cellFinished(
          CellFinished(cell: cell, outcome: .cancelled, seconds: 0, reason: Reason("the run was killed before it"))))
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

  /// What has begun and not ended.
  private struct Open {
    /// The cells that have not ended, in order.
    var unfinished: [String] = []
    var cell: String?
    /// The cell that began last.
    var last: String?
    var attempt: (number: Int, machine: String, log: String)?
    var seconds: Double = 0
    var isFinished = false

    mutating func add(_ kind: Event.Kind) {
      switch kind {
      case .runStarted(let run): unfinished = run.cells.map(\.cell)
      case .cellStarted(let name): (cell, last) = (name, name)
      case .attemptStarted(_, let number, let machine, let log): attempt = (number, machine, log)
      case .phaseFinished(_, _, _, let more): seconds += more
      case .attemptFinished: attempt = nil
      case .cellFinished(let end):
        unfinished.removeAll { $0 == end.cell }
        cell = nil
        seconds = 0
      case .runFinished: isFinished = true
      default: break
      }
    }
  }
}
