import MusterExecution
import MusterHost
import Synchronization
import SystemPackage
import Testing

@testable import MusterReports

@Suite struct ReportersTests {
  /// What was written to the standard streams.
  private final class Streams: Sendable {
    private let output = Mutex<[ConsoleOutput]>([])

    func write(_ piece: ConsoleOutput) { output.withLock { $0.append(piece) } }

    func text(_ stream: ConsoleOutput.Stream) -> String {
      output.withLock { $0.filter { $0.stream == stream }.map(\.text).joined() }
    }
  }

  @discardableResult
  private func run(
    _ options: ReportOptions, _ events: [Event] = SampleRun.events, streams: Streams = Streams()
  ) async throws -> MusterReports.ExitStatus {
    let reporters = try Reporters(options, write: streams.write, columns: { 80 })
    for event in events { await reporters.receive(event) }
    return await reporters.finish()
  }

  @Test func allReports() async throws {
    try await withFolder { folder in
      var options = ReportOptions(output: folder + "/out")
      // Their folders are made.
      options.json = folder + "/a/b/summary.json"
      options.junit = folder + "/a/junit.xml"
      options.markdown = folder + "/summary.md"
      options.events = folder + "/a/events.jsonl"
      let streams = Streams()
      let status = try await run(options, streams: streams)
      #expect(status == .failed)
      for name in [
        "out/summary.json", "out/events.jsonl", "a/b/summary.json", "a/junit.xml", "summary.md", "a/events.jsonl",
      ] {
        let golden = name.split(separator: "/").last.map(String.init) ?? ""
        try expectGolden(try FileSystem.readText(folder + "/" + name), golden)
      }
      #expect(try FileSystem.names(in: folder) == ["a", "out", "summary.md"])
      #expect(try FileSystem.names(in: folder + "/out") == ["events.jsonl", "summary.json"])
      #expect(streams.text(.out).hasSuffix("machines: 9 launched, 8 purged, 1 left\n"))
      let reports = [
        "out/summary.json", "a/b/summary.json", "a/junit.xml", "summary.md", "a/events.jsonl",
      ].map { folder + "/" + $0 }
      #expect(streams.text(.out).contains("reports: \(reports.joined(separator: ", "))\n"))
    }
  }

  /// A run that is killed leaves its events up to then.
  @Test func eventsAreWrittenAsTheyCome() async throws {
    try await withFolder { folder in
      let reporters = try Reporters(ReportOptions(output: folder), write: { _ in }, columns: { nil })
      for (index, event) in SampleRun.events.prefix(5).enumerated() {
        await reporters.receive(event)
        let lines = try FileSystem.readText(folder + "/events.jsonl").split(separator: "\n")
        #expect(lines.count == index + 2)
      }
    }
  }

  /// What a finished cell did is in the record alone, and from there in the reports.
  @Test func finishedCellsAreReleased() async throws {
    try await withFolder { folder in
      let reporters = try Reporters(ReportOptions(output: folder), write: { _ in }, columns: { nil })
      for event in SampleRun.events { await reporters.receive(event) }
      let (summary, whole) = (await reporters.summary, SummaryFold(SampleRun.events).summary)
      for (cell, other) in zip(summary.cells, whole.cells) {
        #expect((cell.outcome, cell.blame, cell.seconds) == (other.outcome, other.blame, other.seconds))
        // The one that has not ended when the run does is kept.
        #expect(cell.attempts.isEmpty == (cell.header.cell != "boot@arch"))
        #expect((cell.released != nil) == (!other.attempts.isEmpty && cell.attempts.isEmpty))
      }
      // Without the record there is still a summary.
      try FileSystem.remove(folder + "/events.jsonl")
      #expect(await reporters.finish() == .failed)
      let json = try #require(JSONValue(FileSystem.read(folder + "/summary.json")))
      #expect(json["cells"]?.array?.map { $0["outcome"]?.string } == whole.cells.map(\.outcome.rawValue))
    }
  }

  /// Wherever a run was killed, its reports are those of what it told and of the end that another process told for it.
  @Test func reportsOfAKilledRun() async throws {
    try await withFolder { folder in
      for end in 1..<SampleRun.events.count {
        var options = ReportOptions(output: "\(folder)/\(end)")
        options.junit = "\(folder)/\(end).xml"
        let killed = try Reporters(options, write: { _ in }, columns: { nil })
        for event in SampleRun.events[..<end] { await killed.receive(event) }
        let torn = try AppendedFile(Reporters.record(of: options))
        try torn.append("{\"time\":17")
        torn.close()

        options.continues = true
        let reporters = try Reporters(options, write: { _ in }, columns: { nil })
        let epilogue = try await reporters.recall()
        #expect(epilogue.began == SampleRun.events[0].time)
        let rest = epilogue.events([]).map { Event(time: SampleRun.events[end].time, elapsed: 200, kind: $0) }
        for event in rest { await reporters.receive(event) }
        _ = await reporters.finish()
        let whole = SummaryFold(SampleRun.events[..<end] + rest).summary
        #expect(whole.isFinished)
        #expect(try FileSystem.read("\(folder)/\(end)/summary.json") == whole.json)
        #expect(
          try FileSystem.readText("\(folder)/\(end).xml")
            == String(decoding: JUnit.bytes(of: whole), as: UTF8.self))
      }
    }
  }

  @Test func recordOfAnOlderRunIsReplaced() async throws {
    try await withFolder { folder in
      try FileSystem.write("old\n", to: folder + "/events.jsonl")
      try await run(ReportOptions(output: folder))
      #expect(try FileSystem.readText(folder + "/events.jsonl").hasPrefix("{\"schema\":\"muster.events/1\"}\n"))
    }
  }

  @Test func reportThatCannotBeWrittenIsToldBeforeTheRun() async throws {
    try await withFolder { folder in
      try FileSystem.write("", to: folder + "/file")
      let paths: [WritableKeyPath<ReportOptions, String?>] = [\.json, \.junit, \.markdown, \.events]
      for path in paths {
        for target in ["/file/report", ""] {
          var options = ReportOptions(output: folder + "/out")
          options[keyPath: path] = folder + target
          #expect(throws: Failure.self) { try Reporters(options) }
        }
      }
    }
  }

  @Test func reportThatCannotBeWrittenAfterTheRun() async throws {
    try await withFolder { folder in
      var options = ReportOptions(output: folder + "/out")
      options.junit = folder + "/junit.xml"
      let streams = Streams()
      let reporters = try Reporters(options, write: streams.write, columns: { 80 })
      var script = EventScript()
      script.start(["a@x"])
      script.cell("a@x", .passed, .passing())
      for event in script.events { await reporters.receive(event) }
      try FileSystem.createFolder(folder + "/junit.xml")
      let status = await reporters.finish()
      #expect(status == .reportNotWritten)
      #expect(streams.text(.error).contains("a report is not written: cannot write '\(folder)/junit.xml'"))
      // The others are.
      #expect(FileSystem.isFile(folder + "/out/summary.json"))
      #expect(streams.text(.out).contains("1 passed"))
    }
  }

  /// `/dev/full` takes nothing: the run goes on, and says so once.
  @Test(.enabled(if: FileSystem.isDevice("/dev/full"))) func recordThatBreaks() async throws {
    try await withFolder { folder in
      var options = ReportOptions(output: folder)
      options.events = "/dev/full"
      #expect(throws: Failure.self) { try Reporters(options) }
      var script = EventScript()
      script.start(["a@x"])
      var recorder = try RunRecorder(folder + "/events.jsonl")
      recorder.close()
      recorder.append([0x0A])
      recorder.append([0x0A])
      #expect(recorder.failure != nil)
    }
  }

  /// A link stands for the device here, so that a mistake cannot harm the host.
  @Test func deviceStaysADevice() async throws {
    try await withFolder { folder in
      let link = folder + "/null"
      let linking = try await HostCommand("ln", ["-s", "/dev/null", link]).run()
      #expect(linking.ending.isSuccess)
      var options = ReportOptions(output: folder + "/out")
      (options.json, options.junit, options.events) = (link, link, link)
      let status = try await run(options)
      #expect(status == .failed)
      #expect(try FileSystem.information(link, followingLink: false)?.type == .symbolicLink)
    }
  }

  /// A reader of the results that goes away, such as `head`, does not end the run.
  @Test func closedStandardOutput() async throws {
    try await withFolder { folder in
      let streams = Streams()
      let reporters = try Reporters(
        ReportOptions(output: folder),
        write: {
          if $0.stream == .out { throw Failure(.host, "broken pipe") }
          streams.write($0)
        }, columns: { nil })
      for event in SampleRun.events { await reporters.receive(event) }
      #expect(await reporters.finish() == .failed)
      #expect(streams.text(.error).contains("hang@debian-12"))
    }
  }

  @Test func stepSummaryIsAddedToAndCut() async throws {
    try await withFolder { folder in
      let path = folder + "/step.md"
      var options = ReportOptions(output: folder + "/out")
      options.github = GitHubActions(workspace: folder, stepSummary: path, directory: folder)
      try FileSystem.write("before\n", to: path)
      try await run(options)
      let golden = String(decoding: Markdown.bytes(of: SummaryFold(SampleRun.events).summary), as: UTF8.self)
      #expect(try FileSystem.readText(path) == "before\n" + golden)

      var script = EventScript()
      let names = (0..<200).map { "c\($0)@x" }
      script.start(names)
      let noise = String(repeating: "x", count: 1000)
      for name in names { script.cell(name, .failed, .failing(tail: Array(repeating: noise, count: 20))) }
      try await run(options, script.events)
      let text = try FileSystem.readText(path)
      #expect(text.utf8.count <= 1 << 20)
      #expect(text.utf8.count > 1_000_000)
      #expect(text.contains("\nMore is left out here; the summary in JSON holds all.\n"))
      #expect(text.hasSuffix("machines: 200 launched, 200 purged, 0 left\n"))
      // A third run finds no room, and leaves it at that.
      try await run(options, script.events)
      #expect(try FileSystem.readText(path).utf8.count <= 1 << 20)
    }
  }

  @Test func liveTerminal() async throws {
    try await withFolder { folder in
      var options = ReportOptions(output: folder)
      options.isLive = true
      let screen = Mutex(Screen(width: 100))
      let reporters = try Reporters(
        options, write: { output in screen.withLock { $0.write(output.text) } }, columns: { 100 })
      for event in SampleRun.events.prefix(20) { await reporters.receive(event) }
      await reporters.say("stopping after the step\u{1B}[2J")
      for event in SampleRun.events.dropFirst(20) { await reporters.receive(event) }
      _ = await reporters.finish()
      let (lines, unknown) = screen.withLock { ($0.lines, $0.unknown) }
      #expect(unknown.isEmpty)
      #expect(lines.contains("stopping after the step␛[2J"))
      #expect(lines.suffix(2) == ["machines: 9 launched, 8 purged, 1 left", ""])
      #expect(!lines.contains { $0.hasPrefix("[") })
    }
  }

  @Test func options() {
    let github = ["GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": "/w", "GITHUB_STEP_SUMMARY": "/s", "PWD": "/w/a"]
    let options = ReportOptions(output: "/out", color: .always) { github[$0] }
    #expect(options.github?.workspace == "/w")
    #expect(options.github?.stepSummary == "/s")
    #expect(options.github?.directory == "/w/a")
    #expect(!options.isLive)
    #expect(options.colorsResults && options.colorsProgress)
    #expect(ReportOptions(output: "/out", color: .never) { _ in nil }.github == nil)
  }
}

extension FileSystem {
  static func isDevice(_ path: String) -> Bool {
    (try? information(path))?.type == .characterSpecial
  }
}
