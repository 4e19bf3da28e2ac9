package import MusterDiagnostics

/// A value of a YAML file that knows where it stands. An alias is the very node its anchor names; it costs nothing
/// until someone walks it.
package struct Node: Sendable {
  package enum Content: Sendable {
    case scalar(Scalar)
    case sequence([Node])
    case mapping(Mapping)
  }

  package var content: Content
  /// The node itself, or the alias that stands for it.
  package var span: Span

  package init(_ content: Content, at span: Span) {
    self.content = content
    self.span = span
  }
}

/// A scalar as it was written: what it means is for whoever expects something of it.
package struct Scalar: Sendable, Hashable {
  package var text: String
  /// Whether it stands without quotes and is not a block scalar, so that `~`, `null` and the empty text mean nothing.
  package var isPlain: Bool

  package init(text: String, isPlain: Bool) {
    self.text = text
    self.isPlain = isPlain
  }

  package var isNull: Bool {
    isPlain && (text.isEmpty || text == "~" || text == "null" || text == "Null" || text == "NULL")
  }
}

/// The entries of a mapping in the file's order, merge keys (`<<`) already in place. Keys are unique.
package struct Mapping: Sendable {
  package struct Entry: Sendable {
    package var key: String
    package var value: Node
    // Spans without their file, which is the value's, and without an optional: a large file has very many of them.
    private var keyStart: Position
    private var keyEnd: Position
    /// On line 0 when no merge key brought the entry in.
    private var mergeStart: Position
    private var mergeEnd: Position

    package init(key: String, keySpan: Span, value: Node, mergedFrom: Span? = nil) {
      self.init(key: key, from: keySpan.start, to: keySpan.end, value: value)
      if let mergedFrom { self.mergedFrom(mergedFrom.start, mergedFrom.end) }
    }

    init(key: String, from keyStart: Position, to keyEnd: Position, value: Node) {
      self.key = key
      self.value = value
      self.keyStart = keyStart
      self.keyEnd = keyEnd
      mergeStart = Position(line: 0, column: 0)
      mergeEnd = mergeStart
    }

    package var keySpan: Span { Span(file: value.span.file, start: keyStart, end: keyEnd) }
    /// The `<<` that brought it in; `nil` for an entry of the mapping itself.
    package var mergedFrom: Span? {
      mergeStart.line == 0 ? nil : Span(file: value.span.file, start: mergeStart, end: mergeEnd)
    }

    mutating func mergedFrom(_ start: Position, _ end: Position) {
      mergeStart = start
      mergeEnd = end
    }
  }

  package var entries: [Entry]

  package init(_ entries: [Entry]) {
    self.entries = entries
  }

  /// The value of a key. Linear: mappings whose keys are looked up are small.
  package subscript(key: String) -> Node? {
    entries.first { $0.key == key }?.value
  }
}
