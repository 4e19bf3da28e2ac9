/// A shell's pattern for names: `*` any text, `?` any character, `[a-z]` one of a set, `[!a-z]` one that is not.
/// Names are ASCII, so it works on bytes. Matching takes at most pattern × name steps.
struct Glob: Sendable, Hashable {
  enum Token: Sendable, Hashable {
    case byte(UInt8)
    case any
    case many
    case set([ClosedRange<UInt8>], negated: Bool)
  }

  var tokens: [Token]

  static func isPattern(_ text: some StringProtocol) -> Bool {
    text.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[") }
  }

  init(_ text: some StringProtocol) throws(ValueProblem) {
    tokens = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "*"): if tokens.last != .many { tokens.append(.many) }
      case UInt8(ascii: "?"): tokens.append(.any)
      case UInt8(ascii: "["):
        guard let set = Self.set(&rest) else {
          throw ValueProblem("the '[' of \(quoted(text)) is not closed", hint: "write a set as [abc] or [a-z]")
        }
        tokens.append(set)
      default: tokens.append(.byte(byte))
      }
    }
  }

  /// The set whose `[` has been read; a `]` that comes first is one of its members. `nil` when it does not end.
  private static func set(_ rest: inout ArraySlice<UInt8>) -> Token? {
    let negated = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
    if negated { rest.removeFirst() }
    var ranges: [ClosedRange<UInt8>] = []
    while let low = rest.popFirst() {
      if low == UInt8(ascii: "]"), !ranges.isEmpty { return .set(ranges, negated: negated) }
      var high = low
      if rest.first == UInt8(ascii: "-"), let end = rest.dropFirst().first, end != UInt8(ascii: "]") {
        high = end
        rest.removeFirst(2)
      }
      ranges.append(min(low, high)...max(low, high))
    }
    return nil
  }

  func matches(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    var token = 0
    var index = 0
    /// Where to go on when what follows the last `*` does not fit here.
    var retry: (token: Int, index: Int)?
    while index < bytes.count {
      if token < tokens.count {
        if tokens[token] == .many {
          retry = (token + 1, index)
          token += 1
          continue
        }
        if tokens[token].matches(bytes[index]) {
          token += 1
          index += 1
          continue
        }
      }
      guard let last = retry else { return false }
      retry = (last.token, last.index + 1)
      token = last.token
      index = last.index + 1
    }
    return tokens[token...].allSatisfy { $0 == .many }
  }
}

extension Glob.Token {
  fileprivate func matches(_ byte: UInt8) -> Bool {
    switch self {
    case .byte(let wanted): wanted == byte
    case .any, .many: true
    case .set(let ranges, let negated): ranges.contains { $0.contains(byte) } != negated
    }
  }
}
