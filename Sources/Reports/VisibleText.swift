/// Text that came from a guest, a mirror or a file, made harmless for a terminal: whatever could move the cursor, change
/// colours, reorder the line or end it is shown as a visible symbol.
package enum VisibleText {
  /// One line: line ends are symbols too, and a tab is a space.
  package static func line(_ text: String) -> String {
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
