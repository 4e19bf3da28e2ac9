import MusterExecution
import MusterHost
import Testing

@testable import MusterReports

@Suite struct HarmlessTextTests {
  @Test(arguments: [
    ("plain", "plain"), ("grüße 漢字", "grüße 漢字"), ("a\tb", "a b"), ("a\nb\r\n", "a␊b␍␊"),
    ("\u{1B}[31mred", "␛[31mred"), ("\0\u{7F}", "␀␡"), ("\u{9B}2J", "<U+009B>2J"),
    ("\u{202E}x\u{2066}\u{200F}\u{FEFF}", "<U+202E>x<U+2066><U+200F><U+FEFF>"), ("\u{2028}", "<U+2028>"),
    ("\u{E0041}", "<U+E0041>"), ("👩‍👩‍👧", "👩‍👩‍👧"),
  ])
  func visible(text: String, line: String) {
    #expect(VisibleText.line(text) == line)
  }

  @Test(arguments: [
    ("a\tb\nc", "a\tb\nc"), ("a\r\nb\rc", "a\nb\nc"), ("\u{1B}[1;31mred\u{1B}[0m", "red"), ("\u{9B}31mred", "red"),
    ("\u{1B}]0;title\u{7}x", "x"), ("\u{1B}]8;;http://x\u{1B}\\link\u{1B}]8;;\u{1B}\\", "link"),
    ("\u{1B}]never\nended", "\nended"), ("\u{1B}(Bx\u{1B}=y\u{1B}", "xy"), ("\u{1B}[", ""), ("\u{1B}[12", ""),
    ("\0\u{8}\u{7F}\u{85}", "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
    ("\u{FFFE}\u{FFFF}\u{202E}", "\u{FFFD}\u{FFFD}\u{FFFD}"),
    ("\u{1B}Pdevice\u{1B}\\x", "x"), ("é漢👩‍👧", "é漢👩‍👧"),
  ])
  func plain(text: String, plain: String) {
    #expect(PlainText.text(text) == plain)
  }

  @Test func xml() {
    #expect(XML.text("a ]]> <b> & \"c\"\n\u{1B}[1m\0") == "a ]]&gt; &lt;b&gt; &amp; \"c\"\n\u{FFFD}")
    #expect(XML.attributes(["a": "<\"x\">\n\t&"]) == " a=\"&lt;&quot;x&quot;&gt;&#10;&#9;&amp;\"")
  }

  @Test func markdown() {
    #expect(Markdown.code("a`b``c") == "```a`b``c```")
    #expect(Markdown.code("`a") == "`` `a ``")
    #expect(Markdown.code("") == "")
    #expect(Markdown.code("a\nb") == "`a b`")
    #expect(Markdown.escape("a|b\\|<c>&`*_[d]") == "a&#124;b&#92;&#124;&lt;c&gt;&amp;\\`\\*\\_\\[d\\]")
    #expect(Markdown.fenced(["a", "````"]) == "`````text\na\n````\n`````\n")
  }

  @Test(arguments: [
    ("abc", 3), ("é", 1), ("e\u{301}", 1), ("漢字", 4), ("ｆ", 2), ("✓", 1), ("😀", 2), ("…", 1),
  ])
  func displayWidth(text: String, width: Int) {
    #expect(DisplayWidth.of(text) == width)
  }

  @Test(arguments: [
    ("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("漢字漢", 5, "漢字…"), ("漢字漢", 4, "漢…"), ("ab", 0, ""),
  ])
  func trimmed(text: String, width: Int, trimmed: String) {
    #expect(DisplayWidth.trim(text, to: width) == trimmed)
  }
}

@Suite struct GitHubCommandsTests {
  /// What GitHub's runner obeys in a text: its rules for both forms of commands, and for switching them off.
  private func obeyed(_ text: String) -> [String] {
    var commands: [String] = []
    var stopToken: String?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      guard let command = command(in: line) else { continue }
      if let token = stopToken {
        if command == token { stopToken = nil }
      } else if command == "stop-commands" {
        stopToken = String(line.drop { $0.isWhitespace }.dropFirst("::stop-commands::".count))
      } else {
        commands.append(command)
      }
    }
    #expect(stopToken == nil)
    return commands
  }

  private func command(in line: Substring) -> String? {
    let trimmed = line.drop { $0.isWhitespace }
    if trimmed.hasPrefix("::"), let end = trimmed.dropFirst(2).firstRange(of: "::") {
      return String(trimmed.dropFirst(2)[..<end.lowerBound].prefix { $0 != " " })
    }
    guard let start = line.firstRange(of: "##["), let end = line[start.upperBound...].firstIndex(of: "]") else {
      return nil
    }
    return String(line[start.upperBound..<end].prefix { $0 != " " })
  }

  @Test(arguments: [Verbosity.quiet, .normal, .verbose])
  func onlyOurCommandsAreObeyed(verbosity: Verbosity) {
    var script = EventScript()
    let names = hostileLines.indices.map { "c\($0)@x" }
    script.start(names, matrix: hostileLines[0])
    for (name, line) in zip(names, hostileLines) {
      script.add(.notice(line))
      script.begin(name)
      script.add(.cellProgress(cell: name, activity: line))
      script.launch(name)
      script.add(.slow(cell: name, what: line, seconds: 1, limit: 2))
      script.verify(name, .passing(line, tail: hostileLines))
      script.verify(name, .failing(line, tail: hostileLines))
      script.purge(name, .failed, Reason(line, evidence: hostileLines, hint: line))
      script.finish(name, .failed, 1, Reason(line), line)
    }
    var reporter = PlainReporter(
      results: Paint(isColored: false), progress: Paint(isColored: false), verbosity: verbosity,
      github: GitHubCommands(workspace: nil, directory: "/"))
    var fold = SummaryFold()
    var output: [ConsoleOutput] = []
    for event in script.events {
      fold.add(event)
      output += reporter.receive(event, finished: fold.finishedCell(of: event))
    }
    output += reporter.end(fold.summary, reports: hostileLines)
    #expect(output.allSatisfy { $0.stream == .out })
    let groups = verbosity == .quiet ? [] : names.flatMap { _ in ["group", "endgroup"] }
    #expect(obeyed(output.map(\.text).joined()) == groups + Array(repeating: "error", count: 10))
  }

  @Test func tokenIsNotGuessed() {
    let one = GitHubCommands(workspace: nil, directory: "/")
    let other = GitHubCommands(workspace: nil, directory: "/")
    #expect(one.token != other.token)
    #expect(one.token.count > 20)
  }

  @Test func escapes() {
    #expect(GitHubCommands.data("100%\r\n:,") == "100%25%0D%0A:,")
    #expect(GitHubCommands.property("a:b,c%\n") == "a%3Ab%2Cc%25%0A")
  }

  @Test(arguments: [
    ("matrix.yaml", "tests/matrix.yaml"), ("../matrix.yaml", "matrix.yaml"), ("./a/../m.yaml", "tests/m.yaml"),
    ("/work/greeter/m.yaml", "m.yaml"), ("/work/greeterx/m.yaml", "/work/greeterx/m.yaml"),
    ("../../m.yaml", "../../m.yaml"),
  ])
  func paths(path: String, told: String) {
    let github = GitHubCommands(workspace: "/work/greeter/", directory: "/work/greeter/tests")
    #expect(github.path(path) == told)
  }

  @Test func worstFirstAndAtMostTenOfAKind() {
    var script = EventScript()
    let names = (0..<30).map { "c\($0)@x" }
    script.start(names)
    for (index, name) in names.enumerated() {
      script.begin(name)
      let blame = Reason("down", blame: .mirror)
      switch index {
      case 0..<5: script.finish(name, .error, 1, blame)
      case 5..<12: script.finish(name, .failed, 1)
      case 12..<15: script.finish(name, .flaky, 1)
      default: script.finish(name, .passed, 1)
      }
    }
    let lines = GitHubCommands(workspace: nil, directory: "/").annotations(SummaryFold(script.events).summary)
    #expect(lines.count == 13)
    #expect(lines[0..<7].allSatisfy { $0.hasPrefix("::error ") && $0.contains("failed") })
    #expect(lines[7..<9].allSatisfy { $0.hasPrefix("::error ") && $0.contains("error (mirror)") })
    #expect(lines[9] == "::error title=Greeter 1.2::3 more; GitHub shows at most 10 of a kind, the summary all")
    #expect(lines[10...].allSatisfy { $0.hasPrefix("::warning ") })
  }

  @Test func failedSetup() {
    var script = EventScript()
    script.start(["a@x"])
    var step = StepFinished.failing("./build.sh", tail: ["no such file"])
    step.mismatch = nil
    step.reason = Reason("exit status 2, expected 0")
    script.add(.setupFinished(step))
    script.finish("a@x", .cancelled, 0, Reason("the setup failed"))
    let lines = GitHubCommands(workspace: nil, directory: "/").annotations(SummaryFold(script.events).summary)
    #expect(lines.count == 1)
    #expect(lines[0].hasPrefix("::error file=matrix.yaml,line=41,col=9,title=setup%3A ./build.sh%3A failed::"))
  }
}
