/// Text that came from a guest, a mirror or a file, made harmless for a terminal: whatever could move the cursor, change
/// colours, reorder the line or end it is shown as a visible symbol.
enum VisibleText {
  /// One line: line ends are symbols too, and a tab is a space.
  static func line(_ text: String) -> String {
    guard !isPlain(text) else { return text }
    var line = String.UnicodeScalarView()
    line.reserveCapacity(text.unicodeScalars.count)
    for scalar in text.unicodeScalars {
      if scalar == "\t" { line.append(" ") } else { append(scalar, to: &line) }
    }
    return String(line)
  }

  /// The lines of a text, each harmless; CR LF ends a line like LF.
  static func lines(_ text: String) -> [String] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { part in
      line(part.last == "\r" ? String(part.dropLast()) : String(part))
    }
    if lines.last == "" { lines.removeLast() }
    return lines
  }

  /// Whether the text is printable ASCII, as most is.
  private static func isPlain(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
  }

  private static func append(_ scalar: Unicode.Scalar, to line: inout String.UnicodeScalarView) {
    switch scalar.value {
    case 0x00...0x1F:
      // The block of control pictures has them in the same order: U+001B is ␛.
      if let picture = Unicode.Scalar(0x2400 + scalar.value) { line.append(picture) }
    case 0x7F: line.append("\u{2421}")
    case 0x80...0x9F: line.append(contentsOf: "<U+00\(hex(scalar))>".unicodeScalars)
    case _ where reorders(scalar): line.append(contentsOf: "<U+\(hex(scalar))>".unicodeScalars)
    default: line.append(scalar)
    }
  }

  /// Marks that reorder text, hide it or end a line without being control characters.
  static func reorders(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x061C, 0x200B, 0x200E, 0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE007F:
      true
    default: false
    }
  }

  private static func hex(_ scalar: Unicode.Scalar) -> String {
    String(scalar.value, radix: 16, uppercase: true)
  }
}

/// Text without the sequences that colour it on a terminal, for reports that are read elsewhere.
enum PlainText {
  /// Removes ANSI escape sequences (ECMA-48: CSI …, OSC … and the like, two-character escapes), and all control
  /// characters but line ends and tabs. CR LF becomes LF, and a lone CR becomes LF too.
  static func text(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 < 0x20 && $0 != 0x0A && $0 != 0x09 || $0 == 0x7F || $0 == 0xC2 }) else {
      return text
    }
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
      case 0x00..<0x20, 0x7F..<0xA0: break
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
