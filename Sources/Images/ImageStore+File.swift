import MusterCatalog
import MusterHost
import SystemPackage

/// Images that a person has as files: used where they are, never written.
extension ImageStore {
  func prepare(
    _ image: ImageDescription, path: String, checksum: Checksum?,
    progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws -> ReadyImage {
    guard let file = try FileSystem.information(path) else {
      throw Failure(.matrix, "the image '\(path)' does not exist")
    }
    guard file.type == .regular else { throw Failure(.matrix, "the image '\(path)' is no regular file") }
    if let compression = Compression(name: Self.lastPart(of: path)) {
      throw Failure(
        .matrix, "the image '\(path)' is compressed (\(compression.rawValue)), and is used where it is",
        hint: "decompress it, or give it as a url: file://\(path)")
    }
    let format = try DiskFormat.ofFile(path)
    // The same file with the same time of its last change has the same content.
    let identity = try await Digest.of("\(file.deviceID.rawValue) \(file.inode.rawValue) \(file.size) \(file.modified)")
    if let checksum { try await verify(path, checksum, progress) }
    return ReadyImage(
      disk: path, format: format.rawValue, digest: identity.hex, boot: .disk(firmware: image.firmware),
      initialization: image.initialization)
  }

  /// Compares a file with its checksum, once for each state of the file.
  private func verify(
    _ path: String, _ checksum: Checksum,
    _ progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws {
    let expected: Digest
    if let pinned = checksum.pinned {
      expected = pinned
    } else if case .file(let url) = checksum {
      expected = try await digest(of: path, in: url)
    } else {
      throw Failure(.matrix, "the checksum of '\(path)' is no SHA-256 and no SHA-512 in hexadecimal")
    }
    let key = try await Key.of(["file", path, expected.algorithm.rawValue])
    try await exclusively(key, progress: progress) {
      let note = "\(imageFolder)/\(key.text).verified"
      let verified = "\(expected.hex) \(try FileIdentity(of: path))"
      if let known = try? FileSystem.readText(note), known == verified { return }
      await progress(ImageProgress(activity: "verifying"))
      let digest = try await Digest.ofFile(path, expected.algorithm)
      guard digest == expected else {
        throw Failure(.image, "the checksum of '\(path)' is wrong: expected \(expected), got \(digest)")
      }
      try FileSystem.write(verified, to: note, mode: 0o600)
    }
  }

  /// The digest of a file that a checksum file tells; that file may be on this host (`file:`) or not.
  private func digest(of path: String, in url: String) async throws -> Digest {
    let name = Self.lastPart(of: path)
    try FileSystem.createFolder(downloadFolder, mode: 0o700)
    let part = "\(downloadFolder)/\(FileSystem.randomSuffix()).sums"
    defer { try? FileSystem.remove(part) }
    let download = Download(url: url, part: part, blame: .matrix, patience: patience, limit: 4 << 20)
    _ = try await download.fetch { _ in }
    guard let entry = ChecksumFile(try FileSystem.readText(part)).entry(for: name) else {
      throw Failure(.matrix, "the checksum file \(Download.displayed(url)) has no SHA-256 or SHA-512 of '\(name)'")
    }
    return entry.digest
  }
}
