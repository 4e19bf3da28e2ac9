import MusterHost
import SystemPackage

/// Replaces secrets by `***`.
///
/// Hidden are each value and, of a value with several lines, each line of four bytes or more: a key is often printed
/// indented or in part. At each place the longest that begins there is taken.
package struct SecretMask: Sendable {
  private static let stars = Array("***".utf8)
  private static let shortestLine = 4

  /// What is hidden, by its first byte, the longest first.
  private let patterns: [UInt8: [[UInt8]]]

  package init(hiding values: [String]) {
    var hidden: Set<[UInt8]> = []
    for value in values where !value.isEmpty {
      hidden.insert(Array(value.utf8))
      let lines = value.split(whereSeparator: \.isNewline)
      if lines.count > 1 || lines.first.map({ $0.utf8.count < value.utf8.count }) == true {
        for line in lines where line.utf8.count >= Self.shortestLine { hidden.insert(Array(line.utf8)) }
      }
    }
    patterns = Dictionary(grouping: hidden) { $0.first ?? 0 }.mapValues { $0.sorted { $0.count > $1.count } }
  }

  package var isEmpty: Bool { patterns.isEmpty }

  package func callAsFunction(_ text: String) -> String {
    isEmpty ? text : String(decoding: callAsFunction(Array(text.utf8)), as: UTF8.self)
  }

  package func callAsFunction(_ bytes: [UInt8]) -> [UInt8] {
    if isEmpty { return bytes }
    var stream = Stream(self)
    return stream.next(bytes) + stream.end()
  }

  /// Masks a file that another program wrote.
  func apply(toFile path: String) throws(Failure) {
    let target = "\(path).masked"
    do {
      let source = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
      try source.closeAfter {
        let file = try FileDescriptor.open(
          FilePath(target), .writeOnly, options: [.create, .truncate, .closeOnExec],
          permissions: [.ownerReadWrite, .groupRead, .otherRead])
        try file.closeAfter {
          var stream = Stream(self)
          var isAtEnd = false
          while !isAtEnd {
            let chunk = unsafe try [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
              unsafe count = try source.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
            isAtEnd = chunk.isEmpty
            _ = try file.writeAll(isAtEnd ? stream.end() : stream.next(chunk))
          }
        }
      }
    } catch {
      try? FileSystem.remove(target)
      throw Failure(error, "mask", path)
    }
    try FileSystem.move(target, to: path)
  }

  /// A stream that is masked as it comes, wherever it is cut into chunks. It holds back only what may be the
  /// beginning of a secret.
  package struct Stream: Sendable {
    private let mask: SecretMask
    private var held: [UInt8] = []

    package init(_ mask: SecretMask) {
      self.mask = mask
    }

    package mutating func next(_ chunk: [UInt8]) -> [UInt8] {
      mask.isEmpty ? chunk : take(chunk, isLast: false)
    }

    /// What was held back.
    package mutating func end() -> [UInt8] {
      take([], isLast: true)
    }

    private mutating func take(_ chunk: [UInt8], isLast: Bool) -> [UInt8] {
      let bytes = held.isEmpty ? chunk : held + chunk
      var result: [UInt8] = []
      result.reserveCapacity(bytes.count)
      // What is copied as it is begins at `start`.
      var (start, index) = (0, 0)
      scan: while index < bytes.count {
        guard let candidates = mask.patterns[bytes[index]] else {
          index += 1
          continue
        }
        for pattern in candidates {
          let rest = bytes[index...].prefix(pattern.count)
          guard pattern.starts(with: rest) else { continue }
          if rest.count < pattern.count {
            if isLast { continue }
            break scan
          }
          result += bytes[start..<index]
          result += SecretMask.stars
          index += pattern.count
          start = index
          continue scan
        }
        index += 1
      }
      result += bytes[start..<index]
      held = Array(bytes[index...])
      return result
    }
  }
}
