/// Whose fault it is that a verdict could not be had.
package enum Blame: String, Sendable, Hashable, Codable, CaseIterable {
  case matrix
  case host
  case backend
  case image
  case mirror
  /// The host that the release is published on, while others can be reached.
  case publisher
  case guest
}

/// Why something that a cell needs could not be had: an image, a machine, a tool of the host.
package struct Failure: Error, Sendable, CustomStringConvertible {
  package var blame: Blame
  /// What happened: a lowercase fragment.
  package var message: String
  /// The lines that prove it, from the console or a tool's own output.
  package var evidence: [String]
  /// What to do next; a lowercase fragment.
  package var hint: String?
  /// Whether the cause can pass, so that another launch is worth its time.
  package var canPass: Bool

  package init(
    _ blame: Blame, _ message: String, evidence: [String] = [], hint: String? = nil,
    canPass: Bool = false
  ) {
    self.blame = blame
    self.message = message
    self.evidence = evidence
    self.hint = hint
    self.canPass = canPass
  }

  package var description: String {
    hint.map { "\(message); \($0)" } ?? message
  }
}
