import MusterDiagnostics
import Testing

@Suite struct OrderTests {
  @Test func `orders by file and place, and tells nothing twice`() {
    let first = SourceFile(path: "first.yaml", bytes: [])
    let second = SourceFile(path: "second.yaml", bytes: [])
    func diagnostic(_ message: String, _ file: SourceFile, _ line: Int, _ column: Int) -> Diagnostic {
      let position = Position(line: line, column: column)
      return Diagnostic(.error, message, at: Span(file: file, start: position, end: position))
    }
    let diagnostics = [
      diagnostic("c", first, 2, 1), diagnostic("e", second, 1, 1), diagnostic("b", first, 1, 9),
      diagnostic("d", first, 2, 1), diagnostic("c", first, 2, 1), Diagnostic(.warning, "a", at: nil),
    ]
    #expect(diagnostics.ordered().map(\.message) == ["a", "b", "c", "d", "e"])
    #expect(diagnostics.hasErrors)
    #expect(![Diagnostic(.warning, "a", at: nil)].hasErrors)
  }
}
