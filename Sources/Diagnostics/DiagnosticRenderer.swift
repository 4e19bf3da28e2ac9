/// Diagnostics as a person reads them: the place, the message, the line itself with what is meant underlined, a hint,
/// and notes with lines of their own.
///
/// ```
/// matrix.yaml:7:3: error: unknown key 'distors'
///   7 |   distors: all
///     |   ^~~~~~~
/// hint: did you mean 'distros'?
/// ```
package struct DiagnosticRenderer: Sendable {
  /// Whether to colour the text with ANSI escape sequences.
  private let color: Bool
  /// The columns that a line of the file may fill, the line number included.
  private let width: Int

  package init(color: Bool = false, width: Int = 120) {
    self.color = color
    self.width = width
  }

  /// The diagnostics in the order given, each ending with a line break, an empty line between two.
  package func render(_ diagnostics: [Diagnostic]) -> String {
    var files: [ObjectIdentifier: LineCursor] = [:]
    return diagnostics.map { render($0, files: &files) }.joined(separator: "\n")
  }

  private func render(_ diagnostic: Diagnostic, files: inout [ObjectIdentifier: LineCursor]) -> String {
    let spans = [diagnostic.span].compactMap(\.self) + diagnostic.notes.compactMap(\.span)
    let gutter = max(3, String(spans.map(\.start.line).max() ?? 0).count + 1)
    var text = headline(
      place: diagnostic.span.map(place) ?? diagnostic.path, label: diagnostic.severity.rawValue,
      style: diagnostic.severity == .error ? .error : .warning, message: diagnostic.message)
    if let span = diagnostic.span { text += excerpt(of: span, gutter: gutter, files: &files) }
    if let hint = diagnostic.hint { text += paint("hint:", .hint) + " " + harmless(hint) + "\n" }
    for note in diagnostic.notes {
      text += headline(place: note.span.map(place), label: "note", style: .note, message: note.message)
      if let span = note.span { text += excerpt(of: span, gutter: gutter, files: &files) }
    }
    return text
  }

  private func place(_ span: Span) -> String { span.location.description }

  private func headline(place: String?, label: String, style: Style, message: String) -> String {
    let place = place.map { paint(harmless($0) + ":", .strong) + " " } ?? ""
    return place + paint(label + ":", style) + " " + paint(harmless(message), .strong) + "\n"
  }

  private func excerpt(of span: Span, gutter: Int, files: inout [ObjectIdentifier: LineCursor]) -> String {
    let key = ObjectIdentifier(span.file)
    var cursor = files[key] ?? LineCursor(span.file)
    let line = cursor.line(Int(span.start.line)) ?? []
    files[key] = cursor
    let excerpt = Excerpt(
      line: line, start: max(1, Int(span.start.column)),
      end: span.end.line > span.start.line ? nil : Int(span.end.column), width: max(40, width - gutter - 3))
    let number = String(span.start.line)
    let margin = String(repeating: " ", count: gutter - number.count) + number + " |"
    let underMargin = String(repeating: " ", count: gutter) + " |"
    let underline =
      String(repeating: " ", count: excerpt.indent)
      + paint("^" + String(repeating: "~", count: excerpt.length - 1), .caret)
    let shown = excerpt.text.isEmpty ? "" : " " + excerpt.text
    return paint(margin, .margin) + shown + "\n" + paint(underMargin, .margin) + " " + underline + "\n"
  }

  /// Parameters of the ANSI sequence that selects a graphic rendition.
  private enum Style: String {
    case strong = "1"
    case error = "1;31"
    case warning = "1;33"
    case note = "1;36"
    case hint = "1;34"
    case caret = "1;32"
    case margin = "2"
  }

  private func paint(_ text: String, _ style: Style) -> String {
    color ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }
}
