import MusterDiagnostics
import MusterYAML

/// The variables that a text may name where it stands.
struct Scope {
  /// The axes of the test, in a test.
  var axes: [Axis] = []
  /// The names of its machines, where it has several.
  var machines: [String] = []
  /// Whether there is a cell: not in `setup`, which runs once on the host.
  var hasCell = true
}

/// What a text may hold, beyond variables of the matrix and axes.
struct Uses: OptionSet {
  let rawValue: Int
  /// `${distro}` and what else every cell has.
  static let builtIns = Uses(rawValue: 1)
  static let secrets = Uses(rawValue: 2)
  /// `${NAME.address}`
  static let addresses = Uses(rawValue: 4)
  static let all: Uses = [.builtIns, .secrets, .addresses]
}

/// `vars` and `secrets`.
struct Variables {
  enum Value {
    case unread(Node)
    /// Being read now: who needs it again goes round in a circle.
    case reading
    case known(Template)
    /// Told to be wrong already.
    case wrong
  }

  var values: [String: Value] = [:]
  var spans: [String: Span] = [:]
  var secrets: Set<String> = []
  /// Which tests have an axis of that name, to explain its use elsewhere.
  var axes: [String: String] = [:]
  /// How many variables are being read, each for the one before.
  var depth = 0

  /// Bytes that a text may have with its variables in place: variables of variables could grow without end.
  static let longestText = 1 << 20
  /// How many variables may need each other in a row.
  static let deepest = 64

  func candidates(_ scope: Scope) -> [String] {
    values.keys.sorted() + secrets.sorted() + scope.axes.map(\.name)
      + (scope.hasCell ? BuiltIn.allCases.map(\.rawValue) : [])
  }
}

/// A piece of a text: as it is, or the name of a variable.
enum TemplatePiece {
  case text(String)
  case variable(name: String, range: Range<Int>)
  /// A `${` without its `}`.
  case open(Range<Int>)

  /// Whether a text has a `$` at all: most have none, and this is asked of every text of a matrix.
  static func mayVary(_ text: String) -> Bool {
    let found = unsafe text.utf8.withContiguousStorageIfAvailable { bytes in
      unsafe bytes.contains { $0 == UInt8(ascii: "$") }
    }
    return found ?? true
  }

  /// Takes a text apart. `$${` stands for `${`; every other `$` for itself.
  static func pieces(of text: String) -> [TemplatePiece] {
    let bytes = Array(text.utf8)
    let (dollar, open) = (UInt8(ascii: "$"), UInt8(ascii: "{"))
    var pieces: [TemplatePiece] = []
    /// Where the plain text before `index` starts.
    var start = 0
    var index = 0
    func endPlainText(at end: Int) {
      if start < end { pieces.append(.text(String(decoding: bytes[start..<end], as: UTF8.self))) }
    }
    while let place = bytes[index...].firstIndex(of: dollar), place + 1 < bytes.count {
      if bytes[place + 1] == dollar, place + 2 < bytes.count, bytes[place + 2] == open {
        // The first '$' goes, and '${' remains.
        endPlainText(at: place)
        start = place + 1
        index = place + 3
      } else if bytes[place + 1] == open {
        endPlainText(at: place)
        guard let close = bytes[place...].firstIndex(of: UInt8(ascii: "}")) else {
          pieces.append(.open(place..<place + 2))
          return pieces
        }
        pieces.append(
          .variable(name: String(decoding: bytes[place + 2..<close], as: UTF8.self), range: place..<close + 1))
        start = close + 1
        index = close + 1
      } else {
        index = place + 1
      }
    }
    endPlainText(at: bytes.count)
    return pieces
  }
}

extension MatrixDecoder {
  /// Reads `text`, which stands at `span`; `nil` when something in it is wrong, which is told.
  func template(_ text: String, at span: Span, _ what: String, _ scope: Scope, _ uses: Uses) -> Template? {
    guard TemplatePiece.mayVary(text) else { return .text(text) }
    if let known = knownTexts[text] { return .text(known) }
    if isFull { return nil }
    var parts: [Template.Part] = []
    var isWhole = true
    var length = 0
    for piece in TemplatePiece.pieces(of: text) {
      switch piece {
      case .text(let plain): parts.append(.text(plain))
      case .open(let range):
        isWhole = false
        report(
          "a '${' without its '}'", at: locator.span(of: range, in: text, at: span),
          hint: "write $${ for a literal '${'")
      case .variable(let name, let range):
        let place = { self.locator.span(of: range, in: text, at: span) }
        if let value = value(of: name, at: place, in: text, scope) {
          if isUsable(value, name, at: place, what, scope, uses) { parts += value.parts } else { isWhole = false }
          length += value.length
          if length > Variables.longestText {
            report("the text is longer than 1M with its variables in place", at: place())
            return nil
          }
        } else {
          isWhole = false
        }
      }
    }
    guard isWhole else { return nil }
    let template = Template(parts)
    if let constant = template.constant { knownTexts[text] = constant }
    return template
  }

  private func value(of name: String, at place: () -> Span, in text: String, _ scope: Scope) -> Template? {
    if case .known(let value)? = variables.values[name] { return value }
    if let axis = scope.axes.firstIndex(where: { $0.name == name }), name != BuiltIn.cpu.rawValue {
      return .parts([.axis(axis)])
    }
    if let builtIn = BuiltIn(rawValue: name) { return .parts([.builtIn(builtIn)]) }
    if variables.secrets.contains(name) { return .parts([.secret(name)]) }
    if !scope.machines.isEmpty, let dot = name.lastIndex(of: "."), variables.values[name] == nil {
      return address(of: String(name[..<dot]), name[dot...], at: place, scope)
    }
    switch variables.values[name] {
    case .known(let value): return value
    case .wrong: return nil
    case .reading:
      report("the variable '\(name)' needs itself", at: place(), hint: "write its value out")
      return nil
    case .unread(let node):
      guard variables.depth < Variables.deepest else {
        report("more than \(Variables.deepest) variables need each other in a row", at: place())
        return nil
      }
      return read(name, node)
    case nil:
      reportUnknown(name, at: place(), scope)
      return nil
    }
  }

  /// All that there is of a machine.
  private static let address = ".address"

  private func address(
    of machine: String, _ what: Substring, at place: () -> Span, _ scope: Scope
  ) -> Template? {
    if what != Self.address {
      report(
        "nothing is known of a machine as \(quoted(what.dropFirst()))", at: place(),
        hint: "write ${\(machine).address}")
      return nil
    }
    if scope.machines.contains(machine) { return .parts([.address(machine)]) }
    report(
      "the test has no machine \(quoted(machine))", at: place(),
      hint: Nearest.hint(machine, among: scope.machines, listing: "its machines are"))
    return nil
  }

  /// Reads a variable, unless another has needed it before.
  func readVariable(_ name: String) {
    if case .unread(let node)? = variables.values[name] { _ = read(name, node) }
  }

  private func read(_ name: String, _ node: Node) -> Template? {
    variables.values[name] = .reading
    variables.depth += 1
    defer { variables.depth -= 1 }
    let value = textNode(node, "a variable").flatMap { template($0, at: node.span, "a variable", Scope(), .all) }
    variables.values[name] = value.map { .known($0) } ?? .wrong
    return value
  }

  private func reportUnknown(_ name: String, at span: Span, _ scope: Scope) {
    if let test = variables.axes[name] {
      report(
        "'${\(name)}' is an axis of the test '\(test)', and has no value here", at: span,
        hint: "use it in that test, or declare it under 'vars'")
      return
    }
    if name.hasSuffix(Self.address), scope.machines.isEmpty {
      let machine = name.dropLast(Self.address.count)
      report(
        "there is no machine \(quoted(machine)) here", at: span,
        hint: "give the test several: 'machines: {\(machine): {}, …}'")
      return
    }
    guard PlainValues.isVariable(name) else {
      report(
        "\(quoted("${\(name)}")) is not a variable of the matrix", at: span,
        hint: "write $\(quotedExpansion(name)) to leave it to the shell")
      return
    }
    let near = Nearest.question(name, among: variables.candidates(scope)).map { "\($0) " } ?? ""
    report(
      "unknown variable '\(name)'", at: span,
      hint: "\(near)declare it under 'vars', or write $\(name) or $${\(name)} if it is the shell's")
  }

  private func quotedExpansion(_ name: String) -> String {
    String(quoted("${\(name)}").dropFirst().dropLast())
  }

  private func isUsable(
    _ value: Template, _ name: String, at place: () -> Span, _ what: String, _ scope: Scope, _ uses: Uses
  ) -> Bool {
    guard case .parts(let parts) = value else { return true }
    for part in parts {
      switch part {
      case .secret(let secret) where !uses.contains(.secrets):
        report(
          "the secret '\(secret)' cannot be used in \(what)", at: place(),
          hint: "secrets can be used in scripts, expectations and the values of 'env'")
        return false
      case .address where !uses.contains(.addresses):
        report(
          "'${\(name)}' cannot be used in \(what)", at: place(),
          hint: "addresses can be used in scripts, expectations, URLs and the values of 'env'")
        return false
      case .builtIn where !scope.hasCell:
        report("'${\(name)}' has no value here, outside any cell", at: place(), hint: nil)
        return false
      case .builtIn where !uses.contains(.builtIns):
        report("'${\(name)}' cannot be used in \(what)", at: place(), hint: nil)
        return false
      default: break
      }
    }
    return true
  }
}
