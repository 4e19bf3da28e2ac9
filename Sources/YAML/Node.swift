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
    isPlain && text.utf8.count <= 4
      && (text.isEmpty || text == "~" || text == "null" || text == "Null" || text == "NULL")
  }
}

/// The entries of a mapping in the file's order, merge keys (`<<`) already in place. Keys are unique.
package struct Mapping: Sendable {
  package struct Entry: Sendable {
    package var key: String
    package var value: Node
    // Positions without their file, which is the value's, and no optional: a large file has very many of them.
    private var keyStart: Position
    private var keyEnd: Position
    /// Where the merge key starts that brought the entry in; on line 0 when none did.
    private var mergeStart: Position

    /// - Parameter keySpan: In the same file as the value.
    package init(key: String, keySpan: Span, value: Node) {
      self.init(key: key, from: keySpan.start, to: keySpan.end, value: value)
    }

    init(key: String, from keyStart: Position, to keyEnd: Position, value: Node) {
      self.key = key
      self.value = value
      self.keyStart = keyStart
      self.keyEnd = keyEnd
      mergeStart = Position(line: 0, column: 0)
    }

    package var keySpan: Span { span(from: keyStart, to: keyEnd) }

    /// The `<<` that brought it in; `nil` for an entry of the mapping itself.
    package var mergedFrom: Span? {
      mergeStart.line == 0 ? nil : span(from: mergeStart, to: mergeStart.advanced(by: 2))
    }

    /// The entry as a merge key brings it into another mapping.
    func merged(by mergeKey: Span) -> Entry {
      var entry = self
      entry.mergeStart = mergeKey.start
      return entry
    }

    private func span(from start: Position, to end: Position) -> Span {
      var span = value.span
      span.start = start
      span.end = end
      return span
    }
  }

  package var entries: [Entry]

  package init(_ entries: [Entry]) {
    self.entries = entries
  }

  /// The value of a key. Linear: mappings whose keys are looked up are small.
  package subscript(key: String) -> Node? {
    // By index, for an iterator copies the entries that it passes by.
    for index in entries.indices where entries[index].key == key { return entries[index].value }
    return nil
  }
}
