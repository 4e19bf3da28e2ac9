import MusterDiagnostics
import MusterHost
import MusterMatrix

/// Judges a stream against what is expected of it, as it comes: memory is bounded whatever its length, but for the
/// text that a regular expression is matched against, which has a limit of its own.
struct StreamJudge: Sendable {
  /// The longest stream that a regular expression is matched against.
  static let matchLimit = 8 << 20

  private enum Test: Sendable {
    /// The stream's first bytes, as many as it takes to tell.
    case equals([UInt8], seen: [UInt8])
    case contains(Needle)
    case matches(String, text: [UInt8])
    case notContains(Needle)
  }

  enum Judgement: Sendable, Hashable {
    case holds
    case differs(Mismatch)
    case error(Reason)
  }

  /// `stdout` or `stderr`.
  private let subject: String
  private var tests: [(expectation: Expectation, test: Test)]
  private var count = 0
  private var excerpt = Excerpt()

  init(_ subject: String, _ expectations: [Expectation], reveal: (MaskedText) -> String) {
    self.subject = subject
    tests = expectations.map { expectation in
      let text = reveal(expectation.text)
      return switch expectation.kind {
      case .equals: (expectation, .equals(Array(text.utf8.dropLastNewline()), seen: []))
      case .contains: (expectation, .contains(Needle(text)))
      case .matches: (expectation, .matches(text, text: []))
      case .notContains: (expectation, .notContains(Needle(text)))
      }
    }
  }

  /// - Parameter shown: What of `bytes` may be shown to people.
  mutating func take(_ bytes: [UInt8], shown: [UInt8]) {
    count += bytes.count
    excerpt.append(shown)
    for index in tests.indices {
      switch tests[index].test {
      case .equals(let wanted, var seen):
        // Two more than wanted: the newline that is ignored, and one that tells that there is more.
        tests[index].test = .equals([], seen: [])
        seen += bytes.prefix(max(0, wanted.count + 2 - seen.count))
        tests[index].test = .equals(wanted, seen: seen)
      case .contains(var needle):
        needle.search(bytes)
        tests[index].test = .contains(needle)
      case .matches(let pattern, var text):
        tests[index].test = .matches(pattern, text: [])
        text += bytes.prefix(max(0, Self.matchLimit + 1 - text.count))
        tests[index].test = .matches(pattern, text: text)
      case .notContains(var needle):
        needle.search(bytes)
        tests[index].test = .notContains(needle)
      }
    }
  }

  /// The first expectation that does not hold, when the stream has ended.
  func judge() -> Judgement {
    for (expectation, test) in tests {
      let judgement = judge(expectation, test)
      if judgement != .holds { return judgement }
    }
    return .holds
  }

  private func judge(_ expectation: Expectation, _ test: Test) -> Judgement {
    switch test {
    case .equals(let wanted, let seen):
      let text = Array(seen.dropLastNewline())
      return text == wanted ? .holds : differs(expectation, from: excerpt.text + Self.difference(wanted, text))
    case .contains(let needle):
      return needle.line == nil ? differs(expectation, from: excerpt.text) : .holds
    case .notContains(let needle):
      guard let line = needle.line else { return .holds }
      return differs(expectation, from: "contains it, first in line \(line)")
    case .matches(let pattern, let text):
      guard text.count <= Self.matchLimit else {
        let limit = ByteCount(Int64(Self.matchLimit))
        return .error(
          Reason(
            "\(subject) is longer than the \(limit) that 'matches' can look at",
            hint: "use 'contains', or print less", blame: .matrix))
      }
      do {
        let found = try Regex(pattern).firstMatch(in: String(decoding: text, as: UTF8.self))
        return found == nil ? differs(expectation, from: excerpt.text) : .holds
      } catch {
        return .error(Reason("the regular expression is not valid: \(error)", blame: .matrix))
      }
    }
  }

  private func differs(_ expectation: Expectation, from actual: String) -> Judgement {
    let verb = expectation.kind == .notContains ? "does not contain" : expectation.kind.rawValue
    let text = expectation.text.description
    let shown = text.count > 2000 ? "\(text.prefix(2000)) …" : text
    return .differs(
      Mismatch(subject: subject, expected: "\(verb) \"\(shown)\"", actual: actual, location: expectation.location))
  }

  /// Where two texts of several lines differ first, as an addition to the second.
  private static func difference(_ wanted: [UInt8], _ text: [UInt8]) -> String {
    guard wanted.contains(0x0A) else { return "" }
    let same = zip(wanted, text).prefix { $0 == $1 }
    return "\n(differs first in line \(same.count { $0.0 == 0x0A } + 1))"
  }
}

/// A text that is looked for in a stream of chunks.
struct Needle: Sendable {
  private let bytes: [UInt8]
  /// The end of what came before: one byte less than the text has.
  private var rest: [UInt8] = []
  private var newlines = 0
  /// The line, from 1, in which the text begins where it was found first.
  private(set) var line: Int?

  init(_ text: String) {
    bytes = Array(text.utf8)
    if bytes.isEmpty { line = 1 }
  }

  mutating func search(_ chunk: [UInt8]) {
    guard line == nil, let first = bytes.first else { return }
    let window = rest + chunk
    let kept = min(bytes.count - 1, window.count)
    var index = 0
    while index < window.count - kept {
      let byte = window[index]
      if byte == first, window[index...].starts(with: bytes) {
        line = newlines + 1
        rest = []
        return
      }
      if byte == 0x0A { newlines += 1 }
      index += 1
    }
    rest = Array(window.suffix(kept))
  }
}

/// The beginning and the end of a stream, for people.
private struct Excerpt: Sendable {
  private static let limit = 1000
  private var head: [UInt8] = []
  private var tail = LastBytes(limit: limit)
  private var count = 0

  mutating func append(_ bytes: [UInt8]) {
    count += bytes.count
    let first = bytes.prefix(Self.limit - head.count)
    head += first
    if first.count < bytes.count { tail.append(Array(bytes[first.count...])) }
  }

  var text: String {
    if count == 0 { return "nothing" }
    let between = count - head.count - Self.limit
    let end = tail.last.dropLastNewline()
    if between <= 0 { return String(decoding: (head + tail.last).dropLastNewline(), as: UTF8.self) }
    return String(decoding: head, as: UTF8.self) + "\n… \(between) bytes …\n" + String(decoding: end, as: UTF8.self)
  }
}

extension BidirectionalCollection where Element == UInt8 {
  /// Without one newline at the end.
  fileprivate func dropLastNewline() -> SubSequence {
    last == 0x0A ? dropLast() : self[...]
  }
}
