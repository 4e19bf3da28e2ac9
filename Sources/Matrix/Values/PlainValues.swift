/// Whole numbers, truth values, permissions and names, each from the raw text of a scalar.
enum PlainValues {
  /// A whole number in decimal digits.
  static func integer(_ text: String) throws(ValueProblem) -> Int {
    var digits = text.utf8[...]
    let negative = digits.first == UInt8(ascii: "-")
    if negative { digits = digits.dropFirst() }
    guard !digits.isEmpty, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
      throw ValueProblem("\(quoted(text)) is not a whole number", hint: "write it in digits, such as 2")
    }
    guard let value = Int(text) else { throw ValueProblem("\(quoted(text)) is too large a number") }
    return value
  }

  static func bool(_ text: String) throws(ValueProblem) -> Bool {
    switch text.lowercased() {
    case "true", "yes", "on": return true
    case "false", "no", "off": return false
    default: throw ValueProblem("\(quoted(text)) is neither true nor false", hint: "write true or false")
    }
  }

  /// Permissions in octal digits, with or without a leading zero: `0755`, `755`, `0o755`, `4755`.
  static func mode(_ text: String) throws(ValueProblem) -> UInt16 {
    let bytes = Array(text.utf8)
    let digits = bytes.starts(with: "0o".utf8) ? bytes[2...] : bytes[...]
    let mode = digits.reduce(0) { ($0 * 8 + Int($1 & 7)) & 0xFFFF }
    guard (3...6).contains(digits.count), digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x37 }), mode <= 0o7777 else {
      throw ValueProblem("\(quoted(text)) is not a file mode", hint: "write three or four octal digits, such as 0755")
    }
    return UInt16(mode)
  }

  /// `user` or `user:group`, names or numbers.
  static func owner(_ text: String) throws(ValueProblem) -> String {
    let bytes = Array(text.utf8)
    let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.allSatisfy(isAccount) else {
      throw ValueProblem("\(quoted(text)) is not an owner", hint: "write user or user:group, such as root:adm")
    }
    return text
  }

  /// The name of a user or group.
  static func account(_ text: String) throws(ValueProblem) -> String {
    guard isAccount(Array(text.utf8)[...]) else { throw ValueProblem("\(quoted(text)) is not a user's name") }
    return text
  }

  /// Lowercase hexadecimal of a digest of `count` digits.
  static func digest(_ text: String, count: Int) throws(ValueProblem) -> String {
    let digits = text.lowercased()
    guard digits.utf8.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }) else {
      throw ValueProblem("\(quoted(text)) is not a checksum", hint: "write \(count) hexadecimal digits")
    }
    guard digits.utf8.count == count else {
      throw ValueProblem(
        "this checksum has \(digits.utf8.count) digits where \(count) are needed",
        hint: digits.utf8.count == 64
          ? "64 digits are a sha256" : digits.utf8.count == 128 ? "128 digits are a sha512" : nil)
    }
    return digits
  }

  /// The name of a variable, of the shell's or of the matrix's.
  static func isVariable(_ text: some StringProtocol) -> Bool {
    guard let first = text.utf8.first, isLetter(first) || first == UInt8(ascii: "_") else { return false }
    return text.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
  }

  /// The name of a test, a distro or a tag: what file names, selectors and shells take as it is.
  static func isName(_ text: some StringProtocol) -> Bool {
    guard let first = text.utf8.first, isLetter(first) || isDigit(first) else { return false }
    return text.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == 0x2E || $0 == 0x2D || $0 == 0x5F }
  }

  /// Whether a machine can be called so among others: one label of a host name.
  static func isHostName(_ text: String) -> Bool {
    guard let first = text.utf8.first, first >= 0x61 && first <= 0x7A, text.last != "-", text.utf8.count <= 30,
      text != "localhost"
    else { return false }
    return text.utf8.allSatisfy { ($0 >= 0x61 && $0 <= 0x7A) || isDigit($0) || $0 == 0x2D }
  }

  static func isLetter(_ byte: UInt8) -> Bool {
    (byte >= 0x41 && byte <= 0x5A) || (byte >= 0x61 && byte <= 0x7A)
  }

  static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  private static func isAccount(_ text: ArraySlice<UInt8>) -> Bool {
    guard let first = text.first, first != 0x2D else { return false }
    return text.allSatisfy {
      isLetter($0) || isDigit($0) || $0 == 0x2E || $0 == 0x2D || $0 == 0x5F || $0 == 0x24 || $0 >= 0x80
    }
  }
}
