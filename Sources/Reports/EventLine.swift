package import MusterExecution
package import MusterHost
import MusterMachines
import MusterMatrix

/// Events as lines of JSON. The first line of a file names the schema; each further line is an event: `time`
/// (milliseconds since 1970), `elapsed` (seconds since the run started), `event` (the kind) and what the kind holds.
/// A reader ignores kinds and members that it does not know.
package enum EventLine {
  package static let header = Array("{\"schema\":\"muster.events/1\"}\n".utf8)
}

extension JSONWriter {
  /// Writes the event as one line.
  package mutating func line(_ event: Event) {
    object { json in
      json.member("time", event.time)
      json.member("elapsed", event.elapsed)
      json.members(of: event.kind)
    }
    newline()
  }

  private mutating func members(of kind: Event.Kind) {
    switch kind {
    case .runStarted(let run): members(of: run)
    case .notice(let text):
      member("event", "notice")
      member("text", text)
    case .working(let text):
      member("event", "working")
      member("text", text)
    case .setupFinished(let step):
      member("event", "setup-finished")
      members(of: step)
    case .machineLaunched, .machinePurged, .machineLeft, .machineKept: machineMembers(of: kind)
    case .phaseStarted, .stepStarted, .slow, .stepRetried, .stepFinished, .phaseFinished: stepMembers(of: kind)
    case .cellStarted, .cellProgress, .imageReady, .waiting, .attemptStarted, .launchRetried, .attemptFinished,
      .cellFinished:
      cellMembers(of: kind)
    case .runFinished(let end):
      member("event", "run-finished")
      if let signal = end.signal { member("signal", signal) }
      if let reason = end.reason { member("reason", reason) }
    }
  }

  private mutating func members(of run: RunStarted) {
    member("event", "run-started")
    member("run", run.run)
    member("matrix", run.matrix)
    member("file", run.file)
    member("backend", run.backend)
    member("accelerator", run.accelerator)
    member("output", run.output)
    member("timeScale", run.timeScale)
    member(
      "cells",
      array: { json in
        for cell in run.cells {
          json.object {
            $0.member("cell", cell.cell)
            $0.member("test", cell.test)
            $0.member("distro", cell.distro)
            if !cell.axes.isEmpty { $0.member("axes", axes: cell.axes) }
            $0.member("location", cell.location)
            if let remark = cell.expectedFailure { $0.member("expectedFailure", remark) }
          }
        }
      })
  }

  private mutating func machineMembers(of kind: Event.Kind) {
    func head(_ name: String, _ cell: String, _ machine: String) {
      member("event", name)
      member("cell", cell)
      member("machine", machine)
    }
    switch kind {
    case .machineLaunched(let cell, let machine, let start):
      head("machine-launched", cell, machine)
      member("start", start.rawValue)
    case .machinePurged(let cell, let machine): head("machine-purged", cell, machine)
    case .machineLeft(let cell, let machine, let reason):
      head("machine-left", cell, machine)
      member("reason", reason)
    case .machineKept(let cell, let machine, let path):
      head("machine-kept", cell, machine)
      member("path", path)
    default: break
    }
  }

  private mutating func stepMembers(of kind: Event.Kind) {
    func head(_ name: String, _ cell: String, _ attempt: Int? = nil, _ phase: PhaseName? = nil) {
      member("event", name)
      member("cell", cell)
      if let attempt { member("attempt", attempt) }
      if let phase { member("phase", phase.rawValue) }
    }
    switch kind {
    case .phaseStarted(let cell, let attempt, let phase): head("phase-started", cell, attempt, phase)
    case .phaseFinished(let cell, let attempt, let phase, let seconds):
      head("phase-finished", cell, attempt, phase)
      member("seconds", seconds)
    case .stepStarted(let cell, let attempt, let phase, let title, let location):
      head("step-started", cell, attempt, phase)
      member("title", title)
      if let location { member("location", location) }
    case .stepFinished(let cell, let attempt, let phase, let step):
      head("step-finished", cell, attempt, phase)
      members(of: step)
    case .stepRetried(let cell, let attempt, let title, let reason):
      head("step-retried", cell, attempt)
      member("title", title)
      member("reason", reason)
    case .slow(let cell, let what, let seconds, let limit):
      head("slow", cell)
      member("what", what)
      member("seconds", seconds)
      member("limit", limit)
    default: break
    }
  }

  private mutating func cellMembers(of kind: Event.Kind) {
    func head(_ name: String, _ cell: String) {
      member("event", name)
      member("cell", cell)
    }
    switch kind {
    case .cellStarted(let cell): head("cell-started", cell)
    case .cellProgress(let cell, let activity):
      head("cell-progress", cell)
      member("activity", activity)
    case .imageReady(let cell, let image, let seconds):
      head("image-ready", cell)
      member("image", image)
      member("seconds", seconds)
    case .waiting(let cell, let seconds):
      head("waiting", cell)
      member("seconds", seconds)
    case .attemptStarted(let cell, let attempt, let machine, let log):
      head("attempt-started", cell)
      member("attempt", attempt)
      member("machine", machine)
      member("log", log)
    case .launchRetried(let cell, let attempt, let reason):
      head("launch-retried", cell)
      member("attempt", attempt)
      member("reason", reason)
    case .attemptFinished(let end):
      head("attempt-finished", end.cell)
      member("attempt", end.attempt)
      member("machine", end.machine)
      member("outcome", end.outcome.rawValue)
      if let reason = end.reason { member("reason", reason) }
      member("log", end.log)
    case .cellFinished(let end):
      head("cell-finished", end.cell)
      member("outcome", end.outcome.rawValue)
      member("seconds", end.seconds)
      if let reason = end.reason { member("reason", reason) }
      if let location = end.location { member("location", location) }
      if let remark = end.remark { member("remark", remark) }
    default: break
    }
  }
}
