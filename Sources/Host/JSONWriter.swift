/// Writes JSON text piece by piece, members in the order they are given. Nothing is kept but the bytes, so a document
/// of any size can be handed on in pieces with `take`.
///
/// ```swift
/// var json = JSONWriter()
/// json.object {
///   $0.member("cell", "appimage@debian-12")
///   $0.member("seconds", 1.25)
///   $0.member("axes", object: { $0.member("memory", "512M") })
/// }
/// ```
///
/// Control characters, which some terminals obey even inside a string, are always escaped.
package struct JSONWriter: Sendable {
  package enum Layout: Sendable {
    /// No space at all: for lines of JSON.
    case compact
    /// A line for each member and element, two spaces for each level.
    case indented
  }

  /// What has been written since the last `take`.
  package private(set) var bytes: [UInt8] = []
  private let layout: Layout
  private var depth = 0
  /// Whether the innermost container, or the document, has no element yet.
  private var isEmpty = true
  private var isBehindKey = false

  package init(_ layout: Layout = .compact) {
    self.layout = layout
  }

  /// The bytes so far, which the writer forgets.
  package mutating func take() -> [UInt8] {
    defer { bytes.removeAll(keepingCapacity: true) }
    return bytes
  }

  /// Ends the document's line; another value may follow, as in JSON lines.
  package mutating func newline() {
    bytes.append(0x0A)
    isEmpty = true
  }

  // MARK: Containers

  package mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
    try container(open: UInt8(ascii: "{"), close: UInt8(ascii: "}"), body)
  }

  package mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
    try container(open: UInt8(ascii: "["), close: UInt8(ascii: "]"), body)
  }

  /// An array of strings.
  package mutating func array(_ strings: some Sequence<String>) {
    array { json in for string in strings { json.value(string) } }
  }

  private mutating func container(
    open: UInt8, close: UInt8, _ body: (inout JSONWriter) throws -> Void
  ) rethrows {
    startElement()
    bytes.append(open)
    depth += 1
    isEmpty = true
    try body(&self)
    depth -= 1
    if !isEmpty { startLine() }
    bytes.append(close)
    isEmpty = false
  }

  // MARK: Members

  /// The name of the member whose value is written next.
  package mutating func key(_ name: String) {
    startElement()
    quoted(name)
    bytes.append(UInt8(ascii: ":"))
    if layout == .indented { bytes.append(UInt8(ascii: " ")) }
    isBehindKey = true
  }

  package mutating func member(_ name: String, _ value: String) {
    key(name)
    self.value(value)
  }

  /// `null` where there is no value.
  package mutating func member(_ name: String, _ value: String?) {
    key(name)
    if let value { self.value(value) } else { null() }
  }

  package mutating func member(_ name: String, _ value: some BinaryInteger) {
    key(name)
    self.value(value)
  }

  package mutating func member(_ name: String, _ value: Double) {
    key(name)
    self.value(value)
  }

  package mutating func member(_ name: String, _ value: Bool) {
    key(name)
    self.value(value)
  }

  package mutating func member(_ name: String, object body: (inout JSONWriter) throws -> Void) rethrows {
    key(name)
    try object(body)
  }

  package mutating func member(_ name: String, array body: (inout JSONWriter) throws -> Void) rethrows {
    key(name)
    try array(body)
  }

  package mutating func member(_ name: String, array strings: some Sequence<String>) {
    key(name)
    array(strings)
  }

  // MARK: Values

  package mutating func value(_ string: String) {
    startElement()
    quoted(string)
  }

  package mutating func value(_ number: some BinaryInteger) {
    startElement()
    bytes.append(contentsOf: String(number).utf8)
  }

  /// A number with at most three decimals, which is all that a measured time deserves; `null` for what is no number.
  package mutating func value(_ number: Double) {
    startElement()
    guard number.isFinite, abs(number) < 1e15 else {
      bytes.append(contentsOf: "null".utf8)
      return
    }
    let thousandths = Int64((abs(number) * 1000).rounded())
    if number < 0, thousandths != 0 { bytes.append(UInt8(ascii: "-")) }
    bytes.append(contentsOf: String(thousandths / 1000).utf8)
    var rest = thousandths % 1000
    guard rest != 0 else { return }
    bytes.append(UInt8(ascii: "."))
    var unit: Int64 = 100
    while rest != 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(rest / unit))
      rest %= unit
      unit /= 10
    }
  }

  package mutating func value(_ bool: Bool) {
    startElement()
    bytes.append(contentsOf: (bool ? "true" : "false").utf8)
  }

  /// A value that was written before, by a compact writer.
  package mutating func value(written bytes: [UInt8]) {
    startElement()
    self.bytes.append(contentsOf: bytes)
  }

  package mutating func null() {
    startElement()
    bytes.append(contentsOf: "null".utf8)
  }

  // MARK: Text

  private mutating func startElement() {
    if isBehindKey {
      isBehindKey = false
      return
    }
    if !isEmpty { bytes.append(UInt8(ascii: ",")) }
    isEmpty = false
    if depth > 0 { startLine() }
  }

  private mutating func startLine() {
    guard layout == .indented else { return }
    bytes.append(0x0A)
    bytes.append(contentsOf: repeatElement(0x20, count: 2 * depth))
  }

  private mutating func quoted(_ string: String) {
    var string = string
    bytes.append(UInt8(ascii: "\""))
    string.withUTF8 { text in
      // Stretches that need no escape are copied whole.
      var start = 0
      var index = 0
      while index < text.count {
        let byte = unsafe text[index]
        // U+0080…U+009F are control characters too: C2 80…C2 9F.
        let isLateControl = unsafe byte == 0xC2 && index + 1 < text.count && text[index + 1] < 0xA0
        guard byte < 0x20 || byte == 0x22 || byte == 0x5C || byte == 0x7F || isLateControl else {
          index += 1
          continue
        }
        unsafe bytes.append(contentsOf: text[start..<index])
        unsafe escape(isLateControl ? text[index + 1] : byte)
        index += isLateControl ? 2 : 1
        start = index
      }
      unsafe bytes.append(contentsOf: text[start...])
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func escape(_ scalar: UInt8) {
    bytes.append(UInt8(ascii: "\\"))
    switch scalar {
    case 0x22, 0x5C: bytes.append(scalar)
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    default:
      let digits = Array("0123456789abcdef".utf8)
      bytes.append(contentsOf: "u00".utf8)
      bytes.append(digits[Int(scalar >> 4)])
      bytes.append(digits[Int(scalar & 0xF)])
    }
  }
}
