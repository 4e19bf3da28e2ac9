import MusterDiagnostics
package import MusterExecution
package import MusterHost
import MusterMachines
import MusterMatrix

extension EventLine {
  private static let pieceSize: Int64 = 1 << 20

  /// Hands on the events of a record of any length, each with the range of its line in the file, as far as they can be
  /// read: its last line may be torn. Kinds that are not known are left out.
  /// - Throws: `Failure` when there is no record, or it is of another schema.
  package static func read(_ path: String, _ body: (Event, Range<Int64>) -> Void) throws(Failure) {
    let head = try FileSystem.read(path, in: 0..<Int64(header.count))
    guard head == header else { throw Failure(.host, "'\(path)' is no record of a run") }
    var start = Int64(header.count)
    var rest: [UInt8] = []
    while true {
      let next = start + Int64(rest.count)
      let piece = try FileSystem.read(path, in: next..<next + pieceSize)
      rest += piece
      var index = 0
      while let end = rest.index(of: 0x0A, from: index) ?? (piece.isEmpty && index < rest.count ? rest.count : nil) {
        if let event = event(rest[index..<end]) { body(event, start + Int64(index)..<start + Int64(end) + 1) }
        index = end + 1
      }
      if piece.isEmpty { return }
      rest.removeFirst(index)
      start += Int64(index)
    }
  }

  /// The events in a range of a record that begins and ends with a line.
  static func events(in range: Range<Int64>, of path: String) throws(Failure) -> [Event] {
    try FileSystem.read(path, in: range).split(separator: 0x0A).compactMap(event)
  }

  private static func event(_ line: ArraySlice<UInt8>) -> Event? { JSONValue(line).flatMap(Event.init) }
}

extension Event {
  /// What `JSONWriter.line` wrote; `nil` for another kind, or where something lacks.
  init?(_ json: JSONValue) {
    guard let time = json["time"]?.integer, let elapsed = json["elapsed"]?.double, let kind = Kind(json) else {
      return nil
    }
    self.init(time: time, elapsed: elapsed, kind: kind)
  }
}

extension Event.Kind {
  fileprivate init?(_ json: JSONValue) {
    guard let event = json["event"]?.string else { return nil }
    switch event {
    case "run-started": guard let run = RunStarted(json) else { return nil }; self = .runStarted(run)
    case "notice": self = .notice(json["text"]?.string ?? "")
    case "working": self = .working(json["text"]?.string ?? "")
    case "setup-finished": guard let step = StepFinished(json) else { return nil }; self = .setupFinished(step)
    case "run-finished":
      self = .runFinished(
        RunFinished(
          signal: json["signal"]?.integer.map { Int32(truncatingIfNeeded: $0) },
          reason: json["reason"].flatMap(Reason.init)))
    default:
      guard let cell = json["cell"]?.string, let kind = Self.ofCell(event, cell, json) else { return nil }
      self = kind
    }
  }

  private static func ofCell(_ event: String, _ cell: String, _ json: JSONValue) -> Self? {
    let machine = json["machine"]?.string ?? ""
    let attempt = json["attempt"]?.integer.map { Int($0) } ?? 1
    let seconds = json["seconds"]?.double ?? 0
    let reason = json["reason"].flatMap(Reason.init)
    switch event {
    case "cell-started": return .cellStarted(cell: cell)
    case "cell-progress": return .cellProgress(cell: cell, activity: json["activity"]?.string ?? "")
    case "image-ready": return .imageReady(cell: cell, image: json["image"]?.string ?? "", seconds: seconds)
    case "waiting": return .waiting(cell: cell, seconds: seconds)
    case "attempt-started":
      return .attemptStarted(cell: cell, attempt: attempt, machine: machine, log: json["log"]?.string ?? "")
    case "machine-launched":
      // Records of older versions do not say it.
      let start = json["start"]?.string.flatMap(MachineStart.init) ?? .booted
      return .machineLaunched(cell: cell, machine: machine, start: start)
    case "machine-purged": return .machinePurged(cell: cell, machine: machine)
    case "machine-kept": return .machineKept(cell: cell, machine: machine, path: json["path"]?.string ?? "")
    case "machine-left": return reason.map { .machineLeft(cell: cell, machine: machine, reason: $0) }
    case "launch-retried": return reason.map { .launchRetried(cell: cell, attempt: attempt, reason: $0) }
    case "slow":
      return .slow(cell: cell, what: json["what"]?.string ?? "", seconds: seconds, limit: json["limit"]?.double ?? 0)
    case "step-retried":
      return reason.map {
        .stepRetried(cell: cell, attempt: attempt, title: json["title"]?.string ?? "", reason: $0)
      }
    case "attempt-finished":
      guard let outcome = Outcome(json) else { return nil }
      return .attemptFinished(
        AttemptFinished(
          cell: cell, attempt: attempt, machine: machine, outcome: outcome, reason: reason,
          log: json["log"]?.string ?? ""))
    case "cell-finished":
      guard let outcome = Outcome(json) else { return nil }
      return .cellFinished(
        CellFinished(
          cell: cell, outcome: outcome, seconds: seconds, reason: reason,
          location: json["location"].flatMap(Location.init), remark: json["remark"].flatMap(Remark.init)))
    default: return ofPhase(event, cell, attempt, seconds, json)
    }
  }

  private static func ofPhase(
    _ event: String, _ cell: String, _ attempt: Int, _ seconds: Double, _ json: JSONValue
  ) -> Self? {
    guard let phase = json["phase"]?.string.flatMap(PhaseName.init) else { return nil }
    switch event {
    case "phase-started": return .phaseStarted(cell: cell, attempt: attempt, phase: phase)
    case "phase-finished": return .phaseFinished(cell: cell, attempt: attempt, phase: phase, seconds: seconds)
    case "step-started":
      return .stepStarted(
        cell: cell, attempt: attempt, phase: phase, title: json["title"]?.string ?? "",
        location: json["location"].flatMap(Location.init))
    case "step-finished":
      return StepFinished(json).map { .stepFinished(cell: cell, attempt: attempt, phase: phase, step: $0) }
    default: return nil
    }
  }
}

extension RunStarted {
  fileprivate init?(_ json: JSONValue) {
    guard let run = json["run"]?.string, let cells = json["cells"]?.array else { return nil }
    self.init(
      run: run, matrix: json["matrix"]?.string ?? "", file: json["file"]?.string ?? "",
      backend: json["backend"]?.string ?? "", accelerator: json["accelerator"]?.string,
      output: json["output"]?.string ?? "", timeScale: json["timeScale"]?.double ?? 1,
      cells: cells.compactMap(CellHeader.init))
  }
}

extension CellHeader {
  fileprivate init?(_ json: JSONValue) {
    guard let cell = json["cell"]?.string, let location = json["location"].flatMap(Location.init) else { return nil }
    var axes: [AxisValue] = []
    if case .object(let members) = json["axes"] {
      axes = members.compactMap { name, value in value.string.map { AxisValue(axis: name, value: $0) } }
      // The order of an object's members is not kept; that in the cell's name is.
      axes.sort { cell.position(of: $0) < cell.position(of: $1) }
    }
    self.init(
      cell: cell, test: json["test"]?.string ?? "", distro: json["distro"]?.string ?? "", axes: axes,
      location: location, expectedFailure: json["expectedFailure"].flatMap(Remark.init))
  }
}

extension String {
  /// Where an axis stands in the name of a cell, such as `sizes[memory=2G,locale=C]@debian-12`.
  fileprivate func position(of axis: AxisValue) -> Int {
    let parts = split { $0 == "[" || $0 == "," || $0 == "]" }
    return parts.firstIndex { $0.hasPrefix("\(axis.axis)=") } ?? parts.count
  }
}

extension StepFinished {
  fileprivate init?(_ json: JSONValue) {
    guard let title = json["title"]?.string, let outcome = Outcome(json) else { return nil }
    self.init(
      title: title, location: json["location"].flatMap(Location.init), outcome: outcome,
      seconds: json["seconds"]?.double ?? 0, tries: json["tries"]?.integer.map { Int($0) } ?? 1,
      reason: json["reason"].flatMap(Reason.init), mismatch: json["mismatch"].flatMap(Mismatch.init),
      log: json["log"]?.string, tail: json["tail"]?.array?.compactMap(\.string) ?? [],
      isKept: json["kept"]?.boolean ?? false)
  }
}

extension Outcome {
  fileprivate init?(_ json: JSONValue) {
    guard let outcome = json["outcome"]?.string.flatMap(Outcome.init(rawValue:)) else { return nil }
    self = outcome
  }
}

extension Reason {
  fileprivate init?(_ json: JSONValue) {
    guard let message = json["message"]?.string else { return nil }
    self.init(
      message, evidence: json["evidence"]?.array?.compactMap(\.string) ?? [], hint: json["hint"]?.string,
      blame: json["blame"]?.string.flatMap(Blame.init(rawValue:)))
  }
}

extension Mismatch {
  fileprivate init?(_ json: JSONValue) {
    guard let subject = json["subject"]?.string else { return nil }
    self.init(
      subject: subject, expected: json["expected"]?.string ?? "", actual: json["actual"]?.string ?? "",
      location: json["location"].flatMap(Location.init))
  }
}

extension Remark {
  fileprivate init?(_ json: JSONValue) {
    guard let reason = json["reason"]?.string, let location = json["location"].flatMap(Location.init) else {
      return nil
    }
    self.init(reason: reason, location: location)
  }
}

extension Location {
  fileprivate init?(_ json: JSONValue) {
    guard let file = json["file"]?.string, let line = json["line"]?.integer else { return nil }
    self.init(file: file, line: Int(line), column: json["column"]?.integer.map { Int($0) } ?? 1)
  }
}
