package import MusterCatalog
import MusterGuest
import MusterHost

/// The images of this host: what was downloaded or built once is kept by content and shared by all runs.
///
/// In the cache, `images` holds the disks, named by their digests, with a record and a lock for each origin;
/// `downloads` what has come so far of a download; `builds` where an image is being built.
package struct ImageStore: Sendable {
  /// The cache's absolute folder.
  package var cache: String
  /// Use what is there, ask no network.
  package var offline: Bool
  /// Bytes that downloads leave free.
  package var reserve: Int64 = 0

  /// How long an image counts as compared with its origin.
  var freshness = Duration.seconds(3600)
  /// How old an image built from packages may be until it is built again: security updates come out daily.
  var buildLifetime = Duration.seconds(7 * 24 * 3600)
  var patience = Download.Patience()
  /// For a small file that can be done without.
  var shortPatience = Download.Patience(delays: [], connect: 5, stall: 5, whole: 15)

  package init(cache: String, offline: Bool = false) {
    self.cache = cache
    self.offline = offline
  }

  /// Where Muster's keys are, which are part of every image that is built.
  package var identityFolder: String { "\(cache)/identity" }

  var imageFolder: String { "\(cache)/images" }
  var downloadFolder: String { "\(cache)/downloads" }
  var buildFolder: String { "\(cache)/builds" }

  /// Makes an image ready: downloaded and verified, or built; at once if it is there already.
  /// - Throws: `Failure`, `CancellationError`.
  package func prepare(
    _ image: ImageDescription, progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws -> ReadyImage {
    switch image.source {
    case .download(let url, let checksum):
      return try await prepare(image, url: url, checksum: checksum, progress: progress)
    case .file(let path, let checksum):
      return try await prepare(image, path: path, checksum: checksum, progress: progress)
    case .debootstrap(let recipe):
      return try await prepare(image, recipe: recipe, progress: progress)
    case .native(let name):
      throw Failure(.matrix, "the image '\(name)' is a backend's own, and no file can be made of it")
    }
  }
}

extension ImageStore {
  /// What one image is known by in the store, whatever its content: the same for all who want it.
  struct Key: Sendable, Hashable {
    var text: String

    init(text: String) {
      self.text = text
    }

    /// - Throws: `Failure`, `CancellationError`.
    static func of(_ parts: [String]) async throws -> Key {
      Key(text: try await Digest.short(of: parts))
    }
  }

  func recordPath(_ key: Key) -> String { "\(imageFolder)/\(key.text).image" }

  /// Runs `body` while no other process and no other task works on the same image.
  func exclusively<Result: Sendable>(
    _ key: Key, progress: @Sendable (ImageProgress) async -> Void, _ body: () async throws -> Result
  ) async throws -> Result {
    // What is built bears the machines' private host key.
    for folder in [imageFolder, downloadFolder, buildFolder] { try FileSystem.createFolder(folder, mode: 0o700) }
    let lock = try await FileLock("\(imageFolder)/\(key.text).lock").take(deadline: nil) { waited in
      await progress(ImageProgress(activity: "waiting for another process"))
    }
    defer { lock.release() }
    return try await body()
  }

  /// The record of an image whose files are there.
  func record(_ key: Key) -> ImageRecord? {
    guard let text = try? FileSystem.readText(recordPath(key)), let record = ImageRecord(text) else { return nil }
    let files = [record.disk, record.kernel, record.initrd].compactMap(\.self)
    return files.allSatisfy { FileSystem.isFile("\(imageFolder)/\($0)") } ? record : nil
  }

  /// The record of an image whose files are what they were, as far as can be told without reading them.
  func soundRecord(_ key: Key) -> ImageRecord? {
    record(key).flatMap { (try? identities(of: $0)) == $0.identities ? $0 : nil }
  }

  /// The record of an image whose files are what they were: those that were touched are read again. A damaged image is removed.
  /// The caller has the image's lock.
  /// - Throws: `Failure`, `CancellationError`.
  func verifiedRecord(
    _ key: Key, progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws -> ImageRecord? {
    guard var record = record(key) else { return nil }
    let identities = try identities(of: record)
    if identities == record.identities { return record }
    do {
      try await verify(record, progress: progress)
    } catch let failure as Failure where failure.blame == .image && !offline {
      await progress(ImageProgress(activity: "made anew: \(failure.message)"))
      try FileSystem.remove(recordPath(key))
      removeDisk(of: record)
      return nil
    }
    record.identities = identities
    try write(record, key)
    return record
  }

  private func identities(of record: ImageRecord) throws(Failure) -> [FileIdentity] {
    try record.files.map { file throws(Failure) in try FileIdentity(of: "\(imageFolder)/\(file)") }
  }

  /// Writes down what has just been made.
  func keep(_ record: inout ImageRecord, _ key: Key) throws(Failure) {
    record.identities = try identities(of: record)
    try write(record, key)
  }

  func write(_ record: ImageRecord, _ key: Key) throws(Failure) {
    try FileSystem.write(record.text, to: recordPath(key), mode: 0o600)
  }

  /// The image of a record, which counts as used from now on.
  func ready(_ record: ImageRecord, _ key: Key, _ image: ImageDescription) throws -> ReadyImage {
    var record = record
    let now = Timestamp.now
    // A cell that starts warm need not wait for the disk.
    if now.milliseconds - record.used.milliseconds > 60_000 || record.name != image.name {
      record.used = now
      record.name = image.name
      try write(record, key)
    }
    var boot = ReadyImage.Boot.disk(firmware: image.firmware)
    if let kernel = record.kernel {
      boot = .kernel(
        path: "\(imageFolder)/\(kernel)", initrd: record.initrd.map { "\(imageFolder)/\($0)" },
        arguments: BuildRecipe.kernelArguments(image.cpu))
    }
    return ReadyImage(
      disk: "\(imageFolder)/\(record.disk)", format: record.format, digest: record.digest.hex, boot: boot,
      initialization: image.initialization)
  }

  func age(since time: Timestamp) -> Duration {
    .milliseconds(max(0, Timestamp.now.milliseconds - time.milliseconds))
  }
}
