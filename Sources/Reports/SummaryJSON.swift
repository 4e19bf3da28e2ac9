import MusterDiagnostics
import MusterExecution
import MusterHost
import MusterMatrix

extension Summary {
  /// Writes the summary as `muster.summary/1`, a piece at a time, with a newline at its end.
  func writeJSON(_ write: ([UInt8]) throws -> Void) rethrows {
    var json = JSONWriter(.indented)
    try json.object { json in
      json.member("schema", "muster.summary/1")
      json.member("matrix", matrix)
      json.member("run", run)
      json.member("started", started.iso8601(milliseconds: true))
      json.member("seconds", seconds)
      json.member("outcome", outcome.rawValue)
      json.member(
        "totals",
        object: { json in
          let totals = totals
          for outcome in Outcome.allCases { json.member(outcome.rawValue, totals[outcome] ?? 0) }
        })
      json.member("machines", object: { $0.members(of: machines) })
      json.member(
        "time",
        object: { json in for part in TimeSpent.Part.allCases { json.member(part.rawValue, time[part]) } })
      if let signal { json.member("signal", signal) }
      if let reason { json.member("reason", reason) }
      if !setup.isEmpty { json.member("setup", array: { json in for step in setup { json.value(step) } }) }
      try json.member(
        "cells",
        array: { json in
          for cell in cells {
            json.value(whole(cell), backend: backend)
            if json.bytes.count > 1 << 16 { try write(json.take()) }
          }
        })
    }
    json.newline()
    try write(json.take())
  }
}

extension JSONWriter {
  fileprivate mutating func members(of machines: MachineCounts) {
    member("launched", machines.launched)
    member("purged", machines.purged)
    if !machines.kept.isEmpty { member("kept", machines.kept.count) }
    member("left", machines.left.count)
  }

  fileprivate mutating func value(_ cell: CellSummary, backend: String) {
    object { json in
      json.member("cell", cell.header.cell)
      json.member("test", cell.header.test)
      json.member("distro", cell.header.distro)
      json.member("axes", axes: cell.header.axes)
      json.member("location", cell.header.location)
      json.member("backend", backend)
      json.member("outcome", cell.outcome.rawValue)
      json.member("blame", cell.blame?.rawValue)
      json.member("seconds", cell.seconds)
      if let reason = cell.reason { json.member("reason", reason) }
      if let remark = cell.remark { json.member("remark", remark) }
      json.member("attempts", array: { json in for attempt in cell.attempts { json.value(attempt) } })
    }
  }

  private mutating func value(_ attempt: AttemptSummary) {
    object { json in
      json.member("machine", attempt.machine)
      json.member("outcome", attempt.outcome.rawValue)
      if let reason = attempt.reason { json.member("reason", reason) }
      json.member(
        "phases",
        array: { json in
          for phase in attempt.phases {
            json.object { json in
              json.member("phase", phase.phase.rawValue)
              json.member("seconds", phase.seconds)
              json.member("steps", array: { json in for step in phase.steps { json.value(step) } })
            }
          }
        })
      json.member("log", attempt.log)
    }
  }
}

/// The values that summaries and events have in common.
extension JSONWriter {
  mutating func value(_ step: StepFinished) {
    object { $0.members(of: step) }
  }

  mutating func members(of step: StepFinished) {
    member("title", step.title)
    member("outcome", step.outcome.rawValue)
    member("seconds", step.seconds)
    if step.tries != 1 { member("tries", step.tries) }
    if step.isKept { member("kept", true) }
    if let location = step.location { member("location", location) }
    if let reason = step.reason { member("reason", reason) }
    if let mismatch = step.mismatch { member("mismatch", mismatch) }
    member("log", step.log)
    if !step.tail.isEmpty { member("tail", array: step.tail) }
  }

  mutating func member(_ name: String, axes: [AxisValue]) {
    member(name, object: { json in for axis in axes { json.member(axis.axis, axis.value) } })
  }

  mutating func member(_ name: String, _ location: Location) {
    member(
      name,
      object: {
        $0.member("file", location.file)
        $0.member("line", location.line)
        $0.member("column", location.column)
      })
  }

  mutating func member(_ name: String, _ reason: Reason) {
    member(
      name,
      object: {
        $0.member("message", reason.message)
        if !reason.evidence.isEmpty { $0.member("evidence", array: reason.evidence) }
        if let hint = reason.hint { $0.member("hint", hint) }
        if let blame = reason.blame { $0.member("blame", blame.rawValue) }
      })
  }

  mutating func member(_ name: String, _ remark: Remark) {
    member(
      name,
      object: {
        $0.member("reason", remark.reason)
        $0.member("location", remark.location)
      })
  }

  private mutating func member(_ name: String, _ mismatch: Mismatch) {
    member(
      name,
      object: {
        $0.member("subject", mismatch.subject)
        $0.member("expected", mismatch.expected)
        $0.member("actual", mismatch.actual)
        if let location = mismatch.location { $0.member("location", location) }
      })
  }
}
