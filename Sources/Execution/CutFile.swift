import MusterHost
import SystemPackage

/// A file that takes any number of bytes and keeps the first and the last of them, half of the limit each; what lies
/// between is cut out, with a note in its place. Nothing is held in memory.
///
/// Behind the first half the file is a ring until `finish` unrolls it, so a file within its limit is at every moment
/// what it will be.
struct CutFile: ~Copyable {
  private let path: String
  private let file: FileDescriptor
  private let headLimit: Int64
  private let tailLimit: Int64
  /// All bytes that were written, the cut ones too.
  private(set) var count: Int64 = 0

  /// - Parameter limit: Bytes that are kept, 2 at least.
  init(_ path: String, limit: Int) throws(Failure) {
    self.path = path
    headLimit = Int64(max(limit, 2)) / 2
    tailLimit = Int64(max(limit, 2)) - headLimit
    do {
      file = try FileDescriptor.open(
        FilePath(path), .readWrite, options: [.create, .truncate, .closeOnExec],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
    } catch {
      throw Failure(error, "write", path)
    }
  }

  deinit {
    try? file.close()
  }

  /// Bytes that were cut out.
  var cut: Int64 { max(0, count - headLimit - tailLimit) }

  mutating func write(_ bytes: [UInt8]) throws(Failure) {
    var rest = bytes[...]
    do {
      if count < headLimit {
        let part = rest.prefix(Int(headLimit - count))
        try file.writeAll(toAbsoluteOffset: count, part)
        count += Int64(part.count)
        rest = rest.dropFirst(part.count)
      }
      if rest.count > tailLimit {
        count += Int64(rest.count) - tailLimit
        rest = rest.suffix(Int(tailLimit))
      }
      while !rest.isEmpty {
        let place = (count - headLimit) % tailLimit
        let part = rest.prefix(Int(min(tailLimit - place, Int64(rest.count))))
        try file.writeAll(toAbsoluteOffset: headLimit + place, part)
        count += Int64(part.count)
        rest = rest.dropFirst(part.count)
      }
    } catch {
      throw Failure(error, "write", path)
    }
  }

  /// Puts the last bytes in order behind a note, where some were cut out. Nothing may be written after it.
  mutating func finish() throws(Failure) {
    guard cut > 0 else { return }
    let start = headLimit + (count - headLimit) % tailLimit
    let end = headLimit + tailLimit
    let whole = "\(path).whole"
    do {
      let target = try FileDescriptor.open(
        FilePath(whole), .writeOnly, options: [.create, .truncate, .closeOnExec],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
      try target.closeAfter {
        try copy(0..<headLimit, to: target)
        let note =
          "\n# \(ByteCount(cut)) (\(cut) bytes) are cut out here; 'logs: {limit: …}' in the matrix keeps more\n"
        _ = try target.writeAll(note.utf8)
        try copy(start..<end, to: target)
        try copy(headLimit..<start, to: target)
      }
    } catch {
      try? FileSystem.remove(whole)
      throw Failure(error, "write", path)
    }
    try FileSystem.move(whole, to: path)
  }

  private func copy(_ range: Range<Int64>, to target: FileDescriptor) throws {
    var offset = range.lowerBound
    while offset < range.upperBound {
      let wanted = Int(min(1 << 16, range.upperBound - offset))
      let chunk = unsafe try [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
        unsafe count = try file.read(fromAbsoluteOffset: offset, into: UnsafeMutableRawBufferPointer(buffer))
      }
      if chunk.isEmpty { throw Errno.ioError }
      _ = try target.writeAll(chunk)
      offset += Int64(chunk.count)
    }
  }
}
