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
    try await verify(image.record, progress: progress)
  }

  func verify(
    _ record: ImageRecord, progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws {
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
  /// - Parameter files: The absolute paths of files that stay.
  /// - Throws: `Failure`.
  package func prune(unusedFor time: Duration, sparing files: Set<String> = []) async throws -> Pruned<StoredImage> {
    await sweep(downloadsUnusedFor: time)
    var pruned = Pruned<StoredImage>()
    for image in try list() where age(since: image.record.used) >= time {
      if image.record.files.contains(where: { files.contains("\(imageFolder)/\($0)") }) {
        pruned.spared.append(image)
      } else if try remove(image) {
        pruned.removed.append(image)
      }
    }
    return pruned
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

  // MARK: What was cut off

  /// A piece of work that somebody or something has cut off.
  package struct Remnant: Sendable {
    package enum Kind: Sendable {
      /// The next download of the same image goes on with it.
      case download
      /// Of no use to anybody.
      case build
    }

    package var kind: Kind
    package var path: String
    fileprivate var key: Key
    /// How long nobody has touched it.
    package var age: Duration
  }

  /// What downloads and builds left that nobody works on.
  package func remnants() -> [Remnant] {
    var remnants: [Remnant] = []
    for (folder, kind) in [(downloadFolder, Remnant.Kind.download), (buildFolder, .build)] {
      for name in (try? FileSystem.names(in: folder)) ?? [] {
        if kind == .build, !name.hasSuffix(Self.noteSuffix) { continue }
        let key = Key(text: String(name.prefix { $0 != "." }))
        let path = "\(folder)/\(name)"
        guard let changed = try? FileSystem.information(path)?.modified,
          let lock = try? FileLock("\(imageFolder)/\(key.text).lock").take()
        else { continue }
        lock.release()
        let age = age(since: Timestamp(milliseconds: changed / 1_000_000))
        remnants.append(Remnant(kind: kind, path: path, key: key, age: age))
      }
    }
    return remnants
  }

  /// Removes what builds left, and the downloads that nobody has gone on with for a time, if nobody works on them.
  /// - Returns: What was removed.
  @discardableResult
  package func sweep(downloadsUnusedFor time: Duration) async -> [Remnant] {
    var removed: [Remnant] = []
    for remnant in remnants() where remnant.kind == .build || remnant.age >= time {
      guard let lock = try? FileLock("\(imageFolder)/\(remnant.key.text).lock").take() else { continue }
      switch remnant.kind {
      case .download: try? FileSystem.remove(remnant.path)
      case .build: await removeWorkshop(remnant.key)
      }
      lock.release()
      if !FileSystem.exists(remnant.path) { removed.append(remnant) }
    }
    return removed
  }
}

extension ImageRecord {
  /// All files of the image, seen from the folder of images.
  package var files: [String] { [disk, kernel, initrd].compactMap(\.self) }
}
