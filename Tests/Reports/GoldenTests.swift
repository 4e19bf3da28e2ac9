import MusterExecution
import MusterHost
import Testing

@testable import MusterReports

/// Each report of one run in which everything happens, in full.
@Suite struct GoldenTests {
  private let summary = SummaryFold(SampleRun.events).summary

  @Test func json() throws {
    try expectGolden(String(decoding: summary.json, as: UTF8.self), "summary.json")
  }

  @Test func events() throws {
    var json = JSONWriter()
    for event in SampleRun.events { json.line(event) }
    try expectGolden(String(decoding: EventLine.header + json.bytes, as: UTF8.self), "events.jsonl")
  }

  @Test func junit() throws {
    try expectGolden(String(decoding: try JUnit.bytes(of: summary), as: UTF8.self), "junit.xml")
  }

  @Test func markdown() throws {
    try expectGolden(String(decoding: Markdown.bytes(of: summary), as: UTF8.self), "summary.md")
  }

  @Test(arguments: [
    (Verbosity.normal, false, "plain.txt"), (.quiet, false, "quiet.txt"), (.verbose, false, "verbose.txt"),
    (.normal, true, "github.txt"),
  ])
  func lines(verbosity: Verbosity, onGitHub: Bool, name: String) throws {
    let github = GitHubCommands(workspace: "/work/greeter", directory: "/work/greeter/tests", token: "TOKEN")
    var reporter = PlainReporter(
      results: Paint(isColored: false), progress: Paint(isColored: false), verbosity: verbosity,
      github: onGitHub ? github : nil)
    var fold = SummaryFold()
    var output: [ConsoleOutput] = []
    for event in SampleRun.events {
      fold.add(event)
      output += reporter.receive(event, finished: fold.finishedCell(of: event))
    }
    output += reporter.end(fold.summary, reports: ["/out/summary.json"])
    // Progress is marked, so that one can see which stream a line went to.
    let text = output.map { output in
      output.stream == .out
        ? output.text : output.text.split(separator: "\n").map { "2> \($0)\n" }.joined()
    }
    try expectGolden(text.joined(), name)
  }
}

extension SummaryFold {
  func finishedCell(of event: Event) -> CellSummary? {
    if case .cellFinished(let end) = event.kind { cell(end.cell) } else { nil }
  }
}
