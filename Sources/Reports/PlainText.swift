/// Text without the sequences that colour it on a terminal, for reports that are read elsewhere.
enum PlainText {
  /// Removes ANSI escape sequences (ECMA-48: CSI …, OSC … and the like, two-character escapes), and puts U+FFFD for
  /// other control characters, for marks that reorder text and for what is no character of XML. CR LF becomes LF, and
  /// a lone CR becomes LF too.
  static func text(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F || $0 == 0x0A || $0 == 0x09 }) { return text }
    var plain = String.UnicodeScalarView()
    var scalars = text.unicodeScalars[...]
    while let scalar = scalars.popFirst() {
      switch scalar.value {
      case 0x1B: dropSequence(&scalars)
      case 0x9B: dropControlSequence(&scalars)
      case 0x90, 0x98, 0x9D, 0x9E, 0x9F: dropString(&scalars)
      case 0x0D:
        if scalars.first == "\n" { scalars.removeFirst() }
        plain.append("\n")
      case 0x09, 0x0A: plain.append(scalar)
      case 0x00..<0x20, 0x7F..<0xA0, 0xFFFE, 0xFFFF: plain.append("\u{FFFD}")
      case _ where VisibleText.reorders(scalar): plain.append("\u{FFFD}")
      default: plain.append(scalar)
      }
    }
    return String(plain)
  }

  static func lines(_ text: String) -> [String] {
    var lines = self.text(text).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    return lines
  }

  /// One line: line ends and tabs become spaces.
  static func line(_ text: String) -> String {
    String(String.UnicodeScalarView(self.text(text).unicodeScalars.map { $0 == "\n" || $0 == "\t" ? " " : $0 }))
  }

  /// What follows an escape character.
  private static func dropSequence(_ scalars: inout Substring.UnicodeScalarView) {
    guard let next = scalars.first else { return }
    switch next {
    case "[":
      scalars.removeFirst()
      dropControlSequence(&scalars)
    case "]", "P", "X", "^", "_":
      scalars.removeFirst()
      dropString(&scalars)
    default:
      // Intermediate bytes and one final byte.
      while let scalar = scalars.first, (0x20...0x2F).contains(scalar.value) { scalars.removeFirst() }
      if let scalar = scalars.first, (0x30...0x7E).contains(scalar.value) { scalars.removeFirst() }
    }
  }

  private static func dropControlSequence(_ scalars: inout Substring.UnicodeScalarView) {
    while let scalar = scalars.first, (0x20...0x3F).contains(scalar.value) { scalars.removeFirst() }
    if let scalar = scalars.first, (0x40...0x7E).contains(scalar.value) { scalars.removeFirst() }
  }

  /// A string up to its terminator, BEL or ST. One that never ends is given up at the line's end, so that it cannot
  /// swallow the rest.
  private static func dropString(_ scalars: inout Substring.UnicodeScalarView) {
    while let scalar = scalars.first, scalar != "\n" {
      scalars.removeFirst()
      if scalar == "\u{7}" || scalar.value == 0x9C { return }
      if scalar.value == 0x1B {
        if scalars.first == "\\" { scalars.removeFirst() }
        return
      }
    }
  }
}
