import CustomDump
import MusterDiagnostics
import Testing

@testable import MusterYAML

/// A node without its places, to compare what two texts say.
indirect enum Value: Equatable {
  case plain(String)
  case text(String)
  case list([Value])
  case map([Pair])

  struct Pair: Equatable {
    var key: String
    var value: Value
  }

  init(_ node: Node) {
    switch node.content {
    case .scalar(let scalar): self = scalar.isPlain ? .plain(scalar.text) : .text(scalar.text)
    case .sequence(let items): self = .list(items.map(Value.init))
    case .mapping(let mapping): self = .map(mapping.entries.map { Pair(key: $0.key, value: Value($0.value)) })
    }
  }
}

/// The value that a text says, which must be without mistakes.
func value(_ text: String) throws -> Value {
  let document = parse(text)
  #expect(document.diagnostics.isEmpty)
  return Value(try #require(document.root))
}

@Suite struct NodeTests {
  @Test(arguments: [
    ("a: [b, c]\nd: {e: f}\n", "a:\n- b\n- c\nd:\n  e: f\n"),
    ("a: &x [1, 2]\nb: *x\n", "a: [1, 2]\nb: [1, 2]\n"),
    ("a: &x {b: &y c}\nd: [*x, *y]\n", "a: {b: c}\nd: [{b: c}, c]\n"),
    ("a: &x 1\nb: &x 2\nc: *x\n", "{a: 1, b: 2, c: 2}"),
    ("a: &k key\nb: {*k : 1}\n", "a: key\nb: {key: 1}\n"),
    ("a: b c\n", "a: b\n  c\n"),
    ("a: \"b c\"\n", "a: >-\n  b\n  c\n"),
    ("a: \"b\\nc\\n\"\n", "a: |\n  b\n  c\n"),
    ("a: 'it''s'\n", "a: \"it's\"\n"),
    ("a: \"\\u00e9\\t\\e\"\n", "a: \"é\\x09\\x1B\"\n"),
    ("a: !!str ~\n", "a: '~'\n"),
    ("a: b\r\nc: d\r\n", "a: b\nc: d\n"),
    ("a: b\rc: d", "a: b\nc: d\n"),
    ("%YAML 1.2\n---\na: b\n...\n", "a: b"),
    ("\"<<\": a\n", "'<<': a\n"),
    // Merge keys: what the mapping says itself wins, then the earlier in the list.
    ("a: &x {k: 1, l: 2}\nb: {<<: *x, m: 3}\n", "a: {k: 1, l: 2}\nb: {k: 1, l: 2, m: 3}\n"),
    ("a: &x {k: 1, l: 2}\nb: {l: 4, <<: *x}\n", "a: {k: 1, l: 2}\nb: {l: 4, k: 1}\n"),
    ("a: &x {k: 1, l: 2}\nb: {<<: *x, l: 4}\n", "a: {k: 1, l: 2}\nb: {k: 1, l: 4}\n"),
    ("{<<: [{k: 1}, {k: 2, l: 3}], m: 4}", "{k: 1, l: 3, m: 4}"),
    (
      "{<<: {k: 1}, a: 0, b: 0, c: 0, d: 0, e: 0, f: 0, g: 0, h: 0, i: 0}",
      "{k: 1, a: 0, b: 0, c: 0, d: 0, e: 0, f: 0, g: 0, h: 0, i: 0}"
    ),
    ("{<<: {<<: {k: 1}, l: 2}}", "{k: 1, l: 2}"),
  ])
  func `says the same`(left: String, right: String) throws {
    #expect(diff(try value(left), try value(right)) == nil)
  }

  @Test(arguments: ["24.10", "no", "1e3", "0755", "~", "0x1F", "2024-01-01", "-1", "a#b", "${version}"])
  func `keeps a plain scalar as it was written`(text: String) throws {
    #expect(try value("- \(text)\n") == .list([.plain(text)]))
  }

  @Test func `tells nothing from empty text`() throws {
    let root = try #require(parse("[~, null, '', \"~\", !!str null, x]\n").root)
    guard case .sequence(let items) = root.content else {
      Issue.record("not a list")
      return
    }
    let isNull = items.map { if case .scalar(let scalar) = $0.content { scalar.isNull } else { false } }
    #expect(isNull == [true, true, false, false, false, false])
  }

  @Test func `says which merge key brought an entry in`() throws {
    let marked: MarkedText = "a: &x {3️⃣k4️⃣: 1}\nb:\n  1️⃣<<2️⃣: *x\n  m: 2\n"
    let root = try #require(parse(marked.text).root)
    guard case .mapping(let mapping) = root.content, case .mapping(let merged)? = mapping["b"]?.content else {
      Issue.record("not a mapping")
      return
    }
    #expect(merged.entries.map(\.mergedFrom?.start) == [marked.places[1], nil])
    #expect(merged.entries.first?.mergedFrom?.end == marked.places[2])
    #expect(merged.entries.first?.keySpan.start == marked.places[3])
    #expect(merged.entries.first?.keySpan.end == marked.places[4])
  }

  /// Each text marks the value of `x` from 1️⃣ to 2️⃣.
  @Test(
    arguments: [
      "x: 1️⃣value2️⃣  # remark\n",
      "é日本🎉: 0\nx: 1️⃣é日本🎉2️⃣\n",
      "x: 1️⃣\"a b\"2️⃣\n",
      "x: 1️⃣[a, b]2️⃣\ny: 1\n",
      "x: 1️⃣{a: b,\n  c: d}2️⃣\ny: 1\n",
      "x:1️⃣2️⃣\ny: 1\n",
      "x:1️⃣2️⃣",
      "x:\n  1️⃣a: b\n  c: [d, e]2️⃣\n\n# remark\n\ny: 1\n",
      "x:\n- 0\n",
      "x:\n  1️⃣- a\n  - b2️⃣\n\ny: 1\n",
      "x:\n1️⃣- a\n- b: c2️⃣\ny: 1\n",
      "x: 1️⃣a\n  b2️⃣\ny: 1\n",
      "y: &y [1]\nx: 1️⃣*y2️⃣\n",
      "x: 1️⃣&y 12️⃣\n",
    ] as [MarkedText])
  func `knows where a value stands`(marked: MarkedText) throws {
    let root = try #require(parse(marked.text).root)
    guard case .mapping(let mapping) = root.content, let node = mapping["x"] else {
      Issue.record("no x")
      return
    }
    guard let start = marked.places[1] else {
      #expect(node.span.start == Position(line: 2, column: 1))
      return
    }
    #expect(node.span.start == start)
    #expect(node.span.end == marked.places[2])
  }
}
