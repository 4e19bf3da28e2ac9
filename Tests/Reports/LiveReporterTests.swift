import MusterExecution
import Testing

@testable import MusterReports

@Suite struct LiveReporterTests {
  /// A run on a screen, event by event.
  private struct Session {
    var screen: Screen
    var fold = SummaryFold()
    var reporter: LiveReporter
    var script = EventScript()
    var drawings = 0

    init(width: Int = 60, verbosity: Verbosity = .normal, isColored: Bool = false) {
      screen = Screen(width: width)
      let paint = Paint(isColored: isColored)
      reporter = LiveReporter(
        lines: PlainReporter(results: paint, progress: paint, verbosity: verbosity, isLive: true), paint: paint)
    }

    mutating func play(_ body: (inout EventScript) -> Void) {
      let count = script.events.count
      body(&script)
      for event in script.events[count...] {
        fold.add(event)
        reporter.width = screen.width
        show(reporter.receive(event, finished: fold.finishedCell(of: event)))
      }
    }

    mutating func tick(_ elapsed: Double) {
      reporter.width = screen.width
      show(reporter.tick(elapsed: elapsed))
    }

    mutating func show(_ output: [ConsoleOutput]) {
      drawings += output.count
      for output in output { screen.write(output.text) }
    }
  }

  private let first = "   0:00  Greeter 1.2: 2 cells on qemu (tcg)"

  @Test func runningCellIsTheLastLine() {
    var session = Session()
    session.play { script in
      script.start(["a@x", "b@x"])
      script.begin("a@x")
      script.launch("a@x")
    }
    session.tick(75)
    #expect(session.screen.lines == [first, "[1/2] 1m 14s  a@x · launch"])
    session.play { $0.add(.cellProgress(cell: "a@x", activity: "waiting for ssh")) }
    session.tick(80)
    #expect(session.screen.lines == [first, "[1/2] 1m 19s  a@x · launch · waiting for ssh"])
  }

  @Test func finishedCellsScroll() {
    var session = Session()
    session.play { script in
      script.start(["a@x", "b@x"])
      script.cell("a@x", .passed, .passing())
      script.begin("b@x")
    }
    session.tick(session.script.elapsed + 2)
    #expect(session.screen.lines == [first, "✓ passed             a@x  13s", "[2/2] 2s  b@x"])
  }

  @Test func failureStandsInFullAndTheEndLeavesNoLiveLine() {
    var session = Session(width: 120)
    session.play { script in
      script.start(["a@x"])
      script.cell("a@x", .failed, .failing())
      script.add(.runFinished(RunFinished()))
    }
    session.show(session.reporter.end(session.fold.summary, reports: ["/out/summary.json"]))
    #expect(
      session.screen.lines == [
        "   0:00  Greeter 1.2: 1 cell on qemu (tcg)",
        "✗ failed: a@x, verify: greeter --version",
        "    at        matrix.yaml:42:27",
        "    expected  stdout contains \"1.2.0\"",
        "    actual    \"greeter 1.1.0\"",
        "    output",
        "      | greeter 1.1.0",
        "    log       /out/cells/verify-1.log",
        "✗ failed             a@x  13s  verify: greeter --version: expected stdout contains \"1.2.0\", got \"greeter 1.1.0\"",
        "",
        "✗ failed             a@x  13s  verify: greeter --version: expected stdout contains \"1.2.0\", got \"greeter 1.1.0\"",
        "    matrix.yaml:42:27, log: /out/cells/verify-1.log",
        "",
        "1 cell in 12s: 1 failed",
        "time: 12s = images 0.3s, boot 8.3s, verify 1s, purge 0.5s, muster 1.8s",
        "reports: /out/summary.json",
        "machines: 1 launched, 1 purged, 0 left",
        "",
      ])
    #expect(session.screen.unknown.isEmpty)
  }

  @Test func lineIsTrimmedToTheTerminal() {
    var session = Session(width: 30)
    session.play { script in
      script.start(["a@x"], matrix: "M")
      script.begin("a@x")
      script.add(.cellProgress(cell: "a@x", activity: "downloading debian/12: 40 % of 340 MB, 12s left"))
    }
    session.tick(5)
    #expect(session.screen.lines.last == "[1/1] 4s  a@x · downloading …")
    // Wide letters take two columns.
    session.play { $0.add(.cellProgress(cell: "a@x", activity: "漢字漢字漢字漢字漢字")) }
    session.tick(6)
    #expect(session.screen.lines.last == "[1/1] 5s  a@x · 漢字漢字漢字…")
  }

  @Test(arguments: [25, 12, 100])
  func resizedTerminal(width: Int) {
    var session = Session(width: 50)
    session.play { script in
      script.start(["a@x", "b@x"], matrix: "M")
      script.begin("a@x")
      script.launch("a@x")
      script.add(.cellProgress(cell: "a@x", activity: "waiting for ssh"))
    }
    session.tick(20)
    let line = session.screen.lines.last
    session.screen.resize(to: width)
    session.tick(21)
    session.play { $0.purge("a@x", .passed) }
    session.play { $0.finish("a@x", .passed, 3) }
    #expect(line == "[1/2] 19s  a@x · launch · waiting for ssh")
    // Neither is anything left of the old line, nor is anything of the other lines lost.
    let text = session.screen.lines.joined().filter { $0 != " " }
    #expect(text == "0:00M:2cellsonqemu(tcg)✓passeda@x3s")
  }

  /// A thousand steps of a download within a second are a few drawings.
  @Test func drawsAtMostTenTimesASecond() {
    var session = Session()
    session.play { script in
      script.start(["a@x"])
      script.begin("a@x")
    }
    session.drawings = 0
    session.play { script in
      for step in 0..<1000 { script.add(after: 0.001, .cellProgress(cell: "a@x", activity: "download: \(step)")) }
    }
    #expect((5...11).contains(session.drawings))
    // What was left out is drawn by the next tick.
    session.tick(session.script.elapsed + 0.2)
    #expect(session.screen.lines.last?.hasSuffix("download: 999") == true)
    // And nothing is drawn while nothing changes.
    session.drawings = 0
    for tenth in 3..<8 { session.tick(session.script.elapsed + Double(tenth) / 10) }
    #expect(session.drawings <= 1)
  }

  @Test func hostileTextCannotLeaveItsLine() {
    var session = Session(width: 200, verbosity: .verbose, isColored: true)
    session.play { script in
      script.start(["a@x"])
      script.begin("a@x")
      for line in hostileLines {
        script.add(.cellProgress(cell: "a@x", activity: line))
        script.add(.notice(line))
      }
      script.cell("a@x", .failed, .failing(hostileLines.joined(separator: "\n"), tail: hostileLines))
    }
    #expect(session.screen.unknown.isEmpty)
    #expect(!session.screen.lines.contains { $0.hasPrefix("::") })
  }

  @Test func otherTextTakesTheLineAway() {
    var session = Session()
    session.play { script in
      script.start(["a@x", "b@x"])
      script.begin("a@x")
    }
    session.tick(5)
    session.show(session.reporter.erase())
    session.screen.write("stopping\n")
    session.tick(6)
    #expect(session.screen.lines == [first, "stopping", "[1/2] 5s  a@x"])
  }
}

@Suite struct PlainReporterTests {
  private var reporter: PlainReporter {
    PlainReporter(results: Paint(isColored: false), progress: Paint(isColored: false), verbosity: .normal)
  }

  @Test func heartbeat() {
    var reporter = reporter
    var script = EventScript()
    script.start(["a@x"])
    script.begin("a@x")
    script.add(.attemptStarted(cell: "a@x", attempt: 1, machine: "m", log: "a"))
    script.add(.phaseStarted(cell: "a@x", attempt: 1, phase: .verify))
    script.add(.stepStarted(cell: "a@x", attempt: 1, phase: .verify, title: "make check\nmore", location: nil))
    for event in script.events { _ = reporter.receive(event, finished: nil) }
    // The last line was written at 0.75 s.
    #expect(reporter.tick(elapsed: 30.5).isEmpty)
    #expect(
      reporter.tick(elapsed: 31).map(\.text) == ["   0:31  still a@x, verify, make check …, for 30s\n"])
    #expect(reporter.tick(elapsed: 60).isEmpty)
    #expect(
      reporter.tick(elapsed: 91).map(\.text) == ["   1:31  still a@x, verify, make check …, for 1m 30s\n"])
  }

  @Test func noHeartbeatBeforeAndAfterTheRun() {
    var reporter = reporter
    #expect(reporter.tick(elapsed: 100).isEmpty)
    var script = EventScript()
    script.start(["a@x"])
    script.add(.runFinished(RunFinished()))
    for event in script.events { _ = reporter.receive(event, finished: nil) }
    #expect(reporter.tick(elapsed: 100).isEmpty)
  }

  @Test func workIsToldOnce() {
    var reporter = reporter
    var script = EventScript()
    script.start(["a@x"])
    script.begin("a@x")
    for percent in 0..<100 { script.add(.cellProgress(cell: "a@x", activity: "downloading x: \(percent) %")) }
    script.add(.cellProgress(cell: "a@x", activity: "checking x"))
    let lines = script.events.flatMap { reporter.receive($0, finished: nil) }.map(\.text)
    #expect(lines.count == 4)
  }
}
