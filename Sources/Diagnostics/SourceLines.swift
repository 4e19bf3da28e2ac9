/// Where the lines of a file start, so that many diagnostics can show their lines at the cost of one walk.
///
/// A line ends at LF, CR LF or CR, as libyaml counts them.
struct SourceLines {
  private let bytes: [UInt8]
  private let starts: [Int]

  init(_ file: SourceFile) {
    bytes = file.bytes
    var starts = [0]
    for (offset, byte) in bytes.enumerated() {
      let next = offset + 1
      if byte == 0x0A || (byte == 0x0D && !(next < bytes.count && bytes[next] == 0x0A)) { starts.append(next) }
    }
    self.starts = starts
  }

  /// The bytes of a line, from 1, without its line break. A line behind the last is empty.
  subscript(line: Int) -> ArraySlice<UInt8> {
    guard line >= 1, line <= starts.count else { return [] }
    let start = starts[line - 1]
    var end = line < starts.count ? starts[line] : bytes.count
    while end > start, bytes[end - 1] == 0x0A || bytes[end - 1] == 0x0D { end -= 1 }
    return bytes[start..<end]
  }
}
