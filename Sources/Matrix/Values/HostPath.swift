/// What cannot be a path of the host, though it looks like one.
enum HostPath {
  static func check(_ text: String) throws(ValueProblem) {
    try check(text, address: "download it in 'setup', and name the file")
  }

  /// - Parameter hint: What to do about a URL.
  static func check(_ text: String, address hint: String) throws(ValueProblem) {
    if let scheme = scheme(of: text) {
      throw ValueProblem(
        "\(quoted(text)) is an address, and this must be on this host",
        hint: scheme == "file" ? "write the path alone" : hint)
    }
    try checkStart(text)
  }

  /// What is either a path or a URL.
  /// - Parameter isURL: Whether it is taken for a URL.
  static func checkPlace(_ text: String, _ what: String, isURL: Bool) throws(ValueProblem) {
    switch scheme(of: text) {
    case nil: try checkStart(text)
    case "file":
      throw ValueProblem(
        "\(quoted(text)) is a path of this host with 'file://' before it", hint: "write the path alone")
    case "http", "https":
      if !isURL {
        throw ValueProblem(
          "\(quoted(text)) is taken for a path, since an axis has all of it",
          hint: "write https:// or http:// before the axis")
      }
    case let scheme?:
      throw ValueProblem(
        "\(what) cannot be had by \(quoted("\(scheme)://"))", hint: "write https:// or http://, or a path of this host")
    }
  }

  private static func checkStart(_ text: String) throws(ValueProblem) {
    guard let start = ["~", "$HOME"].first(where: { text == $0 || text.hasPrefix("\($0)/") }) else { return }
    throw ValueProblem(
      "no shell expands '\(start)' here", hint: "write the whole path, or one that starts at this file's folder")
  }

  /// `https` of `https://example.org`.
  private static func scheme(of text: String) -> String? {
    let scheme = text.utf8.prefix { PlainValues.isLetter($0) || PlainValues.isDigit($0) || "+-.".utf8.contains($0) }
    guard !scheme.isEmpty, text.utf8.dropFirst(scheme.count).starts(with: "://".utf8) else { return nil }
    return String(scheme)
  }
}
