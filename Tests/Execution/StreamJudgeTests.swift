import MusterDiagnostics
import MusterHost
import MusterMatrix
import Testing

@testable import MusterExecution

@Suite struct StreamJudgeTests {
  private static let place = Location(file: "m.yaml", line: 1, column: 1)

  private func judge(_ kind: MusterMatrix.Expectation.Kind, _ text: String, of stream: String, by size: Int)
    -> StreamJudge.Judgement
  {
    var judge = StreamJudge(
      "stdout", [MusterMatrix.Expectation(kind: kind, text: MaskedText(text), location: Self.place)],
      reveal: \.description)
    var rest = Array(stream.utf8)[...]
    while !rest.isEmpty {
      judge.take(Array(rest.prefix(size)), shown: Array(rest.prefix(size)))
      rest = rest.dropFirst(size)
    }
    return judge.judge()
  }

  @Test(arguments: [
    (MusterMatrix.Expectation.Kind.equals, "a", "a", true), (.equals, "a", "a\n", true), (.equals, "a\n", "a", true),
    (.equals, "a\n", "a\n", true), (.equals, "a", "a\n\n", false), (.equals, "a\n\n", "a\n", false),
    (.equals, "", "", true),
    (.equals, "", "\n", true), (.equals, "", "x", false), (.equals, "abc", "ab", false), (.equals, "ab", "abc", false),
    (.equals, "ab", "ab\nc", false), (.equals, "a\nb", "a\nb\n", true), (.contains, "", "", true),
    (.contains, "bcd", "abcde", true), (.contains, "bcd", "abcbcde", true), (.contains, "bcd", "abdc", false),
    (.contains, "aab", "aaab", true), (.contains, "x", "", false), (.contains, "ä", "Käse", true),
    (.notContains, "bcd", "abcde", false), (.notContains, "bcd", "abc", true), (.matches, "^b.*d$", "abcd", false),
    (.matches, "b.*d", "abcd", true), (.matches, #"\d+\.\d+"#, "version 1.2", true), (.matches, "^$", "", true),
  ])
  func expectations(kind: MusterMatrix.Expectation.Kind, text: String, stream: String, holds: Bool) {
    for size in [1, 2, 3, 1000] {
      #expect((judge(kind, text, of: stream, by: size) == .holds) == holds, "in pieces of \(size)")
    }
  }

  @Test func whatIsShown() throws {
    func mismatch(_ kind: MusterMatrix.Expectation.Kind, _ text: String, of stream: String) throws -> Mismatch {
      guard case .differs(let mismatch) = judge(kind, text, of: stream, by: 100) else { throw CancellationError() }
      return mismatch
    }
    let equals = try mismatch(.equals, "one\ntwo\n", of: "one\ndos\n")
    #expect(equals.expected == "equals \"one\ntwo\n\"")
    #expect(equals.actual == "one\ndos\n(differs first in line 2)")
    #expect(equals.location == Self.place)
    #expect(try mismatch(.contains, "x", of: "").actual == "nothing")
    #expect(try mismatch(.notContains, "two", of: "one\ntwo\n").actual == "contains it, first in line 2")
    let long = try mismatch(.contains, "x", of: String(repeating: "ab", count: 5000)).actual
    #expect(long.utf8.count < 2100)
    #expect(long.contains("… 8000 bytes …"))
  }

  @Test func aPatternHasALimit() {
    var judge = StreamJudge(
      "stdout", [MusterMatrix.Expectation(kind: .matches, text: "a", location: Self.place)], reveal: \.description)
    for _ in 0..<9 { judge.take([UInt8](repeating: 0x61, count: 1 << 20), shown: []) }
    guard case .error(let reason) = judge.judge() else {
      Issue.record("it was matched")
      return
    }
    #expect(reason.blame == .matrix)
  }

  @Test(arguments: 0..<200)
  func needlesAreFoundWhereverAStreamIsCut(seed: UInt64) {
    var random = Seeded(seed: seed)
    func word(_ range: ClosedRange<Int>) -> String {
      String((0..<Int.random(in: range, using: &random)).map { _ in "ab\n".randomElement(using: &random) ?? "a" })
    }
    let (text, needle) = (word(0...60), word(1...4))
    var search = Needle(needle)
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let chunk = rest.prefix(Int.random(in: 1...5, using: &random))
      search.search(Array(chunk))
      rest = rest.dropFirst(chunk.count)
    }
    let lines = text.firstRange(of: needle).map { text[..<$0.lowerBound].count { $0 == "\n" } + 1 }
    #expect(search.line == lines)
  }
}
