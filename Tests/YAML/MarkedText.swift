import MusterDiagnostics

/// A text with places marked in it by keycap emoji, 1️⃣ to 9️⃣: the text without them, and where each stood.
struct MarkedText: ExpressibleByStringLiteral {
  private(set) var text = ""
  private(set) var places: [Int: Position] = [:]

  init(stringLiteral value: String) {
    self.init(value)
  }

  init(_ marked: String) {
    var line = 1
    var column = 1
    for character in marked {
      if let number = Self.number(of: character) {
        places[number] = Position(line: line, column: column)
        continue
      }
      text.append(character)
      if character.isNewline {
        line += 1
        column = 1
      } else {
        column += character.unicodeScalars.count
      }
    }
  }

  /// The number on a keycap: a digit, a variation selector and an enclosing mark.
  private static func number(of character: Character) -> Int? {
    let scalars = Array(character.unicodeScalars)
    guard scalars.count == 3, scalars[2] == "\u{20E3}" else { return nil }
    return Int(String(scalars[0]))
  }
}
