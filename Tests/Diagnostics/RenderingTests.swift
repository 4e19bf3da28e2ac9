import MusterDiagnostics
import Testing

/// A span of a text of its own.
private func span(_ text: String, _ start: (Int, Int), _ end: (Int, Int)) -> Span {
  Span(
    file: SourceFile(path: "matrix.yaml", bytes: Array(text.utf8)),
    start: Position(line: start.0, column: start.1), end: Position(line: end.0, column: end.1))
}

private func render(_ diagnostic: Diagnostic, width: Int = 120) -> String {
  DiagnosticRenderer(width: width).render([diagnostic])
}

/// The line of the text and what is underlined, without the margin.
private func excerpt(_ text: String, from start: Int, to end: Int, width: Int = 120) -> [String] {
  render(Diagnostic(.error, "wrong", at: span(text, (1, start), (1, end))), width: width)
    .split(separator: "\n").dropFirst().map { String($0.dropFirst(6)) }
}

@Suite struct RenderingTests {
  @Test func `shows place, line, caret, hint and notes`() {
    let text = """
      distros:
        arch: {image: arch}
      tests:
        works:
          distors: all
          distors: none
      """
    let file = SourceFile(path: "matrix.yaml", bytes: Array(text.utf8))
    func place(_ line: Int, _ start: Int, _ end: Int) -> Span {
      Span(file: file, start: Position(line: line, column: start), end: Position(line: line, column: end))
    }
    let diagnostics = [
      Diagnostic(
        .error, "unknown key 'distors'", at: place(5, 5, 12),
        notes: [.init("tests have these keys", at: place(4, 3, 8)), .init("see the manual")],
        hint: "did you mean 'distros'?"),
      Diagnostic(.warning, "no test uses 'arch'", at: place(2, 3, 7)),
      Diagnostic(.error, "no such file", at: nil, path: "other.yaml"),
    ]
    #expect(
      DiagnosticRenderer().render(diagnostics) == """
        matrix.yaml:5:5: error: unknown key 'distors'
          5 |     distors: all
            |     ^~~~~~~
        hint: did you mean 'distros'?
        matrix.yaml:4:3: note: tests have these keys
          4 |   works:
            |   ^~~~~
        note: see the manual

        matrix.yaml:2:3: warning: no test uses 'arch'
          2 |   arch: {image: arch}
            |   ^~~~

        other.yaml: error: no such file

        """)
  }

  @Test func `colours every part`() {
    let diagnostic = Diagnostic(
      .error, "wrong", at: span("a: b", (1, 4), (1, 5)), notes: [.init("why")], hint: "mend it")
    #expect(
      DiagnosticRenderer(color: true).render([diagnostic]) == """
        \u{1B}[1mmatrix.yaml:1:4:\u{1B}[0m \u{1B}[1;31merror:\u{1B}[0m \u{1B}[1mwrong\u{1B}[0m
        \u{1B}[2m  1 |\u{1B}[0m a: b
        \u{1B}[2m    |\u{1B}[0m    \u{1B}[1;32m^\u{1B}[0m
        \u{1B}[1;34mhint:\u{1B}[0m mend it
        \u{1B}[1;36mnote:\u{1B}[0m \u{1B}[1mwhy\u{1B}[0m

        """)
  }

  @Test func `underlines a span of several lines to the end of its first`() {
    let span = span("a: [b,\n  c]\n", (1, 4), (2, 5))
    #expect(
      render(Diagnostic(.error, "wrong", at: span)) == """
        matrix.yaml:1:4: error: wrong
          1 | a: [b,
            |    ^~~

        """)
  }

  @Test func `makes room for long line numbers`() {
    let text = String(repeating: "\n", count: 99_999) + "a: b\n"
    #expect(
      render(
        Diagnostic(
          .error, "wrong", at: span(text, (100_000, 1), (100_000, 2)),
          notes: [.init("and here", at: span("a: b", (1, 4), (1, 5)))]))
          == """
          matrix.yaml:100000:1: error: wrong
           100000 | a: b
                  | ^
          matrix.yaml:1:4: note: and here
                1 | a: b
                  |    ^

          """)
  }

  @Test func `counts lines as libyaml does`() {
    let text = "a\r\nb\rc\nd"
    #expect(render(Diagnostic(.error, "wrong", at: span(text, (4, 1), (4, 2)))).contains("  4 | d\n"))
    #expect(render(Diagnostic(.error, "wrong", at: span(text, (2, 1), (2, 2)))).contains("  2 | b\n"))
  }

  @Test(arguments: [
    ("\tkey: value", 2, 5, ["    key: value", "    ^~~"]),
    ("a\tkey", 2, 3, ["a   key", " ^~~"]),
    ("日本語: key", 1, 4, ["日本語: key", "^~~~~~"]),
    ("日本語: key", 6, 9, ["日本語: key", "        ^~~"]),
    ("e\u{301}e\u{301}: key", 7, 10, ["e\u{301}e\u{301}: key", "    ^~~"]),
    ("e\u{301}x", 2, 3, ["e\u{301}x", "^"]),
    ("🎉 key", 3, 6, ["🎉 key", "   ^~~"]),
    ("👩‍👩‍👧 🇩🇪 ❤️ x", 13, 14, ["👩‍👩‍👧 🇩🇪 ❤️ x", "         ^"]),
    // Hangul written in parts: three scalars, one character.
    ("\u{1112}\u{1161}\u{11AB}글 key", 6, 9, ["\u{1112}\u{1161}\u{11AB}글 key", "     ^~~"]),
    ("abc", 4, 4, ["abc", "   ^"]),
    ("abc", 9, 12, ["abc", "   ^"]),
    ("a\u{1B}[31mb", 7, 8, ["a␛[31mb", "      ^"]),
    ("a\u{202E}b", 3, 4, ["a<U+202E>b", "         ^"]),
    ("a\u{200B}b", 2, 3, ["a<U+200B>b", " ^~~~~~~~"]),
    ("", 1, 1, ["", "^"]),
  ])
  func `points at what is seen`(text: String, start: Int, end: Int, lines: [String]) {
    #expect(excerpt(text, from: start, to: end) == lines)
  }

  @Test func `shows bytes that are no UTF-8`() {
    let file = SourceFile(path: "matrix.yaml", bytes: [0x61, 0xFF, 0x62])
    let span = Span(file: file, start: Position(line: 1, column: 2), end: Position(line: 1, column: 3))
    #expect(
      render(Diagnostic(.error, "wrong", at: span)) == """
        matrix.yaml:1:2: error: wrong
          1 | a\u{FFFD}b
            |  ^

        """)
  }

  @Test func `cuts a long line around the caret`() {
    let line = (0..<100).map { "key\($0): value," }.joined(separator: " ")
    #expect(
      excerpt(line, from: 1, to: 5, width: 60) == [
        "key0: value, key1: value, key2: value, key3: value, …", "^~~~",
      ])
    #expect(
      excerpt(line, from: 701, to: 706, width: 60) == [
        "…, key49: value, key50: value, key51: value, key52: v…",
        "                           ^~~~~",
      ])
    #expect(
      excerpt(line, from: line.count - 5, to: line.count + 1, width: 60) == [
        "…lue, key98: value, key99: value,",
        "                           ^~~~~~",
      ])
  }

  @Test func `lets no message reach the terminal's controls`() {
    let diagnostic = Diagnostic(
      .error, "unknown key 'a\u{1B}]0;x\u{7}\nb'", at: nil, path: "a\u{1B}[2Jb", hint: "\u{202E}hint\r")
    #expect(render(diagnostic) == "a␛[2Jb: error: unknown key 'a␛]0;x␇␊b'\nhint: <U+202E>hint␍\n")
  }
}
