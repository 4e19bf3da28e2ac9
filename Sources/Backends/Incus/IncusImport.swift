import MusterCatalog
import MusterHost
import MusterImages
import MusterManagers

/// Gives the server an image that Muster has built: once, and then it is there.
struct IncusImport: Sendable {
  var manager: IncusManager
  var image: ContainerImage

  /// What a copy over a network may take, and what the server does with it.
  private static let deadline = Duration.seconds(1800)
  private static let question = Duration.seconds(60)
  /// The property that says which recipe an image was built by.
  private static let property = "muster.recipe"

  /// The name that it has there.
  private var alias: String { "muster-\(image.digest.prefix(20))" }
  private var project: [String] { ["--project", manager.place.project] }

  /// - Returns: The name by which instances are made from it.
  /// - Throws: `Failure`, `CancellationError`.
  func run(progress: @escaping @Sendable (ImageProgress) async -> Void) async throws -> String {
    if try await isThere() { return alias }
    await progress(ImageProgress(activity: "giving it to \(manager.dialect.title)"))
    let folder = try FileSystem.createTemporaryFolder("muster-import", in: "/tmp")
    defer { try? FileSystem.removeTree(folder) }
    try FileSystem.write(metadata, to: "\(folder)/metadata.yaml", mode: 0o644)
    // Always the same bytes, so that an image is the same whoever imports it.
    let options = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"]
    let packing = HostCommand("tar", ["-C", folder, "-cf", "\(folder)/metadata.tar"] + options + ["metadata.yaml"])
    let packed = try await packing.run(deadline: Self.question)
    guard packed.ending.isSuccess else {
      throw Failure(.host, "the description of an image cannot be packed", evidence: [packed.errorText])
    }
    let arguments =
      ["image", "import", "\(folder)/metadata.tar", image.path, "\(manager.place.remote):"] + project
      + ["--alias", alias, "\(Self.property)=\(image.recipe)"]
    do {
      try await manager.client.perform(arguments, deadline: Self.deadline)
    } catch let failure as Failure {
      // Another run may have been faster.
      guard try await isThere() else { throw failure }
    }
    await removeOlder()
    return alias
  }

  /// What the server wants to know of an image.
  private var metadata: String {
    """
    architecture: \(image.cpu.kernelName)
    creation_date: 1
    properties:
      description: \(image.name), built by Muster
      os: \(image.distribution)
      release: \(image.suite)

    """
  }

  private func isThere() async throws -> Bool {
    try await manager.query("/images/aliases", "&recursion=1", deadline: Self.question) { json -> Bool? in
      guard let list = json.array else { return json == .null ? false : nil }
      return list.contains { $0["name"]?.string == alias }
    }
  }

  /// Images of the same recipe that were built before; instances do not need them any more.
  private func removeOlder() async {
    let older = try? await manager.query("/images", "&recursion=1", deadline: Self.question) { json in
      json.array?.filter { image in
        image["properties"]?[Self.property]?.string == self.image.recipe
          && image["aliases"]?.array?.contains { $0["name"]?.string == alias } == false
      }.compactMap { $0["fingerprint"]?.string }
    }
    for fingerprint in older ?? [] {
      let arguments = ["image", "delete", "\(manager.place.remote):\(fingerprint)"] + project
      _ = try? await manager.client.perform(arguments, deadline: Self.question)
    }
  }
}
