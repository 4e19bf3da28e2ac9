import MusterDiagnostics

/// Finds what no YAML file may hold before libyaml sees it: bytes that are no UTF-8, control characters, separators
/// that count as line breaks in YAML 1.1 but in no editor, and `%TAG`, of which libyaml would read any number in
/// quadratic time.
enum TextCheck {
  static func firstProblem(in file: SourceFile) -> Diagnostic? {
    let problem = unsafe file.bytes.withUnsafeBytes { bytes in unsafe firstProblem(in: bytes) }
    guard let problem else { return nil }
    let start = file.position(ofByte: problem.offset)
    var end = start
    end.column += 1
    return Diagnostic(
      .error, problem.message, at: Span(file: file, start: start, end: end), hint: problem.hint)
  }

  private struct Problem {
    var offset: Int
    var message: String
    var hint: String?
  }

  private static func firstProblem(in bytes: UnsafeRawBufferPointer) -> Problem? {
    if bytes.count >= 2, unsafe (bytes[0] == 0xFF && bytes[1] == 0xFE) || (bytes[0] == 0xFE && bytes[1] == 0xFF) {
      return Problem(offset: 0, message: "the file is UTF-16, not UTF-8", hint: "save it as UTF-8")
    }
    var offset = 0
    while offset < bytes.count {
      // Eight bytes of plain text at a time.
      if offset + 8 <= bytes.count, unsafe isPlain(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) {
        offset += 8
        continue
      }
      let end = min(offset + 8, bytes.count)
      while offset < end {
        let byte = unsafe bytes[offset]
        switch byte {
        case 0x09, 0x0A, 0x0D, 0x20...0x24, 0x26...0x7E:
          offset += 1
        case 0x25:
          if unsafe isTagDirective(at: offset, in: bytes) {
            return Problem(
              offset: offset, message: "tags are not supported", hint: "leave the line out: values need no tags here")
          }
          offset += 1
        case 0x00...0x1F, 0x7F:
          return problem(withControl: UInt32(byte), at: offset)
        default:
          guard let (scalar, length) = unsafe scalar(at: offset, in: bytes) else {
            let hexadecimal = String(byte, radix: 16, uppercase: true)
            return Problem(
              offset: offset, message: "byte 0x\(hexadecimal) is not UTF-8", hint: "save the file as UTF-8")
          }
          if let problem = problem(withScalar: scalar, at: offset) { return problem }
          offset += length
        }
      }
    }
    return nil
  }

  /// Whether each of eight bytes is a line feed or printable ASCII, `%` excepted.
  private static func isPlain(_ word: UInt64) -> Bool {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops = ones << 7
    let rests = word & ~tops
    // The top bit of each byte of these says that the byte is …
    let isControl = ~(rests + 0x60 * ones)
    let isDelete = rests + ones
    let isNotLineFeed = (rests ^ 0x0A * ones) + ~tops
    let isPercent = ~((rests ^ 0x25 * ones) + ~tops)
    return (word | isControl & isNotLineFeed | isDelete | isPercent) & tops == 0
  }

  private static func isTagDirective(at offset: Int, in bytes: UnsafeRawBufferPointer) -> Bool {
    let isAtLineStart = unsafe offset == 0 || bytes[offset - 1] == 0x0A || bytes[offset - 1] == 0x0D
    return unsafe isAtLineStart && bytes[offset...].starts(with: "%TAG".utf8)
  }

  private static func problem(withControl value: UInt32, at offset: Int) -> Problem {
    if value == 0 {
      return Problem(
        offset: offset, message: "the file holds a NUL character", hint: "is this a text file, saved as UTF-8?")
    }
    return Problem(
      offset: offset, message: "the file holds the control character \(name(of: value))",
      hint: "remove it, or write it as an escape in double quotes: \(escape(of: value))")
  }

  /// What libyaml refuses, or would take for a line break where no editor shows one.
  private static func problem(withScalar value: UInt32, at offset: Int) -> Problem? {
    switch value {
    case 0x80...0x84, 0x86...0x9F:
      return problem(withControl: value, at: offset)
    case 0x85, 0x2028, 0x2029:
      return Problem(
        offset: offset, message: "the file holds the invisible line separator \(name(of: value))",
        hint: "replace it by a line break, or write it as an escape in double quotes: \(escape(of: value))")
    case 0xFEFF:
      return Problem(
        offset: offset, message: "the file holds a byte order mark (U+FEFF) that is not at its start",
        hint: "remove this invisible character")
    case 0xFFFE, 0xFFFF:
      return Problem(offset: offset, message: "the file holds \(name(of: value)), which is no character")
    default:
      return nil
    }
  }

  private static func name(of value: UInt32) -> String { "U+" + hexadecimal(value, digits: 4) }

  private static func escape(of value: UInt32) -> String {
    value < 0x100 ? "\\x" + hexadecimal(value, digits: 2) : "\\u" + hexadecimal(value, digits: 4)
  }

  private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  /// The scalar at an offset and how many bytes it has; `nil` when the bytes are not well-formed (Unicode, table 3-7).
  private static func scalar(at offset: Int, in bytes: UnsafeRawBufferPointer) -> (value: UInt32, length: Int)? {
    let first = unsafe bytes[offset]
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch first {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: length = 4
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: return nil
    }
    guard offset + length <= bytes.count, second.contains(unsafe bytes[offset + 1]) else { return nil }
    var value = UInt32(first) & (0x7F >> UInt32(length))
    for index in 1..<length {
      let byte = unsafe bytes[offset + index]
      guard byte & 0xC0 == 0x80 else { return nil }
      value = value << 6 | UInt32(byte & 0x3F)
    }
    return (value, length)
  }
}
