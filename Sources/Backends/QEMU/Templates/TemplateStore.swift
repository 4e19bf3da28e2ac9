package import MusterHost
package import MusterImages
import SystemPackage

/// The templates of this host: in the cache's folder `templates` a folder each, named by its key, with a lock beside it. One
/// that is being made has another name until it is whole.
package struct TemplateStore: Sendable {
  /// The absolute folder.
  let folder: String

  package init(cache: String) {
    folder = "\(cache)/templates"
  }

  /// The most that all templates take together, in bytes, where nobody says otherwise.
  package static let limit: Int64 = 20 << 30

  /// How long machines boot before it is tried again whether one can go on from a template.
  private static let unfitFor = Duration.seconds(86_400)

  static let (lockSuffix, newSuffix) = (".lock", ".new")

  /// - Throws: `Failure`, `CancellationError`.
  func lock(_ key: String, progress: @Sendable (String) async -> Void) async throws -> HeldLock {
    // A machine's memory and its keys are in it.
    try FileSystem.createFolder(folder, mode: 0o700)
    return try await FileLock("\(folder)/\(key)\(Self.lockSuffix)").take(deadline: nil) { _ in
      await progress("waiting for whoever makes or uses the same template")
    }
  }

  // MARK: One template, whose lock the caller has

  /// The template of a key, if there is one and each of its files is what it was when it was made. A damaged one is thrown
  /// away.
  /// - Parameter lifetime: How long after it was made it is used; `nil` for ever.
  /// - Throws: `Failure`, `CancellationError`.
  func find(
    _ key: String, madeWithin lifetime: Duration? = nil, progress: @Sendable (String) async -> Void
  ) async throws -> Template? {
    let path = "\(folder)/\(key)"
    guard FileSystem.isFolder(path) else { return nil }
    guard var template = read(key), template.seal.key == key else {
      await progress("the template is not whole, and is made anew")
      try discard(key)
      return nil
    }
    if let lifetime = template.seal.unfit == nil ? lifetime : Self.unfitFor, age(template.seal.made) > lifetime {
      try discard(key)
      return nil
    }
    var isNews = age(template.seal.used) > .seconds(60)
    for index in template.seal.files.indices {
      let file = template.seal.files[index]
      do {
        template.seal.files[index].identity = try await template.identity(of: file) {
          await progress("reading a template again that was touched")
        }
        if template.seal.files[index] != file { isNews = true }
      } catch let failure as Failure {
        await progress("the template is damaged and made anew: \(failure.message)")
        try discard(key)
        return nil
      }
    }
    if isNews {
      template.seal.used = .now
      try template.write()
    }
    return template
  }

  func discard(_ key: String) throws(Failure) {
    // Never half of it under its name.
    try? FileSystem.remove("\(folder)/\(key)/\(Template.sealName)")
    try FileSystem.removeTree("\(folder)/\(key)")
  }

  /// An empty folder for a template that is to be made.
  func begin(_ key: String) throws(Failure) -> String {
    let path = "\(folder)/\(key)\(Self.newSuffix)"
    try FileSystem.removeTree(path)
    try FileSystem.createFolder(path, mode: 0o700)
    return path
  }

  /// Whether there may be a template of a key. Only who has its lock knows.
  func mayHave(_ key: String) -> Bool { FileSystem.isFolder("\(folder)/\(key)") }

  /// Makes what lies in the folder that `begin` gave the template of a key.
  /// - Parameters:
  ///   - files: What it needs, absolute or seen from its folder.
  ///   - base: The template that it was made of, whose files are what they were.
  /// - Throws: `Failure` when a file of `base` is not, `CancellationError`.
  func adopt(_ seal: TemplateSeal, needing files: [String], of base: Template? = nil) async throws -> Template {
    var template = Template(folder: "\(folder)/\(seal.key)\(Self.newSuffix)", seal: seal)
    for file in files {
      let path = template.path(file)
      if var known = base?.seal.files.first(where: { base?.path($0.path) == path }) {
        known.path = path
        known.identity = try await template.identity(of: known) {}
        template.seal.files.append(known)
        continue
      }
      let identity = try FileIdentity(of: path)
      template.seal.files.append(
        TemplateSeal.File(path: file, digest: try await Digest.ofData(path), identity: identity))
    }
    try template.write()
    let path = "\(folder)/\(seal.key)"
    try FileSystem.removeTree(path)
    try FileSystem.move(template.folder, to: path)
    template.folder = path
    return template
  }

  private func age(_ time: Timestamp) -> Duration { .milliseconds(Timestamp.now.milliseconds - time.milliseconds) }

  private func read(_ key: String) -> Template? {
    let path = "\(folder)/\(key)"
    guard let text = try? FileSystem.readText("\(path)/\(Template.sealName)", limit: 1 << 16) else { return nil }
    return TemplateSeal(text).map { Template(folder: path, seal: $0) }
  }

  // MARK: All templates

  /// A template as a person sees it.
  package struct Stored: Sendable, Hashable {
    /// What it is known by.
    package var key: String
    /// The image's name.
    package var name: String
    package var made: Timestamp
    package var used: Timestamp
    /// Bytes on the disk.
    package var size: Int64
    /// Why machines boot in place of it, if they do.
    package var unfit: String?
    /// Whether an image that it needs is gone.
    package var isOrphan: Bool
  }

  /// All that are whole, those used last first.
  /// - Throws: `Failure`.
  package func list() throws -> [Stored] {
    guard FileSystem.isFolder(folder) else { return [] }
    return try FileSystem.names(in: folder).compactMap { name -> Stored? in
      guard !name.hasSuffix(Self.newSuffix), let template = read(name) else { return nil }
      let own = template.seal.files.filter { !$0.path.hasPrefix("/") }
      let others = template.seal.files.filter { $0.path.hasPrefix("/") }
      let size = own.reduce(0) { sum, file in
        sum + ((try? FileSystem.information(template.path(file.path))?.sizeAllocated).flatMap { Int64($0) } ?? 0)
      }
      return Stored(
        key: name, name: template.seal.name, made: template.seal.made, used: template.seal.used, size: size,
        unfit: template.seal.unfit,
        isOrphan: !others.allSatisfy { FileSystem.isFile($0.path) })
    }.sorted { $0.used > $1.used }
  }

  /// Removes the templates that were not used for a time, those whose image is gone, what killed processes left, and of the rest
  /// those used longest ago until no more than `limit` bytes are left.
  /// - Parameter files: The absolute paths of files that stay, with their templates.
  /// - Throws: `Failure`.
  @discardableResult
  package func prune(
    unusedFor time: Duration? = nil, limit: Int64 = limit, sparing files: Set<String> = []
  ) throws -> Pruned<Stored> {
    var pruned = Pruned<Stored>()
    guard FileSystem.isFolder(folder) else { return pruned }
    for path in remnants() { try remove(path) }
    var room = limit
    for stored in try list() {
      room -= stored.size
      guard stored.isOrphan || room < 0 || time.map({ age(stored.used) >= $0 }) == true else { continue }
      if files.contains("\(folder)/\(stored.key)/\(Template.diskName)") {
        pruned.spared.append(stored)
      } else if try ifUnlocked(stored.key, { () throws(Failure) in try discard(stored.key) }) {
        pruned.removed.append(stored)
        room += stored.size
      }
    }
    for name in try FileSystem.names(in: folder) where name.hasSuffix(Self.lockSuffix) {
      let key = String(name.dropLast(Self.lockSuffix.count))
      if FileSystem.isFolder("\(folder)/\(key)") || FileSystem.isFolder("\(folder)/\(key)\(Self.newSuffix)") {
        continue
      }
      // A lock counts only for as long as its file has its name, so that nobody else has one meanwhile.
      try ifUnlocked(key) { () throws(Failure) in try FileSystem.remove("\(folder)/\(name)") }
    }
    return pruned
  }

  // MARK: What was cut off

  /// The folders of templates whose making was cut off, and that nobody works on.
  package func remnants() -> [String] {
    ((try? FileSystem.names(in: folder)) ?? []).filter { name in
      guard !name.hasSuffix(Self.lockSuffix) else { return false }
      let key = Self.key(name)
      if name == key, read(key) != nil { return false }
      return (try? ifUnlocked(key) {}) == true
    }.map { "\(folder)/\($0)" }
  }

  /// Removes what `remnants` has found, unless somebody works on it now.
  /// - Returns: Whether it did.
  /// - Throws: `Failure`.
  @discardableResult
  package func remove(_ remnant: String) throws -> Bool {
    guard let name = remnant.split(separator: "/").last else { return false }
    return try ifUnlocked(Self.key(String(name))) { () throws(Failure) in try FileSystem.removeTree(remnant) }
  }

  private static func key(_ name: String) -> String {
    name.hasSuffix(newSuffix) ? String(name.dropLast(newSuffix.count)) : name
  }

  /// - Returns: Whether nobody had the lock, and it was done.
  @discardableResult
  private func ifUnlocked(_ key: String, _ body: () throws(Failure) -> Void) throws(Failure) -> Bool {
    guard let lock = try FileLock("\(folder)/\(key)\(Self.lockSuffix)").take() else { return false }
    defer { lock.release() }
    try body()
    return true
  }
}

extension Template {
  /// The absolute path of what the seal has as `file`.
  func path(_ file: String) -> String { file.hasPrefix("/") ? file : "\(folder)/\(file)" }

  /// What a file is told by now, if its content is still what it was.
  /// - Parameter reading: Called before its content is read.
  /// - Throws: `Failure` when it was changed or is gone, `CancellationError`.
  func identity(of file: TemplateSeal.File, reading: () async -> Void) async throws -> FileIdentity {
    let path = path(file.path)
    let identity = try FileIdentity(of: path)
    if identity == file.identity { return identity }
    await reading()
    guard try await Digest.ofData(path) == file.digest else { throw Failure(.host, "'\(path)' was changed") }
    return identity
  }

  func write() throws(Failure) {
    try FileSystem.write(seal.text, to: "\(folder)/\(Self.sealName)", mode: 0o600)
  }
}
