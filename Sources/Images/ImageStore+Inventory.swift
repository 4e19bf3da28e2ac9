import MusterHost
import SystemPackage

/// An image of the store, as a person sees it.
package struct StoredImage: Sendable, Hashable {
  /// What the store knows it by, for `remove`.
  package var id: String
  package var record: ImageRecord
  /// Bytes on the disk: what is sparse counts as what it takes.
  package var size: Int64
}

/// What is in the store. Only what the store itself put there is ever removed.
extension ImageStore {
  /// All images, those used last first.
  /// - Throws: `Failure`.
  package func list() throws -> [StoredImage] {
    guard FileSystem.isFolder(imageFolder) else { return [] }
    return try FileSystem.names(in: imageFolder).compactMap { name -> StoredImage? in
      guard name.hasSuffix(".image") else { return nil }
      let key = Key(text: String(name.dropLast(".image".count)))
      guard let record = record(key) else { return nil }
      return StoredImage(id: key.text, record: record, size: record.files.reduce(0) { $0 + allocated($1) })
    }.sorted { $0.record.used > $1.record.used }
  }

  /// Reads an image again and compares it with its digests.
  /// - Throws: `Failure` that names both digests; `CancellationError`.
  package func verify(
    _ image: StoredImage, progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws {
    let record = image.record
    let parts = [
      (record.disk, record.digest), (record.kernel, record.kernelDigest), (record.initrd, record.initrdDigest),
    ]
    for case (let file?, let expected?) in parts {
      let path = "\(imageFolder)/\(file)"
      await progress(ImageProgress(activity: "verifying"))
      let digest = try await Digest.ofFile(path, expected.algorithm)
      guard digest == expected else {
        throw Failure(
          .image, "the image '\(record.name)' is damaged: '\(path)' has \(digest), not \(expected)",
          hint: "remove it (muster images prune) and it is made anew")
      }
    }
  }

  /// Removes an image; `false` when somebody is just making it ready. A machine that runs keeps what it has opened.
  /// - Throws: `Failure`.
  @discardableResult
  package func remove(_ image: StoredImage) throws -> Bool {
    let key = Key(text: image.id)
    guard let lock = try FileLock("\(imageFolder)/\(key.text).lock").take() else { return false }
    defer { lock.release() }
    guard let record = record(key) else { return true }
    try FileSystem.remove(recordPath(key))
    removeDisk(of: record)
    return true
  }

  /// Removes the images that were not used for a time, and what broken downloads and builds left.
  /// - Returns: What was removed.
  /// - Throws: `Failure`.
  package func prune(unusedFor time: Duration) async throws -> [StoredImage] {
    try await sweep(unusedFor: time)
    return try list().filter { image in
      try age(since: image.record.used) >= time && remove(image)
    }
  }

  /// Removes the files of an image that no record names any more.
  func removeDisk(of record: ImageRecord) {
    let used = Set(((try? list()) ?? []).flatMap(\.record.files))
    for file in record.files where !used.contains(file) {
      try? FileSystem.remove("\(imageFolder)/\(file)")
    }
    if record.kind == .built { try? FileSystem.remove("\(imageFolder)/\(record.digest.hex)") }
  }

  private func allocated(_ file: String) -> Int64 {
    guard let information = try? FileSystem.information("\(imageFolder)/\(file)") else { return 0 }
    return Int64(information.sizeAllocated)
  }

  /// Removes what interrupted downloads and builds left, if nobody works on it.
  private func sweep(unusedFor time: Duration) async throws {
    guard FileSystem.isFolder(downloadFolder), FileSystem.isFolder(buildFolder) else { return }
    for name in try FileSystem.names(in: downloadFolder) {
      let key = Key(text: String(name.prefix { $0 != "." }))
      let path = "\(downloadFolder)/\(name)"
      guard let changed = try FileSystem.information(path)?.modified,
        age(since: Timestamp(milliseconds: changed / 1_000_000)) >= time,
        let lock = try FileLock("\(imageFolder)/\(key.text).lock").take()
      else { continue }
      try FileSystem.remove(path)
      lock.release()
    }
    for name in try FileSystem.names(in: buildFolder) where name.hasSuffix(Self.noteSuffix) {
      let key = Key(text: String(name.prefix { $0 != "." }))
      guard let lock = try FileLock("\(imageFolder)/\(key.text).lock").take() else { continue }
      await removeWorkshop(key)
      lock.release()
    }
  }
}

extension ImageRecord {
  /// All files of the image, seen from the folder of images.
  package var files: [String] { [disk, kernel, initrd].compactMap(\.self) }
}
