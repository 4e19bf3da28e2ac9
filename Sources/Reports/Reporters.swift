package import MusterExecution
package import MusterHost
import SystemPackage

/// All that is told of a run, while it runs and at its end. `receive` is the sink of the run's events.
package actor Reporters {
  private enum Console {
    case plain(PlainReporter)
    case live(LiveReporter)
  }

  private let options: ReportOptions
  private let write: @Sendable (ConsoleOutput) throws -> Void
  private let columns: @Sendable () -> Int?
  private var console: Console
  private var fold: SummaryFold
  /// Where the record of the present cell begins.
  private var cellStart: Int64?
  /// By what was asked for: the run's own record, and the one of `--events`.
  private var record: RunRecorder
  private var requestedRecord: RunRecorder?
  private var durations: DurationRecorder?
  private var hasToldRecordFailure = false
  /// The last event's seconds, and the time since.
  private var last = (elapsed: 0.0, stopwatch: Stopwatch())
  private var ticker: Task<Void, Never>?

  /// Opens the records, and makes sure that the reports which were asked for can be written.
  /// - Parameters:
  ///   - write: Where text for the standard streams goes. A stream that it throws for gets no more.
  ///   - columns: The width of the terminal just now.
  /// - Throws: `Failure`, which a command ends with as `ExitStatus.reportNotWritten`.
  package init(
    _ options: ReportOptions, write: (@Sendable (ConsoleOutput) throws -> Void)? = nil,
    columns: (@Sendable () -> Int?)? = nil
  ) throws(Failure) {
    self.options = options
    self.write = write ?? Self.writeToStandardStreams
    self.columns = columns ?? { Terminal.columns(of: .standardError) }
    let isLive = options.isLive && options.verbosity != .quiet
    let plain = PlainReporter(
      results: Paint(isColored: options.colorsResults), progress: Paint(isColored: options.colorsProgress),
      verbosity: options.verbosity, isLive: isLive,
      github: options.github.map { GitHubCommands(workspace: $0.workspace, directory: $0.directory) })
    console =
      isLive
      ? .live(LiveReporter(lines: plain, paint: Paint(isColored: options.colorsProgress))) : .plain(plain)
    for path in [options.json, options.junit, options.markdown] {
      if let path { try ReportFile.check(path) }
    }
    durations = options.durations.map(DurationRecorder.init)
    try FileSystem.createFolder(options.output)
    fold = SummaryFold(record: Self.record(in: options.output))
    record = try RunRecorder(Self.record(in: options.output), continues: options.continues)
    if let events = options.events, events != Self.record(in: options.output) {
      try ReportFile.check(events)
      requestedRecord = try RunRecorder(events, continues: options.continues)
    }
  }

  private static func record(in folder: String) -> String { folder + "/events.jsonl" }

  private static func writeToStandardStreams(_ output: ConsoleOutput) throws {
    try Terminal.write(output.text, to: output.stream == .out ? .standardOutput : .standardError)
  }

  /// The run so far.
  package var summary: Summary { fold.summary }

  /// The path of the run's own record.
  package static func record(of options: ReportOptions) -> String { record(in: options.output) }

  /// Takes in what was recorded already, and tells nothing of it.
  /// - Returns: What is to be told after it.
  package func recall() throws(Failure) -> Epilogue {
    var epilogue = Epilogue()
    try EventLine.read(Self.record(of: options)) { event, range in
      epilogue.add(event)
      _ = add(event, recorded: range)
    }
    return epilogue
  }

  /// - Parameter range: Where the record has the event; `nil` where it does not.
  /// - Returns: What the cell came to that the event ends.
  private func add(_ event: Event, recorded range: Range<Int64>?) -> CellSummary? {
    fold.add(event)
    switch event.kind {
    case .cellStarted: cellStart = range?.lowerBound
    case .cellFinished(let end):
      defer {
        if let range { fold.release(end.cell, to: (cellStart ?? range.lowerBound)..<range.upperBound) }
        cellStart = nil
      }
      return fold.cell(end.cell)
    default: break
    }
    return nil
  }

  // MARK: While it runs

  package func receive(_ event: Event) {
    var line = JSONWriter()
    line.line(event)
    let finished = add(event, recorded: record.append(line.bytes))
    requestedRecord?.append(line.bytes)
    durations?.add(event)
    last = (event.elapsed, Stopwatch())
    startTicker()
    show { console in
      switch console {
      case .plain(var plain):
        defer { console = .plain(plain) }
        return plain.receive(event, finished: finished)
      case .live(var live):
        defer { console = .live(live) }
        return live.receive(event, finished: finished)
      }
    }
    if !hasToldRecordFailure, let failure = record.failure ?? requestedRecord?.failure {
      hasToldRecordFailure = true
      say("the run goes on, but its events are recorded no more: \(failure)")
    }
  }

  /// Tells something on standard error that is no event.
  package func say(_ line: String) {
    show { console in
      let line = ConsoleOutput(.error, VisibleText.line(line) + "\n")
      guard case .live(var live) = console else { return [line] }
      defer { console = .live(live) }
      return live.erase() + [line]
    }
  }

  private func tick() {
    let elapsed = last.elapsed + last.stopwatch.elapsed.seconds
    show { console in
      switch console {
      case .plain(var plain):
        defer { console = .plain(plain) }
        return plain.tick(elapsed: elapsed)
      case .live(var live):
        defer { console = .live(live) }
        return live.tick(elapsed: elapsed)
      }
    }
  }

  private func startTicker() {
    guard ticker == nil else { return }
    let pause: Duration = if case .live = console { .seconds(LiveReporter.pause) } else { .seconds(1) }
    ticker = Task { [weak self] in
      while (try? await Task.sleep(for: pause)) != nil { await self?.tick() }
    }
  }

  private var closed: Set<ConsoleOutput.Stream> = []

  private func show(_ body: (inout Console) -> [ConsoleOutput]) {
    if case .live(var live) = console {
      live.width = columns() ?? 80
      console = .live(live)
    }
    for output in body(&console) where !closed.contains(output.stream) {
      // A reader that has gone away, such as `head`, is no reason to end a run.
      do { try write(output) } catch { closed.insert(output.stream) }
    }
  }

  // MARK: The end

  /// Writes the reports and tells the end. A report that cannot be written is told on standard error.
  /// - Returns: The status for the command to end with, unless a signal ended the run.
  package func finish() -> ExitStatus {
    ticker?.cancel()
    record.close()
    requestedRecord?.close()
    let (summary, failures, written) = writeReports()
    show { console in
      switch console {
      case .plain(var plain): return plain.end(summary, reports: written)
      case .live(var live): return live.end(summary, reports: written)
      }
    }
    for failure in failures { say("a report is not written: \(failure)") }
    return ExitStatus(summary, reportsWritten: failures.isEmpty)
  }

  private func writeReports() -> (Summary, failures: [Failure], written: [String]) {
    let summary = fold.summary
    var failures: [Failure] = []
    var written: [String] = []
    func write(_ path: String?, _ body: (_ write: ([UInt8]) throws -> Void) throws -> Void) {
      guard let path else { return }
      do throws(Failure) {
        try ReportFile.write(to: path, body)
        written.append(path)
      } catch {
        failures.append(error)
      }
    }
    do throws(Failure) {
      try ReportFile.write(to: options.output + "/summary.json", summary.writeJSON)
      written.append(options.output + "/summary.json")
    } catch {
      say("the run's summary is not kept: \(error)")
    }
    write(options.json, summary.writeJSON)
    write(options.junit) { write in try JUnit.write(summary, write) }
    write(options.markdown) { write in try write(Markdown.bytes(of: summary)) }
    if let failure = requestedRecord?.failure {
      failures.append(failure)
    } else if requestedRecord != nil {
      written += [options.events].compactMap { $0 }
    }
    writeStepSummary(summary)
    return (summary, failures, written)
  }

  private func writeStepSummary(_ summary: Summary) {
    guard let path = options.github?.stepSummary, !path.isEmpty else { return }
    do throws(Failure) {
      // What the same step has written before counts too.
      let used = try FileSystem.information(path).map { Int($0.size) } ?? 0
      let room = max(0, Markdown.stepSummaryLimit - used)
      try ReportFile.append(Markdown.bytes(of: summary, limit: room), to: path)
    } catch {
      say("the step's summary is not written: \(error)")
    }
  }
}
