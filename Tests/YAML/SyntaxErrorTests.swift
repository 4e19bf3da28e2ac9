import MusterDiagnostics
import Testing

@testable import MusterYAML

/// A text that cannot be read whole, with the first diagnostic's place between 1️⃣ and 2️⃣.
struct Mistake: CustomTestStringConvertible {
  var text: MarkedText
  var message: String
  var hint: String?

  init(_ text: MarkedText, _ message: String, hint: String? = nil) {
    self.text = text
    self.message = message
    self.hint = hint
  }

  var testDescription: String { text.text.debugDescription }
}

func parse(_ text: String) -> YAMLDocument {
  YAMLDocument.parse(SourceFile(path: "matrix.yaml", bytes: Array(text.utf8)))
}

@Suite struct SyntaxErrorTests {
  private static let quotes =
    "close it; a quote inside the text is written '' in single quotes and \\\" in double quotes"
  private static let whole =
    "put the whole value in quotes; a quote inside it is written '' in single quotes and \\\" in double quotes"
  private static let starts = "put text that starts with"
  private static let tab = "a tab indents this line; YAML allows only spaces there"

  static let syntax: [Mistake] = [
    Mistake("---\n1️⃣2️⃣", "the document is empty"),
    Mistake("---1️⃣2️⃣", "the document is empty"),
    Mistake(
      "a: b\n1️⃣foo bar2️⃣  \nb: c\n", "expected ':' after this key",
      hint: "write 'key: value'; if the line belongs to the value above it, indent it further"),
    Mistake(
      "a: b1️⃣:2️⃣ c\n", "a ':' cannot stand here",
      hint: "put text that holds ': ' in quotes, or check the indentation"),
    Mistake(
      "a: b\n c1️⃣:2️⃣ d\n", "a ':' cannot stand here",
      hint: "put text that holds ': ' in quotes, or check the indentation"),
    Mistake(
      "a: 1️⃣-2️⃣ b\n", "a list item cannot start here",
      hint: "put the list on lines of its own, or text that starts with '- ' in quotes"),
    Mistake("a: 1️⃣?2️⃣ b\n", "a '?' cannot stand here", hint: "put text that starts with '? ' in quotes"),
    Mistake("a: 1️⃣@2️⃣b\n", "text cannot start with '@'", hint: "put the text in quotes"),
    Mistake("a: 1️⃣`2️⃣b`\n", "text cannot start with '`'", hint: "put the text in quotes"),
    Mistake("é: 1️⃣%2️⃣b\n", "text cannot start with '%'", hint: "put the text in quotes"),
    Mistake("1️⃣\t2️⃣a: b\n", tab, hint: "replace tabs by spaces"),
    Mistake("a:\n1️⃣\t2️⃣b: c\n", tab, hint: "replace tabs by spaces"),
    Mistake("a: |\n  b\n1️⃣\t2️⃣c\n", tab, hint: "replace tabs by spaces"),
    Mistake("a: 1️⃣\"2️⃣b\nc: d\n", "this quote is never closed", hint: quotes),
    Mistake("a: 1️⃣'2️⃣b", "this quote is never closed", hint: quotes),
    Mistake("a: 1️⃣'2️⃣b\n---\nc: d\n", "this quote is never closed", hint: quotes),
    Mistake("a: 'it'1️⃣s2️⃣'\n", "unexpected text behind the value", hint: whole),
    Mistake("a: \"b\" 1️⃣c2️⃣\n", "unexpected text behind the value", hint: whole),
    Mistake(
      "a: \"1️⃣\\d2️⃣\"\n", "unknown escape '\\d'",
      hint: "write '\\\\' for a backslash, or use single quotes, in which a backslash is itself"),
    Mistake("a: \"\\x1️⃣Z2️⃣Z\"\n", "this escape needs hexadecimal digits"),
    Mistake("a: \"\\u1️⃣D2️⃣800\"\n", "this escape names no Unicode character"),
    Mistake("a: 1️⃣*2️⃣.sh\n", "expected an alias's name after '*'", hint: "\(starts) '*' in quotes"),
    Mistake("a: 1️⃣&2️⃣ b\n", "expected an anchor's name after '&'", hint: "\(starts) '&' in quotes"),
    Mistake("a: 1️⃣[2️⃣b, c\n", "this '[' is never closed", hint: "close it with ']'"),
    Mistake("1️⃣{2️⃣a: b", "this '{' is never closed", hint: "close it with '}'"),
    Mistake(
      "a: {b: $1️⃣{2️⃣c}}\n", "expected ',' or '}' here",
      hint: "close it, or put text that holds , [ ] { } or ': ' in quotes"),
    Mistake(
      "a: [b: {}1️⃣}2️⃣]\n", "expected ',' or ']' here",
      hint: "close it, or put text that holds , [ ] { } or ': ' in quotes"),
    Mistake("a: [b, 1️⃣,2️⃣ c]\n", "expected a value here", hint: "put text that holds , [ ] { } in quotes"),
    Mistake(
      "a: [\n1️⃣2️⃣", "the file ends where a value is expected", hint: "close what is open: '[' or '{'"),
    Mistake("a: 1️⃣]2️⃣\n", "expected a value here", hint: "put text that holds , [ ] { } in quotes"),
    Mistake(
      "a:\n    b: c\n  1️⃣d2️⃣: e\n", "expected a key here", hint: "all keys of a mapping start in the same column"),
    Mistake(
      "- a\n1️⃣b2️⃣: c\n", "expected a list item here", hint: "all items of a list start in the same column"),
    Mistake(
      "[a]\n1️⃣b2️⃣\n", "this does not belong to the value above it",
      hint: "a file holds one value: check the brackets, the quotes and the indentation"),
    Mistake(
      "a: | 1️⃣b2️⃣\n  c\n", "text cannot stand behind '|' or '>'",
      hint: "start the text on the next line, indented; or put the whole value in quotes"),
    Mistake("a: |1️⃣02️⃣\n  b\n", "a block of text cannot be indented by 0"),
    Mistake("a: [b1️⃣:2️⃣]c]\n", "unexpected ':'", hint: "put a space behind the ':', or the text in quotes"),
    Mistake("a: 1️⃣!2️⃣e!x 3\n", "tags are not supported", hint: "\(starts) '!' in quotes"),
    Mistake("1️⃣%2️⃣YAML 3.0\n---\na\n", "only YAML 1.1 and 1.2 are supported"),
    Mistake(
      "1️⃣%2️⃣FOO\n---\na\n", "this directive is not supported",
      hint: "remove the line, or put text that starts with '%' in quotes"),
    Mistake(
      "%YAML 1.1\n1️⃣%2️⃣YAML 1.1\n---\na\n", "this directive is not supported",
      hint: "remove the line, or put text that starts with '%' in quotes"),
    Mistake(
      "a: b\n1️⃣---2️⃣\nc: d\n", "a second document starts here; a file holds one",
      hint: "put it in a file of its own, or remove the '---'"),
    Mistake(
      "a: b\n...\n1️⃣---2️⃣\nc: d\n", "a second document starts here; a file holds one",
      hint: "put it in a file of its own, or remove the '---'"),
    Mistake("a: 1️⃣*nope2️⃣\n", "no anchor '&nope' stands before this alias", hint: "\(starts) '*' in quotes"),
    Mistake(
      "a: &works 1\nb: 1️⃣*wokrs2️⃣\n", "no anchor '&wokrs' stands before this alias", hint: "did you mean '*works'?"),
    Mistake("a: &a [1️⃣*a2️⃣]\n", "'*a' stands inside the value that it names"),
    Mistake("a: &a 1\nb: &a {c: {d: 1️⃣*a2️⃣}}\n", "'*a' stands inside the value that it names"),
  ]

  @Test(arguments: syntax) func `says what is wrong and where`(_ mistake: Mistake) throws {
    let document = parse(mistake.text.text)
    #expect(document.root == nil)
    try expect(document, has: mistake)
  }

  static let characters: [Mistake] = [
    Mistake("a: b1️⃣\0", "the file holds a NUL character", hint: "is this a text file, saved as UTF-8?"),
    Mistake(
      "é: 1️⃣\u{1B}[31m\n", "the file holds the control character U+001B",
      hint: "remove it, or write it as an escape in double quotes: \\x1B"),
    Mistake(
      "aaaaaaaaaaaaaaaaaaaaaaaa\r\nb\rc1️⃣\u{7F}\n", "the file holds the control character U+007F",
      hint: "remove it, or write it as an escape in double quotes: \\x7F"),
    Mistake(
      "a: 1️⃣\u{9B}\n", "the file holds the control character U+009B",
      hint: "remove it, or write it as an escape in double quotes: \\x9B"),
    Mistake(
      "a: 1️⃣\u{2028}b\n", "the file holds the invisible line separator U+2028",
      hint: "replace it by a line break, or write it as an escape in double quotes: \\u2028"),
    Mistake(
      "a: 1️⃣\u{85}b\n", "the file holds the invisible line separator U+0085",
      hint: "replace it by a line break, or write it as an escape in double quotes: \\x85"),
    Mistake(
      "a: 1️⃣\u{FEFF}b\n", "the file holds a byte order mark (U+FEFF) that is not at its start",
      hint: "remove this invisible character"),
    Mistake("a: 1️⃣\u{FFFF}b\n", "the file holds U+FFFF, which is no character"),
    Mistake(
      "a: b\n1️⃣%TAG ! tag:x,1:\n", "tags are not supported", hint: "leave the line out: values need no tags here"),
  ]

  @Test(arguments: characters) func `refuses characters that no text should hold`(_ mistake: Mistake) throws {
    let document = parse(mistake.text.text)
    #expect(document.root == nil)
    let diagnostic = try #require(document.diagnostics.first)
    #expect(diagnostic.message == mistake.message)
    #expect(diagnostic.hint == mistake.hint)
    #expect(diagnostic.span?.start == mistake.text.places[1])
    #expect(document.diagnostics.count == 1)
  }

  @Test(
    arguments: [
      ([0x61, 0x0A, 0xC3, 0xA9, 0xFF], 2, 2, "byte 0xFF is not UTF-8"),
      ([0xC0, 0x80], 1, 1, "byte 0xC0 is not UTF-8"),  // NUL, too long
      ([0x61, 0xED, 0xA0, 0x80], 1, 2, "byte 0xED is not UTF-8"),  // a surrogate
      ([0xF4, 0x90, 0x80, 0x80], 1, 1, "byte 0xF4 is not UTF-8"),  // beyond U+10FFFF
      ([0xE2, 0x82], 1, 1, "byte 0xE2 is not UTF-8"),  // cut off
      ([0xFF, 0xFE, 0x61, 0x00], 1, 1, "the file is UTF-16, not UTF-8"),
    ] as [([UInt8], Int, Int, String)])
  func `names the first byte that is no UTF-8`(bytes: [UInt8], line: Int, column: Int, message: String) throws {
    let document = YAMLDocument.parse(SourceFile(path: "matrix.yaml", bytes: bytes))
    let diagnostic = try #require(document.diagnostics.first)
    #expect(diagnostic.message == message)
    #expect(diagnostic.span?.start == Position(line: line, column: column))
  }

  @Test(arguments: ["", "\n\n", "# nothing but a remark\n"])
  func `says that a file is empty`(text: String) throws {
    let document = parse(text)
    #expect(document.root == nil)
    #expect(document.diagnostics.map(\.message) == ["the file is empty"])
    #expect(document.diagnostics.first?.path == "matrix.yaml")
  }

  static let tolerated: [Mistake] = [
    Mistake("a: 1\nb: 2\n1️⃣a2️⃣: 3\n", "duplicate key 'a'"),
    Mistake("{1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 0, 8: 0, 9: 0, 10: 0, 1️⃣102️⃣: 0}", "duplicate key '10'"),
    Mistake("{1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 0, 8: 0, 1️⃣12️⃣: 0}", "duplicate key '1'"),
    Mistake("? 1️⃣[a]2️⃣\n: b\n", "a key must be text, not a list", hint: "\(starts) '[' in quotes"),
    Mistake("a: {1️⃣{ b }2️⃣}\n", "a key must be text, not a mapping", hint: "\(starts) '{' in quotes"),
    Mistake("?1️⃣2️⃣\n: b\n", "a key is missing in front of the ':'"),
    Mistake("<<: 1️⃣32️⃣\na: b\n", "'<<' merges mappings; this is a single value"),
    Mistake("<<: [{b: c}, 1️⃣[]2️⃣]\n", "'<<' merges mappings; this is a list"),
    Mistake(
      "<<: {a: b}\n1️⃣<<2️⃣: {b: c}\n", "'<<' is given twice",
      hint: "merge several mappings with one list: '<<: [*a, *b]'"),
    Mistake("a: 1️⃣\"\\0\"2️⃣\n", "a text cannot hold a NUL character", hint: "leave out the escape"),
    Mistake(
      "a: 1️⃣!!int 32️⃣\n", "tags are not supported",
      hint: "leave the tag out, or put text that starts with '!' in quotes"),
    Mistake(
      "a: 1️⃣!ours [2️⃣]\n", "tags are not supported",
      hint: "leave the tag out, or put text that starts with '!' in quotes"),
  ]

  @Test(arguments: tolerated) func `reads on behind a mistake that leaves the rest readable`(_ mistake: Mistake) throws
  {
    let document = parse(mistake.text.text)
    #expect(document.root != nil)
    try expect(document, has: mistake)
  }

  @Test func `tells all mistakes in one go, in the order of the file`() {
    let document = parse("a: 1\na: 2\nb: !!int 3\nc: {d: 1, d: 2}\ne: [1\n")
    #expect(
      document.diagnostics.map(\.message) == [
        "duplicate key 'a'", "tags are not supported", "duplicate key 'd'", "this '[' is never closed",
      ])
  }

  private func expect(_ document: YAMLDocument, has mistake: Mistake) throws {
    #expect(document.diagnostics.count == 1)
    let diagnostic = try #require(document.diagnostics.first)
    #expect(diagnostic.message == mistake.message)
    #expect(diagnostic.hint == mistake.hint)
    #expect(diagnostic.span?.start == mistake.text.places[1])
    #expect(diagnostic.span?.end == mistake.text.places[2])
  }
}
