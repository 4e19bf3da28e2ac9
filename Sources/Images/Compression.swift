import MusterHost

/// How an image is packed, told by the end of its name.
enum Compression: String, Sendable, Hashable, CaseIterable {
  case xz
  case gz
  case zst
  case bz2

  init?(name: String) {
    guard let suffix = name.split(separator: ".").last, let compression = Compression(rawValue: String(suffix)) else {
      return nil
    }
    self = compression
  }

  /// The program that unpacks it, and the Debian package it is in.
  private var tool: (name: String, package: String) {
    switch self {
    case .xz: ("xz", "xz-utils")
    case .gz: ("gzip", "gzip")
    case .zst: ("zstd", "zstd")
    case .bz2: ("bzip2", "bzip2")
    }
  }

  /// Unpacks a file and returns the path of the new one; a file that was there is replaced.
  /// - Throws: `Failure`, `CancellationError`.
  func decompress(_ path: String, to target: String) async throws -> String {
    try FileSystem.remove(target)
    let file = try AppendedFile(target, mode: 0o600)
    defer { file.close() }
    let log = LogTail()
    let ending: ProcessEnding
    do {
      ending = try await HostCommand(tool.name, ["-d", "-c"], inputFile: path).run { stream, bytes in
        switch stream {
        case .stdout: try file.append(bytes)
        case .stderr: log.append(bytes)
        }
      }
    } catch let error as HostCommandError {
      throw Failure(.host, "cannot decompress an image: \(error)", hint: "install it: apt-get install \(tool.package)")
    }
    guard ending.isSuccess else {
      throw Failure(.image, "the image cannot be decompressed: \(tool.name) failed with \(ending)", evidence: log.lines)
    }
    return target
  }
}
