import MusterDiagnostics
import MusterExecution
import MusterHost
import MusterMachines
import MusterMatrix

/// Writes down the events of a run, by hand, a quarter of a second apart unless told otherwise.
struct EventScript {
  static let start: Int64 = 1_763_700_000_000

  private(set) var events: [Event] = []
  private(set) var elapsed = 0.0

  mutating func add(after seconds: Double = 0.25, _ kind: Event.Kind) {
    elapsed += events.isEmpty ? 0 : seconds
    events.append(Event(time: Self.start + Int64(elapsed * 1000), elapsed: elapsed, kind: kind))
  }

  mutating func start(
    _ cells: [String], expectedToFail: Set<String> = [], file: String = "matrix.yaml", matrix: String = "Greeter 1.2"
  ) {
    add(
      .runStarted(
        RunStarted(
          run: "20251121T044000Z-1f9a3c", matrix: matrix, file: file, backend: "qemu", accelerator: "tcg",
          output: "/out", timeScale: 4,
          cells: cells.enumerated().map { index, cell in
            var header = Self.header(cell, line: 20 + index, file: file)
            if expectedToFail.contains(cell) {
              header.expectedFailure = Remark(
                reason: "greeter#12", location: Location(file: file, line: 90, column: 5))
            }
            return header
          })))
  }

  static func header(_ cell: String, line: Int, file: String = "matrix.yaml") -> CellHeader {
    let parts = cell.split(separator: "@").map(String.init)
    let test = parts[0].prefix { $0 != "[" }
    let axes = parts[0].dropFirst(test.count).trimming { "[]".contains($0) }
      .split(separator: ",").map { $0.split(separator: "=").map(String.init) }
      .map { AxisValue(axis: $0[0], value: $0[1]) }
    return CellHeader(
      cell: cell, test: String(test), distro: parts[1], axes: axes,
      location: Location(file: file, line: line, column: 3))
  }

  mutating func begin(_ cell: String) {
    add(.cellStarted(cell: cell))
  }

  /// An attempt up to a machine that is ready.
  mutating func launch(_ cell: String, attempt: Int = 1, _ start: MachineStart = .booted) {
    add(.attemptStarted(cell: cell, attempt: attempt, machine: machine(cell, attempt), log: log(cell, attempt)))
    add(.phaseStarted(cell: cell, attempt: attempt, phase: .launch))
    add(after: 8, .machineLaunched(cell: cell, machine: machine(cell, attempt), start: start))
    add(.phaseFinished(cell: cell, attempt: attempt, phase: .launch, seconds: 8.25))
  }

  mutating func verify(_ cell: String, attempt: Int = 1, _ steps: StepFinished...) {
    add(.phaseStarted(cell: cell, attempt: attempt, phase: .verify))
    for step in steps {
      add(.stepStarted(cell: cell, attempt: attempt, phase: .verify, title: step.title, location: step.location))
      add(after: step.seconds, .stepFinished(cell: cell, attempt: attempt, phase: .verify, step: step))
    }
    let seconds = steps.reduce(0) { $0 + $1.seconds + 0.25 }
    add(.phaseFinished(cell: cell, attempt: attempt, phase: .verify, seconds: seconds))
  }

  mutating func purge(_ cell: String, attempt: Int = 1, _ outcome: Outcome, _ reason: Reason? = nil) {
    add(.phaseStarted(cell: cell, attempt: attempt, phase: .purge))
    add(.machinePurged(cell: cell, machine: machine(cell, attempt)))
    add(.phaseFinished(cell: cell, attempt: attempt, phase: .purge, seconds: 0.25))
    add(
      .attemptFinished(
        AttemptFinished(
          cell: cell, attempt: attempt, machine: machine(cell, attempt), outcome: outcome, reason: reason,
          log: log(cell, attempt))))
  }

  mutating func finish(
    _ cell: String, _ outcome: Outcome, _ seconds: Double, _ reason: Reason? = nil, _ remark: String? = nil
  ) {
    add(
      .cellFinished(
        CellFinished(
          cell: cell, outcome: outcome, seconds: seconds, reason: reason,
          remark: remark.map { Remark(reason: $0, location: Location(file: "matrix.yaml", line: 90, column: 5)) })))
  }

  /// A cell of one attempt with these steps.
  mutating func cell(
    _ cell: String, _ outcome: Outcome, _ steps: StepFinished..., reason: Reason? = nil, remark: String? = nil
  ) {
    begin(cell)
    launch(cell)
    for step in steps { verify(cell, step) }
    let attempt: Outcome =
      switch outcome {
      case .unexpectedPass: .passed
      case .expectedFailure: .failed
      default: outcome
      }
    purge(cell, attempt, reason)
    finish(cell, outcome, 12.5, reason, remark)
  }

  func machine(_ cell: String, _ attempt: Int) -> String {
    "muster-\(cell.prefix { $0 != "@" && $0 != "[" })-\(attempt)"
  }

  func log(_ cell: String, _ attempt: Int) -> String { "cells/\(cell)/\(attempt)" }
}

extension StepFinished {
  static func passing(_ title: String = "greeter --version", tail: [String] = []) -> StepFinished {
    StepFinished(
      title: title, location: Location(file: "matrix.yaml", line: 41, column: 9), outcome: .passed, seconds: 1.5,
      log: "cells/verify-1.log", tail: tail)
  }

  static func failing(_ title: String = "greeter --version", tail: [String] = ["greeter 1.1.0"]) -> StepFinished {
    StepFinished(
      title: title, location: Location(file: "matrix.yaml", line: 41, column: 9), outcome: .failed, seconds: 0.5,
      mismatch: Mismatch(
        subject: "stdout", expected: "contains \"1.2.0\"", actual: "\"greeter 1.1.0\"",
        location: Location(file: "matrix.yaml", line: 42, column: 27)),
      log: "cells/verify-1.log", tail: tail)
  }
}

extension Substring {
  fileprivate func trimming(_ isTrimmed: (Character) -> Bool) -> Substring {
    var rest = self
    while let first = rest.first, isTrimmed(first) { rest.removeFirst() }
    while let last = rest.last, isTrimmed(last) { rest.removeLast() }
    return rest
  }
}

/// Text that tries to leave wherever it is put.
let hostileLines = [
  "::error file=a,line=1::not ours", "##[error]not ours", "  ::set-output name=x::y",
  "]]> <b>&amp;</b> \"quoted\" 'single'",
  "```", "````markdown", "| a | b |", "\u{1B}[31mred\u{1B}[0m \u{1B}]0;title\u{7}bell\u{8}\u{8}",
  "null \0 del \u{7F} c1 \u{9B}2J",
  "rtl \u{202E}gnp.exe\u{2066}", "line\u{2028}separator\rreturn",
  String(decoding: [0x62, 0xFF, 0xC0, 0x80], as: UTF8.self),
  "\u{FFFE}\u{FFFF}", "wide 漢字 👩‍👩‍👧 e\u{301}", "<script>alert(1)</script> @everyone [x](javascript:1) ![i](http://x)",
  "%0A%25 100%",
]

enum SampleRun {
  static let cells = [
    "apt@debian-12", "apt@ubuntu-24.04", "apt@ours", "sizes[memory=512M,locale=C]@debian-12", "rpm@fedora-44",
    "rpm@ours", "aur@arch", "flaky@debian-12", "hang@debian-12", "boot@arch", "late@arch",
  ]

  /// A run in which each outcome occurs, ended by a signal before its last cell.
  static var events: [Event] {
    var script = EventScript()
    script.start(cells, expectedToFail: [cells[3], cells[5]])
    script.add(.notice("time-outs are multiplied by 4, since there is no KVM: /dev/kvm does not exist"))
    script.add(.setupFinished(.passing("./build-packages.sh")))
    script.cell(cells[0], .passed, .passing(), .passing("check service greeterd"))
    script.cell(cells[1], .failed, .passing("true"), .failing(tail: ["greeter 1.1.0"] + hostileLines))
    script.finish(cells[2], .skipped, 0, nil, "needs fuse2 from the AUR")
    script.cell(cells[3], .expectedFailure, .failing(), remark: "greeter#12")
    mirrorDown(&script, cells[4])
    script.cell(cells[5], .unexpectedPass, .passing(), remark: "greeter#13 | <b>")
    script.add(.working("downloading arch: 40 %, 12 s left"))
    script.cell(cells[6], .passed, .passing("greeter --version\nsecond line of a script"))
    flaky(&script, cells[7])
    var hanging = StepFinished.passing("sleep infinity")
    hanging.outcome = .timedOut
    hanging.reason = Reason("no end after 40m", hint: "the step's time-out is 10m, times 4")
    script.cell(cells[8], .timedOut, hanging, reason: Reason("no end after 40m"))
    script.begin(cells[9])
    script.launch(cells[9])
    script.add(.slow(cell: cells[9], what: "launch", seconds: 240, limit: 300))
    script.add(
      .machineLeft(
        cell: cells[9], machine: script.machine(cells[9], 1),
        reason: Reason("QEMU (process 4711) did not end", hint: "kill -9 4711", blame: .host)))
    script.add(.runFinished(RunFinished(signal: 2)))
    return script.events
  }

  private static func mirrorDown(_ script: inout EventScript, _ cell: String) {
    let down = Reason(
      "cannot reach mirror.example",
      evidence: ["Err:1 http://mirror.example stable InRelease", "  Connection refused"],
      hint: "run again later", blame: .mirror)
    script.begin(cell)
    script.add(.attemptStarted(cell: cell, attempt: 1, machine: script.machine(cell, 1), log: script.log(cell, 1)))
    script.add(.phaseStarted(cell: cell, attempt: 1, phase: .launch))
    script.add(.cellProgress(cell: cell, activity: "downloading fedora/44: 3 %, 2m left"))
    script.add(.cellProgress(cell: cell, activity: "downloading fedora/44: 4 %, 2m left"))
    script.add(.launchRetried(cell: cell, attempt: 1, reason: down))
    script.add(.waiting(cell: cell, seconds: 1))
    script.add(after: 2, .phaseFinished(cell: cell, attempt: 1, phase: .launch, seconds: 2.75))
    script.purge(cell, .error, down)
    script.finish(cell, .error, 4, down)
  }

  private static func flaky(_ script: inout EventScript, _ cell: String) {
    script.begin(cell)
    script.add(after: 3, .imageReady(cell: cell, image: "debian/12", seconds: 3))
    script.launch(cell)
    script.verify(cell, .failing())
    script.purge(cell, .failed)
    script.add(.waiting(cell: cell, seconds: 2))
    script.launch(cell, attempt: 2, .resumed)
    script.add(.stepRetried(cell: cell, attempt: 2, title: "greeter --version", reason: Reason("exit status 7")))
    script.verify(cell, attempt: 2, .passing())
    script.purge(cell, attempt: 2, .passed)
    script.finish(cell, .flaky, 30)
  }
}
