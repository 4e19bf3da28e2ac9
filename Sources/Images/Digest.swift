import Crypto
import MusterCatalog
import MusterHost
import SystemPackage

/// A SHA-256 or SHA-512, as lowercase hexadecimal.
package struct Digest: Sendable, Hashable, CustomStringConvertible {
  package enum Algorithm: String, Sendable, Hashable {
    case sha256
    case sha512
  }

  package var hex: String

  /// `nil` unless it is hexadecimal of the length of either.
  package init?(_ hex: String) {
    guard hex.utf8.count == 64 || hex.utf8.count == 128,
      hex.utf8.allSatisfy({
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0 | 0x20
      })
    else {
      return nil
    }
    self.hex = hex.lowercased()
  }

  private init(_ bytes: some Sequence<UInt8>) {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    hex = String(decoding: text, as: UTF8.self)
  }

  package var algorithm: Algorithm { hex.utf8.count == 64 ? .sha256 : .sha512 }

  package var description: String { "\(algorithm.rawValue) \(hex)" }

  /// The SHA-256 of a text.
  static func of(_ text: String) -> Digest {
    Digest(SHA256.hash(data: Array(text.utf8)))
  }

  /// The digest of a file, read in pieces, off the caller's executor.
  /// - Parameter progress: Called now and then with the bytes read so far and the bytes in all.
  /// - Throws: `Failure`, `CancellationError`.
  @concurrent static func ofFile(
    _ path: String, _ algorithm: Algorithm, progress: @Sendable (Int64, Int64) async -> Void = { _, _ in }
  ) async throws -> Digest {
    switch algorithm {
    case .sha256: Digest(try await hash(path, SHA256(), progress))
    case .sha512: Digest(try await hash(path, SHA512(), progress))
    }
  }

  private static func hash<Function: HashFunction>(
    _ path: String, _ function: Function, _ progress: @Sendable (Int64, Int64) async -> Void
  ) async throws -> Function.Digest {
    var function = function
    do {
      let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
      defer { try? file.close() }
      let total = Int64(try file.stat().size)
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
      defer { unsafe buffer.deallocate() }
      var done: Int64 = 0
      while true {
        try Task.checkCancellation()
        let count = unsafe try file.read(into: buffer)
        if count == 0 { return function.finalize() }
        unsafe function.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        done += Int64(count)
        if done % (64 << 20) == 0 { await progress(done, total) }
      }
    } catch let error as Errno {
      throw Failure(error, "read", path)
    }
  }
}

extension Checksum {
  /// The digest, where it is known and not in a file.
  var pinned: Digest? {
    switch self {
    case .sha256(let hex), .sha512(let hex): Digest(hex)
    case .file: nil
    }
  }
}
