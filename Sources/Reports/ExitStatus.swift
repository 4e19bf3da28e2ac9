import MusterExecution

/// What the command's exit status says, as sysexits.h has it where it has it.
package enum ExitStatus: Int32, Sendable, CaseIterable {
  case asExpected = 0
  /// A cell speaks against the release.
  case failed = 1
  /// Nothing speaks against the release, but a cell has no verdict.
  case noVerdict = 3
  case nothingSelected = 4
  case machineLeft = 5
  case wrongCommandLine = 64
  case wrongMatrix = 65
  case noSuchFile = 66
  case noBackend = 69
  case ownFault = 70
  case reportNotWritten = 74
  case lockNotObtained = 75
}

extension ExitStatus {
  /// The status of a run that came to its end. A failed cell outranks a machine that is left, and that outranks all else.
  /// - Parameter reportsWritten: `false` when a report that was asked for could not be written; a worse finding
  ///   outranks it, since it tells more.
  package init(_ summary: Summary, reportsWritten: Bool = true) {
    if summary.outcome == .failed {
      self = .failed
    } else if !summary.machines.left.isEmpty {
      self = .machineLeft
    } else if !reportsWritten {
      self = .reportNotWritten
    } else if summary.cells.isEmpty {
      self = .nothingSelected
    } else {
      switch summary.outcome {
      case .error, .cancelled: self = .noVerdict
      default: self = .asExpected
      }
    }
  }
}
