import MusterCatalog
import MusterHost

/// Images from the network.
extension ImageStore {
  /// What is to be downloaded, when that is known: the file, and the digest it must have.
  private struct Target: Hashable {
    var url: String
    var digest: Digest
  }

  func prepare(
    _ image: ImageDescription, url: String, checksum: Checksum,
    progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws -> ReadyImage {
    let key = try await Key.of(["download", url])
    // At once, and with no lock, when nothing is to be asked.
    if let record = soundRecord(key), isCurrent(record, checksum) { return try ready(record, key, image) }
    return try await exclusively(key, progress: progress) {
      let known = try await verifiedRecord(key, progress: progress)
      if let known, isCurrent(known, checksum) { return try ready(known, key, image) }
      if offline {
        // Without the network a checksum file cannot tell that the image is old; a pinned digest can.
        if var known, checksum.pinned == nil {
          known.used = .now
          return try ready(known, key, image)
        }
        throw Failure(
          .host, "the image '\(image.name)' is not in the cache, and this run is offline",
          hint: "run once without --offline, or: muster images pull \(image.name)")
      }
      let target: Target
      do {
        target = try await self.target(image, url: url, checksum: checksum, isKnown: known != nil)
      } catch let failure as Failure {
        guard let known, failure.blame == .mirror else { throw failure }
        await progress(ImageProgress(activity: "using the image from \(known.checked.iso8601()): \(failure.message)"))
        return try ready(known, key, image)
      }
      if var known, known.originDigest == target.digest {
        known.checked = .now
        try write(known, key)
        return try ready(known, key, image)
      }
      var record = try await fetch(image, key, url: url, checksum: checksum, target: target, progress: progress)
      try keep(&record, key)
      if let known, known.disk != record.disk { removeDisk(of: known) }
      return try ready(record, key, image)
    }
  }

  /// Whether the record's image is the one that is meant, as far as can be told without asking.
  private func isCurrent(_ record: ImageRecord, _ checksum: Checksum) -> Bool {
    if let pinned = checksum.pinned { return record.originDigest == pinned }
    return age(since: record.checked) < freshness
  }

  // MARK: What to download

  private func target(_ image: ImageDescription, url: String, checksum: Checksum, isKnown: Bool) async throws -> Target
  {
    if let digest = checksum.pinned { return Target(url: url, digest: digest) }
    guard case .file(let sumsURL) = checksum else {
      throw Failure(.matrix, "the checksum of '\(image.name)' is no SHA-256 and no SHA-512 in hexadecimal")
    }
    let text = try await self.text(of: sumsURL, image, isShort: isKnown)
    let name = Self.lastPart(of: url)
    guard let entry = ChecksumFile(text).entry(for: name) else {
      let lines = text.split(whereSeparator: \.isNewline).prefix(5).map(String.init)
      throw Failure(
        blame(of: image), "the checksum file \(Download.displayed(sumsURL)) has no SHA-256 or SHA-512 of '\(name)'",
        evidence: lines)
    }
    // Where the name has a `*`, the checksum file tells it.
    return Target(
      url: name.contains("*") ? String(url.dropLast(name.count)) + (entry.name ?? name) : url, digest: entry.digest)
  }

  private func text(of url: String, _ image: ImageDescription, isShort: Bool) async throws -> String {
    let part = "\(downloadFolder)/\(try await Key.of(["sums", url]).text).sums"
    try FileSystem.remove(part)
    defer { try? FileSystem.remove(part) }
    let download = Download(
      url: url, part: part, blame: blame(of: image), patience: isShort ? shortPatience : patience, limit: 4 << 20)
    _ = try await download.fetch { _ in }
    return try FileSystem.readText(part)
  }

  /// A file that the catalog names should be there; one that a person named is theirs to name.
  private func blame(of image: ImageDescription) -> Blame {
    Catalog.family(of: image.name) == nil ? .matrix : .image
  }

  static func lastPart(of url: String) -> String {
    let path = url.prefix { $0 != "?" && $0 != "#" }
    return path.split(separator: "/").last.map(String.init) ?? ""
  }

  // MARK: Downloading

  /// Downloads and verifies; what a moving image and a server without ranges do to it is made good once.
  private func fetch(
    _ image: ImageDescription, _ key: Key, url: String, checksum: Checksum, target: Target,
    progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws -> ImageRecord {
    let part = "\(downloadFolder)/\(key.text).part"
    var target = target
    var isSecondTry = false
    while true {
      try keepPart(part, for: target)
      let download = Download(
        url: target.url, part: part, blame: blame(of: image), patience: patience, reserve: reserve)
      let resumed = try await download.fetch { event in await progress(Self.progress(event)) }
      await progress(ImageProgress(activity: "verifying"))
      let digest = try await Digest.ofFile(part, target.digest.algorithm)
      if digest == target.digest {
        let record = try await keep(part, image, key, target.url, digest, progress)
        try? FileSystem.remove(Self.targetPath(part))
        return record
      }
      try FileSystem.remove(part)
      try? FileSystem.remove(Self.targetPath(part))
      // What was published meanwhile has another sum; what was put together of two files has none.
      let again =
        checksum.pinned == nil ? try await self.target(image, url: url, checksum: checksum, isKnown: false) : target
      guard !isSecondTry, resumed || again != target else {
        throw Failure(
          .image,
          "the checksum of \(Download.displayed(target.url)) is wrong: expected \(target.digest), got \(digest)",
          hint: "nothing of it is kept; check where the image and its checksum come from")
      }
      isSecondTry = true
      target = again
      await progress(ImageProgress(activity: "downloading anew: the file has changed meanwhile"))
    }
  }

  /// The part of an earlier download stays if it is of the same file.
  private func keepPart(_ part: String, for target: Target) throws {
    let wanted = "\(target.url)\n\(target.digest.hex)\n"
    if (try? FileSystem.readText(Self.targetPath(part))) == wanted { return }
    try FileSystem.remove(part)
    try FileSystem.write(wanted, to: Self.targetPath(part), mode: 0o600)
  }

  private static func targetPath(_ part: String) -> String { "\(part).target" }

  private static func progress(_ event: Download.Event) -> ImageProgress {
    switch event {
    case .progress(let done, let total, let rate):
      let remaining = total.flatMap { total in rate.map { Duration.seconds(Double(max(0, total - done)) / max($0, 1)) }
      }
      return ImageProgress(activity: "downloading", done: done, total: total, remaining: remaining)
    case .again(let delay, let reason):
      return ImageProgress(activity: "trying again in \(delay.human): \(reason)")
    }
  }

  /// Puts a verified download among the images.
  private func keep(
    _ part: String, _ image: ImageDescription, _ key: Key, _ url: String, _ digest: Digest,
    _ progress: @Sendable (ImageProgress) async -> Void
  ) async throws -> ImageRecord {
    do {
      var disk = part
      var archive: Digest?
      if let compression = Compression(name: Self.lastPart(of: url)) {
        await progress(ImageProgress(activity: "decompressing"))
        disk = try await compression.decompress(part, to: "\(downloadFolder)/\(key.text).disk")
        archive = digest
      }
      let format = try Self.format(of: disk, Download.displayed(url))
      let content = archive == nil ? digest : try await Digest.ofFile(disk, .sha256)
      let name = "\(content.hex).\(format.rawValue)"
      try FileSystem.move(disk, to: "\(imageFolder)/\(name)")
      if disk != part { try FileSystem.remove(part) }
      return ImageRecord(
        kind: .downloaded, name: image.name, origin: Download.displayed(url), digest: content, disk: name,
        format: format.rawValue, archive: archive)
    } catch {
      try? FileSystem.remove(part)
      try? FileSystem.remove("\(downloadFolder)/\(key.text).disk")
      throw error
    }
  }

  static func format(of path: String, _ name: String) throws(Failure) -> DiskFormat {
    do {
      return try DiskFormat.ofFile(path)
    } catch {
      var failure = error
      failure.message = error.message.replacing("'\(path)'", with: "the image \(name)")
      throw failure
    }
  }
}
