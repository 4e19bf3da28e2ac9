/// Text for a POSIX shell.
package enum ShellText {
  /// One word that the shell takes for exactly `text`, whatever is in it but NUL.
  package static func quoted(_ text: String) -> String {
    "'" + text.replacing("'", with: "'\\''") + "'"
  }

  /// A word in which only the glob characters of `pattern` mean something.
  static func glob(_ pattern: String) -> String {
    pattern.map { character in
      switch character {
      case "*", "?", "[", "]", "!", "-", "^", ".", "_": String(character)
      case _ where character.isASCII && (character.isLetter || character.isNumber): String(character)
      default: quoted(String(character))
      }
    }.joined()
  }

  /// Whether a shell can have a variable of this name.
  static func isVariableName(_ name: String) -> Bool {
    let first = name.utf8.first.map { !(0x30...0x39).contains($0) } ?? false
    return first
      && name.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
        default: false
        }
      }
  }

  /// Whether this can be a user's name, by what useradd allows.
  static func isUserName(_ name: String) -> Bool {
    let first = name.utf8.first.map { $0 != 0x2D && $0 != 0x2E } ?? false
    return first && name.utf8.count <= 256
      && name.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D, 0x2E: true
        default: false
        }
      }
  }

  static func randomName() -> String {
    (0..<2).map { _ in
      let digits = String(UInt64.random(in: .min ... .max), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
