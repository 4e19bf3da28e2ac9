/// One thing a person is told about a file they wrote.
package struct Diagnostic: Error, Sendable, Hashable {
  package enum Severity: String, Sendable, Hashable, Comparable {
    case warning
    case error

    package static func < (left: Severity, right: Severity) -> Bool {
      left == .warning && right == .error
    }
  }

  /// A second place that explains the first, as in "first given here".
  package struct Note: Sendable, Hashable {
    package var message: String
    package var span: Span?

    package init(_ message: String, at span: Span? = nil) {
      self.message = message
      self.span = span
    }
  }

  package var severity: Severity
  /// What is wrong: a lowercase fragment without a full stop.
  package var message: String
  /// Where it is wrong; `nil` when the file as a whole cannot be read.
  package var span: Span?
  /// The file's path, for diagnostics without a span.
  package var path: String?
  package var notes: [Note]
  /// What to do about it: a lowercase fragment, such as "did you mean 'distros'?".
  package var hint: String?

  package init(
    _ severity: Severity = .error, _ message: String, at span: Span?, path: String? = nil,
    notes: [Note] = [], hint: String? = nil
  ) {
    self.severity = severity
    self.message = message
    self.span = span
    self.path = path ?? span?.file.path
    self.notes = notes
    self.hint = hint
  }
}
