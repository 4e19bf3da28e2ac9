import MusterMatrix

/// Text as a word of a shell script.
enum Shell {
  /// The text in single quotes.
  static func quote(_ text: String) -> String {
    let escaped = text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#)
    return "'\(escaped)'"
  }

  /// Each text as a word.
  static func words(_ texts: [String]) -> String { texts.map { quote($0) }.joined(separator: " ") }

  /// The text with each secret as a variable: `'token='"${TOKEN}"`.
  static func quote(_ text: MaskedText) -> String {
    let parts = text.segments.map { segment in
      switch segment {
      case .text(let text): text.isEmpty ? "" : quote(text)
      case .secret(let name): "\"${\(name)}\""
      case .address(let machine): quote("${\(machine).address}")
      }
    }
    let word = parts.joined()
    return word.isEmpty ? "''" : word
  }
}
