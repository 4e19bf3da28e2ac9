/// One item of a selector as it is written: factors joined by `&`, each perhaps after `not`.
///
/// ```
/// item   = factor { "&" factor }
/// factor = { "not" } ( "all" | "family:" pattern | "tag:" pattern | pattern )
/// ```
/// A pattern is a name or a glob. Where cells can be named, it may also be `test@distro`, `test[axis=value,…]` or
/// `test[axis=value,…]@distro`.
struct SelectorSyntax: Sendable, Hashable {
  enum Term: Sendable, Hashable {
    case all
    case name(String)
    case family(String)
    case tag(String)
    case cell(test: String, axes: [AxisValue], distro: String)
  }

  struct Factor: Sendable, Hashable {
    var negated: Bool
    var term: Term
    /// The term as it is written.
    var text: String
    /// Where the term stands in the item, in bytes.
    var offset: Int
    var length: Int
  }

  var factors: [Factor]

  /// Whether the item only takes away.
  var isRemoval: Bool { factors.allSatisfy(\.negated) }
}

/// What is wrong with a selector, and where in its text.
struct SelectorProblem: Error {
  var message: String
  var hint: String?
  var isWarning = false
  /// Bytes from the start of the item.
  var offset: Int
  var length: Int
}

extension SelectorSyntax {
  init(_ text: String, namesCells: Bool) throws(SelectorProblem) {
    let bytes = Array(text.utf8)
    factors = []
    var start = 0
    for end in 0...bytes.count where end == bytes.count || bytes[end] == UInt8(ascii: "&") {
      factors.append(try Self.factor(bytes, start..<end, namesCells: namesCells))
      start = end + 1
    }
  }

  private static func factor(
    _ bytes: [UInt8], _ range: Range<Int>, namesCells: Bool
  ) throws(SelectorProblem) -> Factor {
    var words = bytes[range].split(whereSeparator: { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D })
    var negated = false
    while let word = words.first, word.elementsEqual("not".utf8) {
      negated.toggle()
      words.removeFirst()
    }
    guard let word = words.first else {
      let message =
        bytes.isEmpty
        ? "a selector that is empty" : negated ? "'not' of nothing" : "a side of '&' that is empty"
      throw SelectorProblem(
        message: message, hint: "write a name, a glob, family:…, tag:… or all", offset: range.lowerBound,
        length: range.count)
    }
    let text = String(decoding: word, as: UTF8.self)
    if words.count > 1 {
      throw SelectorProblem(
        message: "two names side by side in a selector",
        hint: "write a list for either of them, or 'a & b' for both", offset: words[1].startIndex,
        length: words[1].count)
    }
    if text.utf8.contains(UInt8(ascii: ",")), !text.utf8.contains(UInt8(ascii: "[")) {
      throw SelectorProblem(
        message: "a comma in a selector", hint: "write a list, or repeat the option", offset: word.startIndex,
        length: word.count)
    }
    do throws(ValueProblem) {
      return Factor(
        negated: negated, term: try term(text, namesCells: namesCells), text: text, offset: word.startIndex,
        length: word.count)
    } catch {
      throw SelectorProblem(message: error.message, hint: error.hint, offset: word.startIndex, length: word.count)
    }
  }

  private static func term(_ text: String, namesCells: Bool) throws(ValueProblem) -> Term {
    if text == "all" { return .all }
    if namesCells, let cell = try cell(text) { return cell }
    if let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) {
      let kind = text[..<colon]
      let pattern = String(text[text.utf8.index(after: colon)...])
      guard !pattern.isEmpty else { throw ValueProblem("\(quoted(text)) names nothing") }
      switch kind {
      case "family": return .family(pattern)
      case "tag": return .tag(pattern)
      default:
        throw ValueProblem(
          "unknown kind of selector \(quoted("\(kind):"))",
          hint: Nearest.question(String(kind), among: ["family", "tag"]) ?? "the kinds are family: and tag:")
      }
    }
    return .name(text)
  }

  /// `test[axis=value,…]@distro`, either part after the test optional; `nil` for a text that has none of them.
  private static func cell(_ text: String) throws(ValueProblem) -> Term? {
    var test = text[...]
    var distro = "*"
    if let at = text.utf8.lastIndex(of: UInt8(ascii: "@")) {
      test = text[..<at]
      distro = String(text[text.utf8.index(after: at)...])
    }
    var axes: [AxisValue] = []
    if test.utf8.last == UInt8(ascii: "]"), let open = test.utf8.firstIndex(of: UInt8(ascii: "[")),
      test[open...].utf8.contains(UInt8(ascii: "="))
    {
      for pair in test[open...].dropFirst().dropLast().split(separator: ",", omittingEmptySubsequences: false) {
        let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2 else {
          throw ValueProblem("\(quoted(pair)) is not an axis and its value", hint: "write axis=value")
        }
        axes.append(AxisValue(axis: String(sides[0]), value: String(sides[1])))
      }
      test = test[..<open]
    } else if test.endIndex == text.endIndex {
      return nil
    }
    guard !test.isEmpty, !distro.isEmpty else {
      throw ValueProblem("\(quoted(text)) is not the name of a cell", hint: "write test@distro")
    }
    return .cell(test: String(test), axes: axes, distro: distro)
  }
}
