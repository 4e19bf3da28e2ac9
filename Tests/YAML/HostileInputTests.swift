import MusterDiagnostics
import Testing

@testable import MusterYAML

/// Texts made to cost much. Each is refused with a place; none is walked in full.
@Suite struct HostileInputTests {
  @Test func `refuses a billion laughs`() throws {
    var text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
    for level in 1...40 {
      let alias = "*a\(level - 1)"
      text += "a\(level): &a\(level) [\(Array(repeating: alias, count: 9).joined(separator: ", "))]\n"
    }
    let diagnostic = try onlyError(of: text)
    #expect(diagnostic.message == "the aliases up to here repeat more than 1000000 values")
    #expect(diagnostic.span?.start.line == 7)
    #expect(diagnostic.notes.count == 1)
  }

  @Test func `refuses to merge a large mapping many times`() throws {
    let large = (0..<2_000).map { "k\($0): 1" }.joined(separator: ", ")
    let text = "large: &large {\(large)}\nsmall:\n" + (0..<2_000).map { "  s\($0): {<<: *large}\n" }.joined()
    let diagnostic = try onlyError(of: text)
    #expect(diagnostic.message == "the aliases up to here repeat more than 1000000 values")
    // The mapping, its keys and their values are 4,001; 249 times that is still fewer than a million.
    #expect(diagnostic.span?.start == Position(line: 252, column: 14))
  }

  @Test func `refuses merges of merges`() throws {
    var text = "a0: &a0 {" + (0..<100).map { "k\($0): 1" }.joined(separator: ", ") + "}\n"
    for level in 1...60 { text += "a\(level): &a\(level) {<<: [*a\(level - 1), *a\(level - 1)]}\n" }
    #expect(try onlyError(of: text).message == "the aliases up to here repeat more than 1000000 values")
  }

  @Test func `counts the depth behind aliases`() throws {
    var text = "a0: &a0 [x]\n"
    for level in 1...100 { text += "a\(level): &a\(level) [*a\(level - 1)]\n" }
    let diagnostic = try onlyError(of: text)
    #expect(diagnostic.message == "values stand inside each other more than 64 deep")
    // The mapping, 62 lists in each other and the text are 64.
    #expect(diagnostic.span?.start.line == 63)
  }

  @Test(arguments: ["[", "{a: ", "- ", "? ", "[{a: "])
  func `refuses a million openings at once`(opening: String) throws {
    let diagnostic = try onlyError(of: String(repeating: opening, count: 1_000_000))
    #expect(diagnostic.message == "values stand inside each other more than 64 deep")
    #expect(diagnostic.span?.start.line == 1)
  }

  @Test func `takes the allowed depth`() {
    let text = String(repeating: "[", count: 63) + "x" + String(repeating: "]", count: 63)
    #expect(parse(text).root != nil)
    #expect(parse("[\(text)]").root == nil)
  }

  @Test func `refuses more values than any matrix has`() throws {
    let text = "[" + String(repeating: "a,", count: 1_000_000) + "]"
    #expect(try onlyError(of: text).message == "the file holds more than 1000000 values")
  }

  @Test func `stops telling errors at a hundred`() {
    let document = parse(String(repeating: "a: 1\n", count: 100_000))
    #expect(document.root == nil)
    #expect(document.diagnostics.count == 101)
    #expect(document.diagnostics.last?.message == "there are too many errors; the rest of the file was not read")
  }

  @Test func `takes a text with a line of a million characters and shows what can be seen of it`() throws {
    let text = "a: " + String(repeating: "x", count: 1_000_000) + "\u{1}"
    let document = parse(text)
    #expect(
      DiagnosticRenderer().render(document.diagnostics).split(separator: "\n").allSatisfy { $0.utf8.count < 200 })
  }

  private func onlyError(of text: String) throws -> Diagnostic {
    let document = parse(text)
    #expect(document.root == nil)
    #expect(document.diagnostics.count == 1)
    return try #require(document.diagnostics.first)
  }
}
