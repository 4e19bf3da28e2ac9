import CLibYAML
import MusterDiagnostics

/// Makes nodes of libyaml's events, within limits. What stops the reading is thrown; other mistakes are collected.
struct Composer: ~Copyable {
  /// A complete value that aliases may name.
  struct Anchored {
    var node: Node
    /// The values it has when every alias in it is put in place, itself included.
    var weight: Int
    /// How many levels of values are in it.
    var height: Int
  }

  private let file: SourceFile
  /// Some span of the file, of which others are made at less cost than anew.
  private let anySpan: Span
  private let events: EventReader
  private var anchors: [String: Anchored] = [:]
  /// The anchors whose values are being read, from the outermost.
  private var openAnchors: [(name: String, span: Span)] = []
  private(set) var diagnostics: [Diagnostic] = []
  /// Values so far, without those that aliases stand for.
  private var values = 0
  /// Values that aliases stand for, each time counted.
  private var repeatedValues = 0
  /// How many values the next one stands in.
  private var depth = 0
  /// Where the last complete value ends.
  private var lastEnd = Position(line: 1, column: 1)
  /// The deepest level reached since it was last set.
  private var deepest = 0

  /// - Parameter bytes: The text of `file`, which must outlive the composer.
  init(file: SourceFile, bytes: UnsafeBufferPointer<UInt8>) {
    self.file = file
    let start = Position(line: 1, column: 1)
    anySpan = Span(file: file, start: start, end: start)
    unsafe events = EventReader(file: file, bytes: bytes)
  }

  mutating func document() -> YAMLDocument {
    var root: Node?
    do throws(Diagnostic) {
      root = try onlyDocument()
    } catch {
      diagnostics.append(error)
    }
    return YAMLDocument(root: root, diagnostics: diagnostics.ordered())
  }

  private mutating func onlyDocument() throws(Diagnostic) -> Node {
    _ = try events.next()  // the start of the stream
    guard try events.next() == YAML_DOCUMENT_START_EVENT else {
      throw Diagnostic(
        .error, "the file is empty", at: nil, path: file.path,
        hint: file.bytes.isEmpty ? nil : "it holds only comments and blank lines")
    }
    let isEmpty = try isNullDocument()
    let root = try node()
    if isEmpty {
      let place = file.clamped(root.span.start)
      throw Diagnostic(.error, "the document is empty", at: stretch(from: place, to: place))
    }
    _ = try events.next()  // the end of the document
    guard try events.next() == YAML_STREAM_END_EVENT else {
      throw Diagnostic(
        .error, "a second document starts here; a file holds one",
        at: stretch(from: events.start, to: events.start.advanced(by: 3)),
        hint: "put it in a file of its own, or remove the '---'")
    }
    return root
  }

  /// Reads the first event of the document and says whether there is nothing in it, as after a bare `---`.
  private func isNullDocument() throws(Diagnostic) -> Bool {
    let kind = try events.next()
    return unsafe kind == YAML_SCALAR_EVENT && events.event.pointee.data.scalar.length == 0
      && events.event.pointee.data.scalar.style == YAML_PLAIN_SCALAR_STYLE
      && events.event.pointee.data.scalar.anchor == nil && events.event.pointee.data.scalar.tag == nil
  }

  /// Composes the value whose first event was just read.
  private mutating func node() throws(Diagnostic) -> Node {
    unsafe try node(events.event.pointee.type)
  }

  private mutating func node(_ kind: yaml_event_type_t) throws(Diagnostic) -> Node {
    switch kind {
    case YAML_SCALAR_EVENT: return try scalar()
    case YAML_SEQUENCE_START_EVENT: return try sequence()
    case YAML_MAPPING_START_EVENT: return try mapping()
    default: return try alias()
    }
  }

  private func stretch(from start: Position, to end: Position) -> Span {
    var span = anySpan
    span.start = start
    span.end = end
    return span
  }

  // MARK: Scalars

  private mutating func scalar() throws(Diagnostic) -> Node {
    let content = try scalarContent()
    return Node(.scalar(content), at: stretch(from: events.start, to: lastEnd))
  }

  /// What the scalar says that the reader stands at.
  private mutating func scalarContent() throws(Diagnostic) -> Scalar {
    try countValue()
    lastEnd = events.end
    let data = unsafe events.event.pointee.data.scalar
    let bytes = unsafe UnsafeBufferPointer(start: data.value, count: data.length)
    let text = unsafe String(decoding: bytes, as: UTF8.self)
    var isPlain = unsafe data.style == YAML_PLAIN_SCALAR_STYLE
    if let tag = unsafe data.tag {
      if unsafe !isText(tag) { try refuseTag(at: stretch(from: events.start, to: lastEnd)) }
      isPlain = false
    }
    if unsafe data.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE && bytes.contains(0) {
      try add(
        Diagnostic(
          .error, "a text cannot hold a NUL character", at: stretch(from: events.start, to: lastEnd),
          hint: "leave out the escape"))
    }
    let content = Scalar(text: text, isPlain: isPlain)
    if let anchor = unsafe data.anchor {
      let node = Node(.scalar(content), at: stretch(from: events.start, to: lastEnd))
      anchors[unsafe String(cString: anchor)] = Anchored(node: node, weight: 1, height: 1)
    }
    return content
  }

  /// Whether a tag says no more than that a scalar is text: `!!str`, or `!` alone.
  private func isText(_ tag: UnsafePointer<yaml_char_t>) -> Bool {
    let name = unsafe String(cString: tag)
    return name == "tag:yaml.org,2002:str" || name == "!"
  }

  private mutating func refuseTag(at span: Span) throws(Diagnostic) {
    try add(
      Diagnostic(
        .error, "tags are not supported", at: span,
        hint: "leave the tag out, or put text that starts with '!' in quotes"))
  }

  // MARK: Sequences

  private mutating func sequence() throws(Diagnostic) -> Node {
    let opened = unsafe try open(events.event.pointee.data.sequence_start.anchor)
    var span = stretch(from: events.start, to: events.end)
    let isFlow = unsafe events.event.pointee.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
    let isTagged = unsafe events.event.pointee.data.sequence_start.tag != nil
    if isTagged { try refuseTag(at: span) }
    var items: [Node] = []
    while true {
      let kind = try events.next()
      if kind == YAML_SEQUENCE_END_EVENT { break }
      items.append(try node(kind))
    }
    end(&span, isFlow: isFlow)
    let node = Node(.sequence(items), at: span)
    close(opened, as: node)
    return node
  }

  /// Sets where a collection ends whose last event was just read. A block's own end is where the next thing begins,
  /// behind blank lines and comments; it is told to end with the last value in it.
  private mutating func end(_ span: inout Span, isFlow: Bool) {
    if isFlow { lastEnd = events.end }
    span.end = lastEnd
  }

  // MARK: Mappings

  private mutating func mapping() throws(Diagnostic) -> Node {
    let opened = unsafe try open(events.event.pointee.data.mapping_start.anchor)
    var span = stretch(from: events.start, to: events.end)
    let isFlow = unsafe events.event.pointee.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
    let isTagged = unsafe events.event.pointee.data.mapping_start.tag != nil
    if isTagged { try refuseTag(at: span) }
    var entries: [Mapping.Entry] = []
    var keys = KeyIndex()
    var merge: Merge?
    while true {
      let kind = try events.next()
      if kind == YAML_MAPPING_END_EVENT { break }
      let start = events.start
      let key = try key(kind)
      let end = lastEnd
      // Entries are made where they stay, so that no value is copied.
      switch key {
      case .text(let text):
        if let first = keys.place(of: text, in: entries) {
          try refuseRepeated("duplicate key '\(text)'", from: start, to: end, first: entries[first].keySpan)
          _ = try node(try events.next())
        } else {
          entries.append(Mapping.Entry(key: text, from: start, to: end, value: try node(try events.next())))
        }
      case .merge:
        if let merge {
          try refuseRepeated(
            "'<<' is given twice", from: start, to: end, first: merge.key,
            hint: "merge several mappings with one list: '<<: [*a, *b]'")
          _ = try node(try events.next())
        } else {
          merge = Merge(
            key: stretch(from: start, to: end), index: entries.count,
            value: try node(try events.next()))
        }
      case .refused:
        _ = try node(try events.next())
      }
    }
    end(&span, isFlow: isFlow)
    if let merge { entries = try merging(merge, into: entries) }
    let node = Node(.mapping(Mapping(entries)), at: span)
    close(opened, as: node)
    return node
  }

  private enum Key {
    case text(String)
    case merge
    /// No key; a diagnostic says why.
    case refused
  }

  /// Reads the key whose first event was just read.
  private mutating func key(_ kind: yaml_event_type_t) throws(Diagnostic) -> Key {
    if kind == YAML_SCALAR_EVENT {
      let isMerge = unsafe isMergeKey(events.event.pointee.data.scalar)
      let start = events.start
      let scalar = try scalarContent()
      if isMerge { return .merge }
      return try key(scalar, at: start)
    }
    let start = events.start
    switch try node(kind).content {
    case .scalar(let scalar):
      return try key(scalar, at: start)
    case .sequence:
      try refuseKey("a list", openedBy: "[", at: stretch(from: start, to: lastEnd))
    case .mapping:
      try refuseKey("a mapping", openedBy: "{", at: stretch(from: start, to: lastEnd))
    }
    return .refused
  }

  private mutating func key(_ scalar: Scalar, at start: Position) throws(Diagnostic) -> Key {
    if !scalar.text.isEmpty || !scalar.isPlain { return .text(scalar.text) }
    let span = stretch(from: start, to: lastEnd)
    try add(Diagnostic(.error, "a key is missing in front of the ':'", at: span))
    return .refused
  }

  private mutating func refuseKey(_ what: String, openedBy bracket: String, at span: Span) throws(Diagnostic) {
    try add(
      Diagnostic(
        .error, "a key must be text, not \(what)", at: span, hint: "put text that starts with '\(bracket)' in quotes"))
  }

  private mutating func refuseRepeated(
    _ message: String, from start: Position, to end: Position, first: Span, hint: String? = nil
  ) throws(Diagnostic) {
    try add(
      Diagnostic(
        .error, message, at: stretch(from: start, to: end),
        notes: [Diagnostic.Note("first given here", at: first)], hint: hint))
  }

  private func isMergeKey(_ scalar: yaml_event_t.__Unnamed_union_data.__Unnamed_struct_scalar) -> Bool {
    unsafe scalar.length == 2 && scalar.value[0] == 0x3C && scalar.value[1] == 0x3C
      && scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.tag == nil
  }

  /// A `<<` of a mapping, and before which entry it stands.
  private struct Merge {
    var key: Span
    var index: Int
    var value: Node
  }

  /// A mapping's own entries with those that its merge key brings in: of a mapping, or of a list of them. What the
  /// mapping says itself wins, then what is earlier in the list.
  private mutating func merging(_ merge: Merge, into own: [Mapping.Entry]) throws(Diagnostic) -> [Mapping.Entry] {
    let sources = if case .sequence(let items) = merge.value.content { items } else { [merge.value] }
    var keys = Set(own.map(\.key))
    var added: [Mapping.Entry] = []
    for source in sources {
      guard case .mapping(let mapping) = source.content else {
        try add(
          Diagnostic(
            .error, "'<<' merges mappings; this is \(source.isSequence ? "a list" : "a single value")", at: source.span)
        )
        continue
      }
      for entry in mapping.entries where keys.insert(entry.key).inserted {
        added.append(entry.merged(by: merge.key))
      }
    }
    return own[..<merge.index] + added + own[merge.index...]
  }

  // MARK: Anchors and aliases

  private mutating func alias() throws(Diagnostic) -> Node {
    lastEnd = events.end
    let span = stretch(from: events.start, to: lastEnd)
    let name = unsafe String(cString: events.event.pointee.data.alias.anchor)
    if let open = openAnchors.last(where: { $0.name == name }) {
      throw Diagnostic(
        .error, "'*\(name)' stands inside the value that it names", at: span,
        notes: [Diagnostic.Note("'&\(name)' is given here", at: open.span)])
    }
    guard let target = anchors[name] else {
      throw Diagnostic(
        .error, "no anchor '&\(name)' stands before this alias", at: span,
        hint: nearest(to: name, in: anchors.keys.sorted()).map { "did you mean '*\($0)'?" }
          ?? "put text that starts with '*' in quotes")
    }
    repeatedValues += target.weight
    guard repeatedValues <= Limits.repeatedValues else {
      throw Diagnostic(
        .error, "the aliases up to here repeat more than \(Limits.repeatedValues) values", at: span,
        notes: [Diagnostic.Note("'&\(name)' alone stands for \(target.weight)", at: target.node.span)])
    }
    deepest = max(deepest, depth + target.height)
    guard depth + target.height <= Limits.depth else { throw tooDeep(at: span) }
    return Node(target.node.content, at: span)
  }

  /// What is remembered of a collection while it is read.
  private struct Opened {
    var anchor: String?
    /// How many values there were before it, those that aliases stand for included.
    var values: Int
    /// The deepest level before it.
    var deepest: Int
  }

  private mutating func open(_ anchor: UnsafeMutablePointer<yaml_char_t>?) throws(Diagnostic) -> Opened {
    let values = values + repeatedValues
    try countValue()
    depth += 1
    guard let anchor = unsafe anchor else { return Opened(anchor: nil, values: values, deepest: deepest) }
    let name = unsafe String(cString: anchor)
    var span = stretch(from: events.start, to: events.start)
    span.end.column += UInt32(clamping: name.unicodeScalars.count + 1)
    openAnchors.append((name, span))
    defer { deepest = depth }
    return Opened(anchor: name, values: values, deepest: deepest)
  }

  private mutating func close(_ opened: Opened, as node: Node) {
    depth -= 1
    guard let anchor = opened.anchor else { return }
    openAnchors.removeLast()
    anchors[anchor] = Anchored(
      node: node, weight: values + repeatedValues - opened.values, height: deepest - depth)
    deepest = max(deepest, opened.deepest)
  }

  // MARK: Limits

  private mutating func countValue() throws(Diagnostic) {
    values += 1
    deepest = max(deepest, depth + 1)
    guard depth < Limits.depth else { throw tooDeep(at: stretch(from: events.start, to: events.end)) }
    guard values <= Limits.values else {
      throw Diagnostic(
        .error, "the file holds more than \(Limits.values) values",
        at: stretch(from: events.start, to: events.end),
        hint: "split it and bring the parts together with 'extends'")
    }
  }

  private func tooDeep(at span: Span) -> Diagnostic {
    Diagnostic(.error, "values stand inside each other more than \(Limits.depth) deep", at: span)
  }

  /// Notes a mistake after which the reading goes on, unless there are too many.
  private mutating func add(_ diagnostic: Diagnostic) throws(Diagnostic) {
    diagnostics.append(diagnostic)
    guard diagnostics.count < Limits.errors else {
      throw Diagnostic(.error, "there are too many errors; the rest of the file was not read", at: diagnostic.span)
    }
  }
}

extension Node {
  var isSequence: Bool {
    if case .sequence = content { true } else { false }
  }
}
