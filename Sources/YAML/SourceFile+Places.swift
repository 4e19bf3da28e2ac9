import MusterDiagnostics

extension SourceFile {
  /// The position of a byte; lines end at LF, CR LF or CR.
  func position(ofByte offset: Int) -> Position {
    var line = 1
    var start = 0
    for index in 0..<min(offset, bytes.count) {
      let byte = bytes[index]
      let isEnd = byte == 0x0A || (byte == 0x0D && !(index + 1 < bytes.count && bytes[index + 1] == 0x0A))
      if isEnd {
        line += 1
        start = index + 1
      }
    }
    let scalars = bytes[min(start, offset)..<offset].count { $0 & 0xC0 != 0x80 }
    return Position(line: line, column: scalars + 1)
  }

  /// The position itself, or the end of the file if that comes before.
  func clamped(_ position: Position) -> Position {
    min(position, self.position(ofByte: bytes.count))
  }

  /// The bytes of a line, from 1, without its line break; `nil` behind the last.
  func line(_ number: Int) -> ArraySlice<UInt8>? {
    var cursor = LineCursor(self)
    return cursor.line(number)
  }
}
