/// A piece of text for one of the two standard streams.
package struct ConsoleOutput: Sendable, Hashable {
  package enum Stream: Sendable, Hashable {
    /// Results.
    case out
    /// Progress.
    case error
  }

  package var stream: Stream
  package var text: String

  package init(_ stream: Stream, _ text: String) {
    self.stream = stream
    self.text = text
  }
}

/// How much a person wants to read of a run.
package enum Verbosity: Sendable {
  /// Only what did not go as it should, and the end.
  case quiet
  case normal
  /// The output of steps that passed, too.
  case verbose
}
