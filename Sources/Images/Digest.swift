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

  package var algorithm: Algorithm { hex.utf8.count == 64 ? .sha256 : .sha512 }

  package var description: String { "\(algorithm.rawValue) \(hex)" }

  /// The SHA-256 of a text.
  /// - Throws: `Failure`, `CancellationError`.
  static func of(_ text: String) async throws -> Digest {
    try await hash(.sha256) { _ = await $0.write(Array(text.utf8)) }
  }

  /// The digest of a file, read in pieces.
  /// - Parameter progress: Called now and then with the bytes read so far and the bytes in all.
  /// - Throws: `Failure`, `CancellationError`.
  static func ofFile(
    _ path: String, _ algorithm: Algorithm, progress: @escaping @Sendable (Int64, Int64) async -> Void = { _, _ in }
  ) async throws -> Digest {
    try await hash(algorithm) { input in
      do {
        let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
        defer { try? file.close() }
        let total = Int64(try file.stat().size)
        var done: Int64 = 0
        while true {
          let piece = try unsafe [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in
            count = unsafe try file.read(into: UnsafeMutableRawBufferPointer(buffer))
          }
          if piece.isEmpty { return }
          guard await input.write(piece) else { return }
          done += Int64(piece.count)
          if done % (64 << 20) == 0 { await progress(done, total) }
        }
      } catch let error as Errno {
        throw Failure(error, "read", path)
      }
    }
  }

  /// Has the system's own tool hash what `feed` writes: every system has one, and a library would be half of Muster.
  private static func hash(
    _ algorithm: Algorithm, feed: @escaping @Sendable (ProcessInput) async throws -> Void
  ) async throws -> Digest {
    #if canImport(Darwin)
      let command = HostCommand("shasum", ["-a", String(algorithm.rawValue.dropFirst("sha".count))])
    #else
      let command = HostCommand("\(algorithm.rawValue)sum")
    #endif
    let output: ProcessOutput
    do {
      output = try await command.run(feed: feed)
    } catch let error as HostCommandError {
      throw Failure(.host, "a checksum cannot be made: \(error)")
    }
    guard output.ending.isSuccess, let digest = Digest(String(output.text.prefix { $0 != " " })),
      digest.algorithm == algorithm
    else {
      throw Failure(
        .host, "a checksum cannot be made: '\(command.executable)' ended with \(output.ending)",
        evidence: [output.errorText])
    }
    return digest
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
