import MusterHost
import Synchronization
import SystemPackage

/// Unpacks a tar stream of a machine into a folder, as it comes. The machine is not trusted: only files and folders are
/// made, all below the folder, with this user as the owner; symbolic links and devices are left out.
///
/// It reads what GNU tar, BusyBox and libarchive write: the ustar header, GNU's long names, and `path` and `size` of pax.
struct TarReader: Sendable {
  struct Damaged: Error {
    var reason: String
  }

  /// The relative paths of the files made so far.
  private(set) var files: [String] = []

  private let folder: String
  private var state = State.header
  /// Bytes of a header or of an extension until there are enough.
  private var collected: [UInt8] = []
  /// What extensions said of the next entry.
  private var next = Stated()

  private struct Stated {
    var path: [UInt8]?
    var link: [UInt8]?
    var size: Int64?
  }

  private enum State {
    case header
    /// What an extension says of the next entry, with its bytes and its padding.
    case `extension`(kind: UInt8, size: Int, padding: Int)
    /// The content of a file, or of something that is left out.
    case content(OpenFile?, left: Int64, padding: Int)
    case padding(Int)
    case end
  }

  private static let blockSize = 512
  private static let longestExtension = 1 << 20

  init(folder: String) {
    self.folder = folder
  }

  /// Takes the next bytes of the stream.
  /// - Throws: `Damaged`, `Failure` when this host cannot write.
  mutating func take(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      switch state {
      case .header:
        guard let block = collect(Self.blockSize, from: &rest) else { return }
        try readHeader(block)
      case .extension(let kind, let size, let padding):
        guard let content = collect(size, from: &rest) else { return }
        try readExtension(kind, content)
        state = .padding(padding)
      case .content(let file, let left, let padding):
        let piece = rest.prefix(Int(min(left, Int64(rest.count))))
        rest = rest.dropFirst(piece.count)
        try file?.write(piece)
        let remaining = left - Int64(piece.count)
        if remaining > 0 {
          state = .content(file, left: remaining, padding: padding)
        } else {
          try file?.close()
          state = .padding(padding)
        }
      case .padding(let count):
        let skipped = min(count, rest.count)
        rest = rest.dropFirst(skipped)
        state = skipped == count ? .header : .padding(count - skipped)
      case .end:
        return
      }
    }
  }

  /// The sorted relative paths of the files, once the whole stream was taken.
  /// - Throws: `Damaged` when it ended too early.
  func finish() throws -> [String] {
    guard case .end = state else { throw Damaged(reason: "it ends too early") }
    return files.sorted()
  }

  /// Collects `count` bytes; `nil` when more must come first.
  private mutating func collect(_ count: Int, from rest: inout ArraySlice<UInt8>) -> [UInt8]? {
    let piece = rest.prefix(count - collected.count)
    collected += piece
    rest = rest.dropFirst(piece.count)
    guard collected.count == count else { return nil }
    defer { collected = [] }
    return collected
  }

  private mutating func readHeader(_ block: [UInt8]) throws {
    if block.allSatisfy({ $0 == 0 }) {
      state = .end
      return
    }
    let sum = block.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 0x20 : Int(block[$1])) }
    guard try Self.number(block[148..<156]) == Int64(sum) else { throw Damaged(reason: "a header's sum is wrong") }
    let kind = block[156]
    let stated = try Self.number(block[124..<136])
    if [0x4C, 0x4B, 0x78, 0x67].contains(kind) {  // L, K, x, g
      guard stated <= Int64(Self.longestExtension) else { throw Damaged(reason: "a name is too long") }
      let padding = Self.padding(after: stated)
      if stated == 0 {
        state = .padding(padding)
      } else {
        state = .extension(kind: kind, size: Int(stated), padding: padding)
      }
      return
    }
    let size = next.size ?? stated
    var name = next.path ?? Self.text(block[0..<100])
    if next.path == nil, block[257..<263].elementsEqual("ustar\0".utf8) {
      let prefix = Self.text(block[345..<500])
      if !prefix.isEmpty { name = prefix + [0x2F] + name }
    }
    let link = next.link ?? Self.text(block[157..<257])
    next = Stated()
    try begin(kind, name: name, link: link, size: size, isExecutable: try Self.number(block[100..<108]) & 0o100 != 0)
  }

  private mutating func begin(_ kind: UInt8, name: [UInt8], link: [UInt8], size: Int64, isExecutable: Bool) throws {
    switch kind {
    case 0x30, 0, 0x37:  // a file
      let path = try Self.relativePath(name)
      guard !path.isEmpty else { throw Damaged(reason: "a file has no name") }
      let file = try OpenFile("\(folder)/\(path)", executable: isExecutable)
      files.append(path)
      if size == 0 {
        try file.close()
        state = .header
      } else {
        state = .content(file, left: size, padding: Self.padding(after: size))
      }
    case 0x35:  // a folder
      let path = try Self.relativePath(name)
      if !path.isEmpty { try FileSystem.createFolder("\(folder)/\(path)") }
      state = .header
    case 0x31:  // another name of a file that came before
      let (path, original) = (try Self.relativePath(name), try Self.relativePath(link))
      if files.contains(original), !path.isEmpty, path != original {
        try FileSystem.copy("\(folder)/\(original)", to: "\(folder)/\(path)")
        files.append(path)
      }
      state = .header
    case 0x32, 0x33, 0x34, 0x36:  // symbolic links, devices and pipes have no content
      state = .header
    default:
      state = size == 0 ? .header : .content(nil, left: size, padding: Self.padding(after: size))
    }
  }

  private mutating func readExtension(_ kind: UInt8, _ content: [UInt8]) throws {
    switch kind {
    case 0x4C: next.path = Self.text(content[...])
    case 0x4B: next.link = Self.text(content[...])
    case 0x78:
      // Records `<length> <key>=<value>\n`, the length of the whole in decimal.
      var rest = content[...]
      while let space = rest.firstIndex(of: 0x20) {
        guard let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length > space - rest.startIndex + 1,
          length <= rest.count
        else { throw Damaged(reason: "an extended header is broken") }
        let record = rest[(space + 1)..<(rest.startIndex + length)].dropLast()
        if let sign = record.firstIndex(of: 0x3D) {
          let value = record[(sign + 1)...]
          switch String(decoding: record[..<sign], as: UTF8.self) {
          case "path": next.path = Array(value)
          case "linkpath": next.link = Array(value)
          case "size":
            guard let size = Int64(String(decoding: value, as: UTF8.self)), size >= 0 else {
              throw Damaged(reason: "an extended header is broken")
            }
            next.size = size
          default: break
          }
        }
        rest = rest.dropFirst(length)
      }
    default: break
    }
  }

  /// A path below the folder: no `..`, not absolute, no control characters.
  private static func relativePath(_ name: [UInt8]) throws -> String {
    let parts = name.split(separator: 0x2F).filter { $0 != [0x2E] }
    guard name.first != 0x2F, !parts.contains([0x2E, 0x2E]) else {
      throw Damaged(reason: "the path '\(String(decoding: name, as: UTF8.self))' leads out of its folder")
    }
    guard parts.count <= 64 else { throw Damaged(reason: "a folder is too deep") }
    let plain = parts.map { part in part.map { $0 < 0x20 || $0 == 0x7F ? 0x5F : $0 } }
    return plain.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
  }

  private static func padding(after size: Int64) -> Int {
    Int((Int64(blockSize) - size % Int64(blockSize)) % Int64(blockSize))
  }

  /// The bytes up to a NUL.
  private static func text(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    Array(bytes.prefix { $0 != 0 })
  }

  /// Octal digits, or GNU's binary for numbers that are too large for them.
  private static func number(_ bytes: ArraySlice<UInt8>) throws -> Int64 {
    var value: Int64 = 0
    if let first = bytes.first, first & 0x80 != 0 {
      guard first == 0x80, bytes.dropFirst().dropLast(7).allSatisfy({ $0 == 0 }) else {
        throw Damaged(reason: "a number is too large")
      }
      return bytes.suffix(7).reduce(0) { $0 << 8 | Int64($1) }
    }
    for byte in bytes.drop(while: { $0 == 0x20 }) {
      if byte == 0 || byte == 0x20 { break }
      guard (0x30...0x37).contains(byte), value < 1 << 57 else { throw Damaged(reason: "a number is broken") }
      value = value << 3 | Int64(byte - 0x30)
    }
    return value
  }

  /// A file that is being written.
  private final class OpenFile: Sendable {
    private let path: String
    private let file: Mutex<FileDescriptor?>

    init(_ path: String, executable: Bool) throws(Failure) {
      self.path = path
      let end = path.lastIndex(of: "/") ?? path.startIndex
      try FileSystem.createFolder(String(path[..<end]))
      do {
        file = Mutex(
          try FileDescriptor.open(
            FilePath(path), .writeOnly, options: [.create, .truncate, .noFollow, .closeOnExec],
            permissions: FilePermissions(rawValue: executable ? 0o755 : 0o644)))
      } catch {
        throw Failure(error, "write", path)
      }
    }

    deinit {
      try? close()
    }

    func write(_ bytes: ArraySlice<UInt8>) throws(Failure) {
      do {
        _ = try file.withLock { try $0?.writeAll(bytes) }
      } catch {
        throw Failure(error, "write", path)
      }
    }

    func close() throws(Failure) {
      do {
        try file.withLock { file in
          defer { file = nil }
          try file?.close()
        }
      } catch {
        throw Failure(error, "write", path)
      }
    }
  }
}
