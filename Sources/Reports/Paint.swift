/// How a piece of text is meant.
enum Tone {
  case green
  case red
  case yellow
  case cyan
  case bold
  case faint
}

/// Colours text, where colours are wanted. What is coloured must be harmless already.
struct Paint: Sendable {
  var isColored: Bool

  func callAsFunction(_ text: String, _ tone: Tone) -> String {
    guard isColored, !text.isEmpty else { return text }
    let code =
      switch tone {
      case .green: "32"
      case .red: "31"
      case .yellow: "33"
      case .cyan: "36"
      case .bold: "1"
      case .faint: "2"
      }
    return "\u{1B}[\(code)m\(text)\u{1B}[0m"
  }
}
