/// Why a text is not a value of the kind that is expected.
package struct ValueProblem: Error, Sendable, Hashable {
  /// A lowercase fragment.
  package var message: String
  /// What to write instead.
  package var hint: String?

  init(_ message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
  }
}

/// The text as it is quoted in a message: cut where it is long, without control characters.
func quoted(_ text: some StringProtocol) -> String {
  var shown = ""
  for (index, scalar) in text.unicodeScalars.enumerated() {
    if index == 60 {
      shown += "…"
      break
    }
    shown.unicodeScalars.append(scalar.properties.generalCategory == .control ? " " : scalar)
  }
  return "'\(shown)'"
}
