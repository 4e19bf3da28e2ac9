/// Finds lines of a file. Asked for lines in order, it walks the file once.
///
/// A line ends at LF, CR LF or CR, as libyaml counts them.
package struct LineCursor {
  private let bytes: [UInt8]
  /// The line found last, and where it starts.
  private var number = 1
  private var start = 0

  package init(_ file: SourceFile) {
    bytes = file.bytes
  }

  /// The bytes of a line, from 1, without its line break; `nil` behind the last.
  package mutating func line(_ wanted: Int) -> ArraySlice<UInt8>? {
    if wanted < number { (number, start) = (1, 0) }
    while true {
      var end = start
      while end < bytes.count, bytes[end] != 0x0A, bytes[end] != 0x0D { end += 1 }
      if wanted <= number { return bytes[start..<end] }
      guard end < bytes.count else { return nil }
      let isPair = bytes[end] == 0x0D && end + 1 < bytes.count && bytes[end + 1] == 0x0A
      start = end + (isPair ? 2 : 1)
      number += 1
    }
  }
}
