import MusterCatalog
import MusterHost

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

  /// A few digits that stand for all of some lines.
  /// - Throws: `Failure`, `CancellationError`.
  package static func short(of lines: [String]) async throws -> String {
    String(try await of(lines.joined(separator: "\n")).hex.prefix(32))
  }

  /// The SHA-256 of a text.
  /// - Throws: `Failure`, `CancellationError`.
  static func of(_ text: String) async throws -> Digest {
    var command = command(.sha256)
    command.input = Array(text.utf8)
    return try await digest(by: command, .sha256)
  }

  /// The digest of a file.
  /// - Throws: `Failure`, `CancellationError`.
  static func ofFile(_ path: String, _ algorithm: Algorithm) async throws -> Digest {
    var command = command(algorithm)
    command.inputFile = path
    return try await digest(by: command, algorithm)
  }

  /// The SHA-256 of what is written in a file, and of where: a sparse file is read much faster so.
  /// - Throws: `Failure`, `CancellationError`.
  package static func ofData(_ path: String) async throws -> Digest {
    try await digest(by: command(.sha256), .sha256) { input in
      try await FileSystem.forEachPiece(of: path) { offset, bytes in
        _ = await input.write(Array("\(offset) \(bytes.count)\n".utf8))
        _ = await input.write(bytes)
      }
    }
  }

  /// The system's own tool, which hashes its standard input: every system has one, and a library would be half of Muster.
  private static func command(_ algorithm: Algorithm) -> HostCommand {
    #if canImport(Darwin)
      HostCommand("shasum", ["-a", String(algorithm.rawValue.dropFirst("sha".count))])
    #else
      HostCommand("\(algorithm.rawValue)sum")
    #endif
  }

  private static func digest(
    by command: HostCommand, _ algorithm: Algorithm, feed: (@Sendable (ProcessInput) async throws -> Void)? = nil
  ) async throws -> Digest {
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
