/// Versions and names of packages, as far as all package managers agree on them.
enum ReleaseValues {
  /// - Parameter hint: What to write in place of what is no version at all.
  static func version(_ text: String, hint: String? = nil) throws(ValueProblem) {
    if text.isEmpty {
      throw ValueProblem("a version that is empty", hint: hint ?? "leave 'version' out for the newest")
    }
    if (try? PlainValues.bool(text)) != nil {
      throw ValueProblem("\(quoted(text)) is not a version", hint: hint ?? "write one such as 1.2.0")
    }
    if ["latest", "newest", "stable"].contains(text.lowercased()) {
      throw ValueProblem("\(quoted(text)) is not a version", hint: hint ?? "leave 'version' out for the newest")
    }
    guard let wrong = text.unicodeScalars.first(where: { !isOfName($0, or: ".+-:~^_!") }) else { return }
    throw ValueProblem(
      "\(quoted(text)) is not a version: none has \(quoted(String(wrong)))",
      hint: "write one version in full, such as 1.2.0")
  }

  static func package(_ text: String) throws(ValueProblem) {
    guard let wrong = text.unicodeScalars.first(where: { !isOfName($0, or: ".+-_@/:") }) else {
      if text.isEmpty || text.hasPrefix("-") { throw ValueProblem("\(quoted(text)) is not the name of a package") }
      return
    }
    switch wrong {
    case " ", ",":
      throw ValueProblem(
        "\(quoted(text)) is not the name of a package", hint: "write several as a list: [one, other]")
    case "=" where !text.hasPrefix("="):
      let version = text.drop { $0 != "=" }.drop { $0 == "=" }
      throw ValueProblem(
        "\(quoted(text)) is the name of a package and a version",
        hint: "write the name alone, and 'version: \(version)' beside it")
    default:
      throw ValueProblem(
        "\(quoted(text)) is not the name of a package: none has \(quoted(String(wrong)))",
        hint: "write the name alone, in full")
    }
  }

  /// The formula of a tap that is a folder of this host.
  static func formulaOfTap(_ text: String) throws(ValueProblem) {
    try package(text)
    guard text.contains("/") else { return }
    let name = text.split(separator: "/").last.map(String.init) ?? text
    throw ValueProblem("\(quoted(text)) names a tap, and 'tap' is another one", hint: "write \(name), without a tap")
  }

  private static func isOfName(_ scalar: Unicode.Scalar, or others: String) -> Bool {
    guard let byte = UInt8(exactly: scalar.value) else { return false }
    return PlainValues.isLetter(byte) || PlainValues.isDigit(byte) || others.utf8.contains(byte)
  }
}
