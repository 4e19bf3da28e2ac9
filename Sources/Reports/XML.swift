/// Text as XML 1.0 wants it. Control characters and the like must be gone: see `PlainText`.
enum XML {
  /// Between tags. `>` is escaped too, so that `]]>` cannot occur.
  static func text(_ text: String) -> String {
    escape(PlainText.text(text)) { _ in nil }
  }

  /// Between double quotes. Line ends and tabs survive a reader only as references.
  static func attribute(_ text: String) -> String {
    escape(PlainText.text(text)) { scalar in
      switch scalar {
      case "\"": "&quot;"
      case "\n": "&#10;"
      case "\t": "&#9;"
      default: nil
      }
    }
  }

  /// ` name="value"` for each pair, in order.
  static func attributes(_ pairs: KeyValuePairs<String, String>) -> String {
    pairs.map { " \($0)=\"\(attribute($1))\"" }.joined()
  }

  private static func escape(_ text: String, _ other: (Unicode.Scalar) -> String?) -> String {
    var escaped = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped.append(contentsOf: "&amp;".unicodeScalars)
      case "<": escaped.append(contentsOf: "&lt;".unicodeScalars)
      case ">": escaped.append(contentsOf: "&gt;".unicodeScalars)
      default:
        if let other = other(scalar) {
          escaped.append(contentsOf: other.unicodeScalars)
        } else {
          escaped.append(scalar)
        }
      }
    }
    return String(escaped)
  }
}
