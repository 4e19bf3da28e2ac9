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
    case nil:
      try checkShorthand(text, what)
      try checkStart(text)
    case "http" where text.utf8.count <= 7, "https" where text.utf8.count <= 8:
      throw ValueProblem("\(quoted(text)) names no host", hint: "write the whole address")
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

  /// What other tools take for a repository, and would be a folder of that name here.
  private static func checkShorthand(_ text: String, _ what: String) throws(ValueProblem) {
    let shorthands = [
      ("deb ", "write the address alone, and its 'suite' and 'components' beside it"),
      ("ppa:", "write https://ppa.launchpadcontent.net/OWNER/NAME/ubuntu, and its 'suite' and 'key' beside it"),
      ("copr:", "write the 'baseurl' that the project's .repo file has, and its 'key' beside it"),
      ("http:", "write http:// with two slashes"), ("https:", "write https:// with two slashes"),
    ]
    for (start, hint) in shorthands where text.hasPrefix(start) {
      throw ValueProblem("\(what) is an address or a path of this host, and \(quoted(text)) is neither", hint: hint)
    }
  }

  /// - Parameters:
  ///   - endings: How the name of such a file ends; none for a folder.
  ///   - what: What it is.
  static func checkFile(_ text: String, endings: [String], _ what: String) throws(ValueProblem) {
    if text.contains("*") || text.contains("?") {
      throw ValueProblem(
        "\(quoted(text)) is a pattern, and none is expanded here",
        hint: "name the one file; what changes from release to release can be a variable")
    }
    if !endings.isEmpty, !endings.contains(where: text.hasSuffix) {
      throw ValueProblem(
        "\(quoted(text)) is not \(what)", hint: "the name of one ends in \(endings.joined(separator: ", "))")
    }
  }

  private static func checkStart(_ text: String) throws(ValueProblem) {
    if text.isEmpty { throw ValueProblem("a path that is empty") }
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
