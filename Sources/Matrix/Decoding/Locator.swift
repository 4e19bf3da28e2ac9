import MusterDiagnostics

/// Finds the place of a piece of a scalar in the file, through quotes, escapes and indentation.
struct Locator {
  /// Where each line starts, per file, in bytes.
  private var lines: [ObjectIdentifier: [Int]] = [:]

  /// The span of the bytes `range` of `text`, a scalar that stands at `span`; the scalar's own where the piece cannot be
  /// told apart.
  mutating func span(of range: Range<Int>, in text: String, at span: Span) -> Span {
    let starts = starts(of: span.file)
    guard let first = offset(span.start, starts, span.file), let last = offset(span.end, starts, span.file),
      first <= last, !range.isEmpty
    else { return span }
    let source = span.file.bytes[first..<last]
    let decoded = Array(text.utf8)
    guard let start = place(of: range, in: decoded, source) else { return span }
    return Span(
      file: span.file, start: position(start, starts, span.file.bytes),
      end: position(start + range.count, starts, span.file.bytes))
  }

  /// The offset in the file at which the piece starts: where the scalar is written as it reads, at the same distance
  /// from its start; otherwise at as many equal pieces from its start.
  private func place(of range: Range<Int>, in decoded: [UInt8], _ source: ArraySlice<UInt8>) -> Int? {
    for skip in 0...1 where source.dropFirst(skip).starts(with: decoded) {
      return source.startIndex + skip + range.lowerBound
    }
    let piece = decoded[range]
    let meant = places(of: piece, in: decoded[...])
    let written = places(of: piece, in: source)
    guard meant.count == written.count, let number = meant.firstIndex(of: range.lowerBound) else { return nil }
    return written[number]
  }

  private func places(of piece: ArraySlice<UInt8>, in bytes: ArraySlice<UInt8>) -> [Int] {
    guard let first = piece.first, bytes.count >= piece.count else { return [] }
    return (bytes.startIndex...bytes.endIndex - piece.count).filter {
      bytes[$0] == first && bytes[$0...].starts(with: piece)
    }
  }

  private mutating func starts(of file: SourceFile) -> [Int] {
    if let known = lines[ObjectIdentifier(file)] { return known }
    var starts = [0]
    for (index, byte) in file.bytes.enumerated() where byte == UInt8(ascii: "\n") { starts.append(index + 1) }
    lines[ObjectIdentifier(file)] = starts
    return starts
  }

  private func offset(_ position: Position, _ starts: [Int], _ file: SourceFile) -> Int? {
    let line = Int(position.line) - 1
    guard line >= 0, line <= starts.count else { return nil }
    guard line < starts.count else { return file.bytes.count }
    var offset = starts[line]
    var column = 1
    while column < Int(position.column), offset < file.bytes.count {
      offset += 1
      while offset < file.bytes.count, file.bytes[offset] & 0xC0 == 0x80 { offset += 1 }
      column += 1
    }
    return offset
  }

  private func position(_ offset: Int, _ starts: [Int], _ bytes: [UInt8]) -> Position {
    var low = 0
    var high = starts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= offset { low = middle } else { high = middle }
    }
    let column = bytes[starts[low]..<offset].reduce(1) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
    return Position(line: low + 1, column: column)
  }
}
