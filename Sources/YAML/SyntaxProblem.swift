import CLibYAML
import MusterDiagnostics

/// What libyaml found wrong, said so that a person knows what to change.
struct SyntaxProblem {
  private let problem: String
  /// What libyaml was reading, such as "while scanning a quoted scalar".
  private let context: String
  private let isOutOfMemory: Bool
  /// Where it noticed.
  private let place: Position
  /// Where what it was reading began.
  private let beginning: Position

  init(_ parser: yaml_parser_t) {
    problem = unsafe parser.problem.map { unsafe String(cString: $0) } ?? ""
    context = unsafe parser.context.map { unsafe String(cString: $0) } ?? ""
    isOutOfMemory = unsafe parser.error == YAML_MEMORY_ERROR || parser.error == YAML_NO_ERROR
    place = unsafe Position(parser.problem_mark)
    beginning = unsafe Position(parser.context_mark)
  }

  func diagnostic(in file: SourceFile) -> Diagnostic {
    // libyaml puts the end of a file without a last line break on a line of its own.
    let place = file.clamped(place)
    if isOutOfMemory {
      return Diagnostic(.error, "there is not enough memory to read the file", at: nil, path: file.path)
    }
    let text = Surroundings(of: place, in: file)
    let here = Span(file: file, start: place, end: place.advanced(by: 1))
    let origin = Span(file: file, start: beginning, end: beginning.advanced(by: 1))

    switch (problem, context) {
    case ("found a tab character where an indentation space is expected", _),
      ("found a tab character that violates indentation", _):
      return tab(at: here)
    case ("found character that cannot start any token", _):
      if text.character == "\t" { return tab(at: here) }
      return Diagnostic(
        .error, "text cannot start with '\(text.character ?? " ")'", at: here, hint: "put the text in quotes")
    case ("could not find expected ':'", _):
      let line = restOfLine(from: beginning, in: file)
      if line.end.column - beginning.column > Self.longestKey {
        return Diagnostic(
          .error, "this key is longer than the \(Self.longestKey) characters that YAML allows", at: origin,
          hint: "shorten it, or put text that is no key in quotes")
      }
      return Diagnostic(
        .error, "expected ':' after this key", at: line,
        hint: "write 'key: value'; if the line belongs to the value above it, indent it further")
    case ("mapping values are not allowed in this context", _):
      return Diagnostic(
        .error, "a ':' cannot stand here", at: here,
        hint: text.isIndentation
          ? "give the key in front of it" : "put text that holds ': ' in quotes, or check the indentation")
    case ("block sequence entries are not allowed in this context", _):
      return Diagnostic(
        .error, "a list item cannot start here", at: here,
        hint: "put the list on lines of its own, or text that starts with '- ' in quotes")
    case ("mapping keys are not allowed in this context", _):
      return Diagnostic(.error, "a '?' cannot stand here", at: here, hint: "put text that starts with '? ' in quotes")
    case ("found unexpected end of stream", "while scanning a quoted scalar"),
      ("found unexpected document indicator", "while scanning a quoted scalar"):
      return Diagnostic(
        .error, "this quote is never closed", at: origin,
        notes: [
          Diagnostic.Note(
            problem.hasSuffix("stream") ? "the file ends here" : "the document ends here", at: here)
        ],
        hint: "close it; a quote inside the text is written '' in single quotes and \\\" in double quotes")
    case ("found unknown escape character", _):
      let span = Span(file: file, start: place, end: place.advanced(by: 2))
      return Diagnostic(
        .error, "unknown escape '\\\(text.next ?? " ")'", at: span,
        hint: "write '\\\\' for a backslash, or use single quotes, in which a backslash is itself")
    case ("did not find expected hexdecimal number", _):
      return Diagnostic(.error, "this escape needs hexadecimal digits", at: here)
    case ("found invalid Unicode character escape code", _):
      return Diagnostic(.error, "this escape names no Unicode character", at: here)
    case ("did not find expected alphabetic or numeric character", let context):
      let isAlias = context.hasSuffix("alias")
      return Diagnostic(
        .error, "expected \(isAlias ? "an alias's name after '*'" : "an anchor's name after '&'")",
        at: Span(file: file, start: beginning, end: max(place, beginning.advanced(by: 1))),
        hint: "put text that starts with '\(isAlias ? "*" : "&")' in quotes")
    case ("did not find expected comment or line break", "while scanning a block scalar"):
      return Diagnostic(
        .error, "text cannot stand behind '|' or '>'", at: here,
        hint: "start the text on the next line, indented; or put the whole value in quotes")
    case ("found an indentation indicator equal to 0", _):
      return Diagnostic(.error, "a block of text cannot be indented by 0", at: here)
    case ("did not find expected ',' or '}'", _):
      return unclosed("{", "}", from: origin, at: here, isAtEnd: text.isAtEnd)
    case ("did not find expected ',' or ']'", _):
      return unclosed("[", "]", from: origin, at: here, isAtEnd: text.isAtEnd)
    case ("did not find expected node content", _):
      if text.isAtEnd {
        return Diagnostic(
          .error, "the file ends where a value is expected", at: Span(file: file, start: place, end: place),
          hint: "close what is open: '[' or '{'")
      }
      return Diagnostic(.error, "expected a value here", at: here, hint: "put text that holds , [ ] { } in quotes")
    case ("did not find expected key", _):
      return misplaced("a key", "mapping", "keys", from: origin, at: here, text)
    case ("did not find expected '-' indicator", _):
      return misplaced("a list item", "list", "items", from: origin, at: here, text)
    case ("did not find expected <document start>", _):
      return Diagnostic(
        .error, "this does not belong to the value above it", at: here,
        hint: "a file holds one value: check the brackets, the quotes and the indentation")
    case ("found unexpected ':'", _):
      return Diagnostic(
        .error, "unexpected ':'", at: here, hint: "put a space behind the ':', or the text in quotes")
    case (_, let context) where context.contains("tag") || problem.contains("tag handle"):
      return Diagnostic(
        .error, "tags are not supported", at: here, hint: "put text that starts with '!' in quotes")
    case ("found incompatible YAML document", _):
      return Diagnostic(.error, "only YAML 1.1 and 1.2 are supported", at: origin)
    case (_, let context) where context.contains("directive") || problem.contains("directive"):
      return Diagnostic(
        .error, "this directive is not supported", at: context.isEmpty ? here : origin,
        hint: "remove the line, or put text that starts with '%' in quotes")
    default:
      let context = context.isEmpty ? "" : " \(context)"
      return Diagnostic(.error, "this is not valid YAML: \(problem)\(context)", at: here)
    }
  }

  /// Of a key that stands without a `?` (YAML 1.1, 1.2: section 7.4.2).
  private static let longestKey = 1024

  private func tab(at span: Span) -> Diagnostic {
    Diagnostic(
      .error, "a tab indents this line; YAML allows only spaces there", at: span, hint: "replace tabs by spaces")
  }

  private func unclosed(_ open: String, _ close: String, from origin: Span, at here: Span, isAtEnd: Bool) -> Diagnostic
  {
    if isAtEnd {
      return Diagnostic(
        .error, "this '\(open)' is never closed", at: origin,
        notes: [Diagnostic.Note("the file ends here", at: here)], hint: "close it with '\(close)'")
    }
    return Diagnostic(
      .error, "expected ',' or '\(close)' here", at: here,
      notes: [Diagnostic.Note("'\(open)' stands here", at: origin)],
      hint: "close it, or put text that holds , [ ] { } or ': ' in quotes")
  }

  private func misplaced(
    _ one: String, _ collection: String, _ many: String, from origin: Span, at here: Span, _ text: Surroundings
  ) -> Diagnostic {
    if text.isIndentation {
      return Diagnostic(
        .error, "expected \(one) here", at: here,
        notes: [Diagnostic.Note("the \(collection) starts here", at: origin)],
        hint: "all \(many) of a \(collection) start in the same column")
    }
    return Diagnostic(
      .error, "unexpected text behind the value", at: here,
      hint: "put the whole value in quotes; a quote inside it is written '' in single quotes and \\\" in double quotes")
  }

  /// From a place to the last character of its line that is no blank.
  private func restOfLine(from start: Position, in file: SourceFile) -> Span {
    var line = file.line(Int(start.line)) ?? []
    while let last = line.last, last == 0x20 || last == 0x09 { line.removeLast() }
    let end = Position(line: Int(start.line), column: line.count { $0 & 0xC0 != 0x80 } + 1)
    return Span(file: file, start: start, end: max(end, start.advanced(by: 1)))
  }
}

/// What stands at and around a place of a file.
private struct Surroundings {
  var character: Character?
  var next: Character?
  /// Whether only blanks stand before it on its line.
  var isIndentation: Bool
  /// Whether nothing but blanks and line breaks follows.
  var isAtEnd: Bool

  init(of place: Position, in file: SourceFile) {
    let line = String(decoding: file.line(Int(place.line)) ?? [], as: UTF8.self).unicodeScalars
    let rest = line.dropFirst(Int(place.column) - 1)
    character = rest.first.map(Character.init)
    next = rest.dropFirst().first.map(Character.init)
    isIndentation = line.prefix(Int(place.column) - 1).allSatisfy { $0 == " " || $0 == "\t" }
    isAtEnd = rest.isEmpty && (file.line(Int(place.line) + 1) ?? []).isEmpty && file.line(Int(place.line) + 2) == nil
  }
}

extension Position {
  func advanced(by columns: UInt32) -> Position {
    var position = self
    position.column += columns
    return position
  }
}
