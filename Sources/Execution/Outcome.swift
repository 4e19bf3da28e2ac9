package import MusterHost

/// What became of a cell or an attempt.
package enum Outcome: String, Sendable, Hashable, Codable, CaseIterable {
  case passed
  /// Passed after an attempt that did not.
  case flaky
  /// The release did not do what the matrix says.
  case failed
  /// It could not be told; the blame says why.
  case error
  case timedOut = "timed-out"
  case skipped
  /// Failed, as the matrix says it would.
  case expectedFailure = "expected-failure"
  /// Passed, though the matrix says it would not.
  case unexpectedPass = "unexpected-pass"
  case cancelled
}

/// Why an outcome is what it is.
package struct Reason: Sendable, Hashable, Codable {
  /// A lowercase fragment.
  package var message: String
  /// The lines that prove it.
  package var evidence: [String]
  /// What to do next.
  package var hint: String?
  /// Whose fault it is, for `error` and `timed-out`; `nil` where it is the release's.
  package var blame: Blame?

  package init(
    _ message: String, evidence: [String] = [], hint: String? = nil, blame: Blame? = nil
  ) {
    self.message = message
    self.evidence = evidence
    self.hint = hint
    self.blame = blame
  }
}
