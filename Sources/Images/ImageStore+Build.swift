package import MusterCatalog
import MusterGuest
import MusterHost
import Synchronization

/// Images that are built from packages by mmdebstrap.
extension ImageStore {
  func prepare(
    _ image: ImageDescription, recipe debootstrap: Debootstrap,
    progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws -> ReadyImage {
    let recipe = try await recipe(debootstrap, for: image, .disk)
    return try await prepare(image, recipe, try await recipe.key(), progress: progress)
  }

  /// Makes the image of containers ready that is built from packages; at once if it is there already.
  /// - Throws: `Failure`, `CancellationError`.
  package func prepareContainer(
    _ image: ImageDescription, progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws -> ContainerImage {
    guard case .debootstrap(let debootstrap) = image.source else {
      throw Failure(.matrix, "Muster builds no container from '\(image.name)'")
    }
    let recipe = try await recipe(debootstrap, for: image, .container)
    let key = try await recipe.key()
    let ready = try await prepare(image, recipe, key, progress: progress)
    return ContainerImage(
      name: image.name, path: ready.disk, digest: ready.digest, recipe: key.text, cpu: image.cpu,
      distribution: recipe.distribution.rawValue, suite: debootstrap.suite)
  }

  private func recipe(
    _ debootstrap: Debootstrap, for image: ImageDescription, _ form: BuildRecipe.Form
  ) async throws -> BuildRecipe {
    let identity = try await GuestIdentity.load(in: identityFolder)
    return BuildRecipe(
      debootstrap: debootstrap, cpu: image.cpu, preparation: GuestPreparation(identity: identity), form: form)
  }

  private func prepare(
    _ image: ImageDescription, _ recipe: BuildRecipe, _ key: Key,
    progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws -> ReadyImage {
    if let record = soundRecord(key), offline || age(since: record.made) < buildLifetime {
      return try ready(record, key, image)
    }
    return try await exclusively(key, progress: progress) {
      let known = try await verifiedRecord(key, progress: progress)
      if let known, offline || age(since: known.made) < buildLifetime { return try ready(known, key, image) }
      if offline {
        throw Failure(
          .host, "the image '\(image.name)' is not built yet, and this run is offline",
          hint: "run once without --offline, or: muster images build")
      }
      do {
        var record = try await build(recipe, key, named: image.name, progress)
        try keep(&record, key)
        if let known, known.digest != record.digest { removeDisk(of: known) }
        return try ready(record, key, image)
      } catch let failure as Failure {
        // An old image is better than none while the mirror is away.
        guard let known, failure.blame == .mirror else { throw failure }
        await progress(ImageProgress(activity: "using the image from \(known.made.iso8601()): \(failure.message)"))
        return try ready(known, key, image)
      }
    }
  }

  private func build(
    _ recipe: BuildRecipe, _ key: Key, named name: String,
    _ progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws -> ImageRecord {
    await removeWorkshop(key)
    try checkHost(recipe)
    let workshop = try openWorkshop(key)
    do {
      try fill(workshop, recipe)
      await progress(ImageProgress(activity: "building"))
      try await runBuilder(recipe, workshop, progress)
      await progress(ImageProgress(activity: "building, keeping the disk"))
      let record = try await keep(workshop, recipe, named: name)
      await removeWorkshop(key)
      return record
    } catch {
      await uncancelled { await removeWorkshop(key) }
      throw error
    }
  }

  // MARK: The host

  /// Looks for what the build would fail without, to say how to mend it.
  private func checkHost(_ recipe: BuildRecipe) throws {
    for (tool, package) in [("mmdebstrap", "mmdebstrap"), ("mke2fs", "e2fsprogs"), ("unshare", "util-linux")]
    where HostFacts.tool(tool) == nil && !FileSystem.isFile("/usr/sbin/\(tool)") && !FileSystem.isFile("/sbin/\(tool)")
    {
      throw Failure(
        .host, "cannot build \(recipe.description): '\(tool)' is not installed", hint: "apt-get install \(package)")
    }
    if let keyring = recipe.keyring, !FileSystem.isFile(keyring.path) {
      throw Failure(
        .host, "cannot build \(recipe.description): the keys of its mirror are not installed",
        hint: "apt-get install \(keyring.package)")
    }
    if !HostFacts.isRoot { try UserNamespace.check() }
    let free = try FileSystem.freeSpace(of: workshopParent)
    guard free > 2 << 30 else {
      throw Failure(
        .host,
        "cannot build \(recipe.description): '\(workshopParent)' has \(ByteCount(free)) free, and 2 GB are needed",
        hint: "free space")
    }
  }

  // MARK: The workshop

  /// Where builds are made. The root of a user namespace is somebody else to the file system, and cannot get into a
  /// home folder that is closed; /var/tmp is open to all and, unlike /tmp, on a disk.
  private var workshopParent: String { HostFacts.isRoot ? buildFolder : "/var/tmp" }

  /// The end of the name of a note that says where a build is made.
  static let noteSuffix = ".place"

  /// Makes the folder of a build. In it `tmp` is open to all; the rest lies behind a name that nobody else can list,
  /// since the root of a user namespace must be able to write it.
  private func openWorkshop(_ key: Key) throws -> Workshop {
    let top = try FileSystem.createTemporaryFolder("muster-build", in: workshopParent)
    let name = Self.lastPart(of: top)
    try FileSystem.write(top, to: "\(buildFolder)/\(key.text).\(name)\(Self.noteSuffix)", mode: 0o600)
    try FileSystem.setMode(0o711, of: top)
    let files = try FileSystem.createTemporaryFolder("files", in: top)
    try FileSystem.setMode(0o711, of: files)
    try FileSystem.createFolder("\(top)/tmp")
    try FileSystem.setMode(0o1777, of: "\(top)/tmp")
    return Workshop(files: files, temporary: "\(top)/tmp")
  }

  private struct Workshop: Sendable {
    var files: String
    var temporary: String

    func path(_ name: String) -> String { "\(files)/\(name)" }
  }

  /// Removes what a build of this image left, of a process that was killed too. The caller has the image's lock.
  func removeWorkshop(_ key: Key) async {
    for name in (try? FileSystem.names(in: buildFolder)) ?? [] {
      guard name.hasPrefix("\(key.text)."), name.hasSuffix(Self.noteSuffix) else { continue }
      let note = "\(buildFolder)/\(name)"
      if let top = try? FileSystem.readText(note), Self.isWorkshop(top) {
        do {
          try FileSystem.removeTree(top)
        } catch {
          // What a user namespace left belongs to its users; only inside of one may this user remove it.
          _ = try? await HostCommand("unshare", ["--map-root-user", "--map-auto", "rm", "-rf", "--", top])
            .run(deadline: .seconds(60))
          // Whoever is next tries again.
          if (try? FileSystem.information(top)) != .some(nil) { continue }
        }
      }
      try? FileSystem.remove(note)
    }
  }

  /// A note is trusted only as far as the path it names is one that a build makes.
  private static func isWorkshop(_ path: String) -> Bool {
    path.hasPrefix("/") && lastPart(of: path).hasPrefix("muster-build-") && !path.contains("/../")
  }

  private func fill(_ workshop: Workshop, _ recipe: BuildRecipe) throws {
    try FileSystem.write(BuildRecipe.initrdScript, to: workshop.path(BuildRecipe.File.beforePackages))
    try FileSystem.write(recipe.diskScript, to: workshop.path(BuildRecipe.File.afterPackages))
    try FileSystem.write(GuestPreparation.buildScript(), to: workshop.path(BuildRecipe.File.preparation))
    for (index, file) in recipe.preparation.files.enumerated() {
      try FileSystem.write(file.content, to: workshop.path("file-\(index)"))
    }
    for name in BuildRecipe.File.made(recipe.form) {
      try FileSystem.write("", to: workshop.path(name), mode: 0o666)
    }
  }

  // MARK: Building

  private func runBuilder(
    _ recipe: BuildRecipe, _ workshop: Workshop, _ progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws {
    let log = LogTail()
    let lines = LineReader()
    let (tool, options) = recipe.command(isRoot: HostFacts.isRoot)
    let command = HostCommand(
      tool, options,
      environment: ["MUSTER_BUILD": workshop.files, "TMPDIR": workshop.temporary, "PATH": Self.builderPath],
      directory: "/")
    let ending: ProcessEnding
    do {
      // Its own cleaning up needs a while.
      ending = try await command.run(deadline: .seconds(3600), grace: .seconds(30)) { _, bytes in
        log.append(bytes)
        for line in lines.lines(adding: bytes) {
          guard let activity = Self.activity(line) else { continue }
          await progress(ImageProgress(activity: "building, \(activity)"))
        }
      }
    } catch let error as HostCommandError {
      throw Failure(
        .host, "cannot build \(recipe.description): \(error)", evidence: log.lines.suffix(20),
        hint: "apt-get install mmdebstrap")
    }
    guard ending.isSuccess else { throw BuildFailure.failure(recipe, ending, log.lines) }
  }

  /// A plain user's PATH may lack the folders of mke2fs and chroot.
  private static var builderPath: String {
    let path = HostFacts.environment("PATH") ?? "/usr/local/bin:/usr/bin:/bin"
    return "\(path):/usr/local/sbin:/usr/sbin:/sbin"
  }

  /// What mmdebstrap says that it does now, in our words.
  static func activity(_ line: String) -> String? {
    let activities = [
      ("I: running apt-get update", "asking the mirror"), ("I: downloading packages", "downloading packages"),
      ("I: extracting archives", "unpacking the base system"),
      ("I: installing essential packages", "installing the base system"),
      ("I: installing remaining packages", "installing packages"),
      ("I: running --customize-hook", "preparing the guest and making the disk"),
    ]
    return activities.first { line.hasPrefix($0.0) }?.1
  }

  /// Takes what was built into the store.
  private func keep(_ workshop: Workshop, _ recipe: BuildRecipe, named name: String) async throws -> ImageRecord {
    guard recipe.form == .disk else { return try await keepArchive(workshop, recipe, named: name) }
    let (disk, kernel, initrd) = (
      workshop.path(BuildRecipe.File.disk), workshop.path(BuildRecipe.File.kernel),
      workshop.path(BuildRecipe.File.initrd)
    )
    let digest = try await Digest.ofFile(disk, .sha256)
    let folder = "\(imageFolder)/\(digest.hex)"
    try FileSystem.createFolder(folder, mode: 0o700)
    for (path, file) in [
      (disk, BuildRecipe.File.disk), (kernel, BuildRecipe.File.kernel), (initrd, BuildRecipe.File.initrd),
    ] {
      try FileSystem.setMode(0o600, of: path)
      try await bring(path, to: "\(folder)/\(file)")
    }
    var record = ImageRecord(
      kind: .built, name: name, origin: "debootstrap \(recipe.description)", digest: digest,
      disk: "\(digest.hex)/\(BuildRecipe.File.disk)", format: DiskFormat.raw.rawValue)
    record.kernel = "\(digest.hex)/\(BuildRecipe.File.kernel)"
    record.kernelDigest = try await Digest.ofFile("\(folder)/\(BuildRecipe.File.kernel)", .sha256)
    record.initrd = "\(digest.hex)/\(BuildRecipe.File.initrd)"
    record.initrdDigest = try await Digest.ofFile("\(folder)/\(BuildRecipe.File.initrd)", .sha256)
    return record
  }

  private func keepArchive(_ workshop: Workshop, _ recipe: BuildRecipe, named name: String) async throws -> ImageRecord
  {
    let archive = workshop.path(BuildRecipe.File.archive)
    let digest = try await Digest.ofFile(archive, .sha256)
    let folder = "\(imageFolder)/\(digest.hex)"
    try FileSystem.createFolder(folder, mode: 0o700)
    try FileSystem.setMode(0o600, of: archive)
    try await bring(archive, to: "\(folder)/\(BuildRecipe.File.archive)")
    return ImageRecord(
      kind: .built, name: name, origin: "debootstrap \(recipe.description)", digest: digest,
      disk: "\(digest.hex)/\(BuildRecipe.File.archive)", format: "tar")
  }

  /// Moves a file, or copies it where the cache is another file system; holes stay holes.
  private func bring(_ path: String, to target: String) async throws {
    let output: ProcessOutput
    do {
      output = try await HostCommand("mv", ["-f", "--", path, target]).run()
    } catch let error as HostCommandError {
      throw Failure(.host, "cannot keep an image: \(error)")
    }
    guard output.ending.isSuccess else {
      throw Failure(.host, "cannot keep an image in '\(imageFolder)'", evidence: [output.errorText])
    }
  }
}

/// Cuts a stream into lines.
private final class LineReader: Sendable {
  private let rest = Mutex<[UInt8]>([])

  /// The lines that the bytes complete.
  func lines(adding bytes: [UInt8]) -> [String] {
    rest.withLock { rest in
      rest += bytes
      guard let end = rest.lastIndex(of: 0x0A) else {
        if rest.count > 1 << 16 { rest = [] }
        return []
      }
      let lines = rest[..<end].split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
      rest.removeSubrange(...end)
      return lines
    }
  }
}
