import MusterYAML

extension MatrixDecoder {
  /// `fingerprint` beside `key`.
  /// - Parameter hasKey: Whether there is a key where `mapping` names none.
  func fingerprint(in mapping: Mapping, _ known: [String], ofKey hasKey: Bool) -> String? {
    guard let entry = mapping.entries.first(where: { $0.key == "fingerprint" }) else { return nil }
    if !hasKey, lacks(mapping, "key", known: known) {
      report("'fingerprint' is of a key, and there is none", at: entry.keySpan, hint: "add 'key: FILE'")
    }
    return constant(entry.value, "a fingerprint", Fingerprint.parse)
  }
}

/// The fingerprint of an OpenPGP key, as people copy it from what gpg prints.
enum Fingerprint {
  /// - Returns: 40 hexadecimal digits in capitals.
  static func parse(_ text: String) throws(ValueProblem) -> String {
    var digits = text.split { $0 == " " }.joined()
    if digits.hasPrefix("0x") { digits.removeFirst(2) }
    guard digits.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else {
      throw ValueProblem(
        "\(quoted(text)) is not a fingerprint", hint: "write its 40 hexadecimal digits, as 'gpg --show-keys FILE' tells"
      )
    }
    switch digits.utf8.count {
    case 40: return digits.uppercased()
    case 8, 16:
      throw ValueProblem(
        "\(quoted(text)) is a key's short number, which others can make a key for",
        hint: "write the fingerprint's 40 digits, as 'gpg --show-keys FILE' tells")
    case let count:
      throw ValueProblem(
        "a fingerprint has 40 hexadecimal digits, and \(quoted(text)) has \(count)",
        hint: "'gpg --show-keys FILE' tells it")
    }
  }
}
