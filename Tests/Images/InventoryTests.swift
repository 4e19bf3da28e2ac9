import MusterCatalog
import MusterHost
import MusterTestSupport
import Testing

@testable import MusterImages

struct InventoryTests {
  private func filled(_ folder: TestFolder, _ server: TestServer, _ paths: [String]) async throws -> ImageStore {
    let store = folder.store()
    for path in paths {
      _ = try await store.prepare(.at(server.url(path), .file(url: server.url("/SUMS")))) { _ in }
    }
    return store
  }

  private func server() throws -> TestServer {
    let (one, two) = (diskImage(1), diskImage(2))
    let sums = "\(sha256(one))  a.img\n\(sha256(one))  copy.img\n\(sha256(two))  b.img\n"
    return try TestServer { request, _ in
      request.path == "/SUMS" ? .init(body: Array(sums.utf8)) : .init(body: request.path == "/b.img" ? two : one)
    }
  }

  @Test func imagesAreListedAndVerified() async throws {
    let (folder, server) = (try TestFolder(), try server())
    let store = try await filled(folder, server, ["/a.img", "/b.img"])
    let images = try store.list()
    #expect(Set(images.map(\.record.name)) == [server.url("/a.img"), server.url("/b.img")])
    #expect(images.allSatisfy { $0.size == 1 << 20 && $0.record.kind == .downloaded })
    for image in images { try await store.verify(image) { _ in } }

    let image = try #require(images.first)
    try FileSystem.write(diskImage(3), to: folder / "cache/images/\(image.record.disk)")
    let failure = try await failure { try await store.verify(image) { _ in } }
    #expect(failure.message.contains(image.record.digest.hex))
    #expect(failure.message.contains(sha256(diskImage(3))))
  }

  /// Two origins with the same content share a disk, which goes with the second.
  @Test func sharedDiskIsRemovedWithItsLastImage() async throws {
    let (folder, server) = (try TestFolder(), try server())
    let store = try await filled(folder, server, ["/a.img", "/copy.img"])
    let disk = folder / "cache/images/\(sha256(diskImage(1))).raw"
    let images = try store.list()
    #expect(images.count == 2)
    #expect(try store.remove(images[0]))
    #expect(FileSystem.isFile(disk))
    #expect(try store.remove(images[1]))
    #expect(!FileSystem.isFile(disk))
  }

  @Test func pruningLeavesWhatIsUsedAndWhatIsNotItsOwn() async throws {
    let (folder, server) = (try TestFolder(), try server())
    let store = try await filled(folder, server, ["/a.img"])
    try FileSystem.write("mine", to: folder / "cache/images/notes.txt")
    try FileSystem.write("half", to: folder / "cache/downloads/0123.part")
    #expect(try await store.prune(unusedFor: .seconds(3600)).removed.isEmpty)
    #expect(try store.list().count == 1)
    let disk = folder / "cache/images/\(try #require(store.list().first).record.disk)"
    let pruned = try await store.prune(unusedFor: .zero, sparing: [disk])
    #expect(pruned.removed.isEmpty && pruned.spared.count == 1)
    #expect(FileSystem.isFile(disk))
    #expect(try await store.prune(unusedFor: .zero).removed.count == 1)
    #expect(try folder.names("images").filter { !$0.hasSuffix(".lock") } == ["notes.txt"])
    #expect(try folder.names("downloads").isEmpty)
  }

  /// A build that was cut off is of no use; a download is, for a while; and neither is touched while somebody works on it.
  @Test func whatWasCutOffIsSwept() async throws {
    let folder = try TestFolder()
    let store = ImageStore(cache: folder / "cache")
    for name in ["images", "downloads", "builds", "builds/muster-build-x"] {
      try FileSystem.createFolder(folder / "cache/\(name)")
    }
    try FileSystem.write("half", to: folder / "cache/downloads/0123.part")
    try FileSystem.write(folder / "cache/builds/muster-build-x", to: folder / "cache/builds/4567.muster-build-x.place")
    #expect(Set(store.remnants().map(\.kind)) == [.download, .build])
    let lock = try #require(try FileLock(folder / "cache/images/4567.lock").take())
    #expect(await store.sweep(downloadsUnusedFor: .seconds(3600)).isEmpty)
    lock.release()
    #expect(await store.sweep(downloadsUnusedFor: .seconds(3600)).map(\.kind) == [.build])
    #expect(try folder.names("builds").isEmpty)
    #expect(try folder.names("downloads") == ["0123.part"])
    #expect(await store.sweep(downloadsUnusedFor: .zero).map(\.kind) == [.download])
    #expect(store.remnants().isEmpty)
  }

  @Test func imageThatIsBeingMadeIsNotRemoved() async throws {
    let (folder, server) = (try TestFolder(), try server())
    let store = try await filled(folder, server, ["/a.img"])
    let image = try #require(try store.list().first)
    let lock = try #require(try FileLock(folder / "cache/images/\(image.id).lock").take())
    #expect(try !store.remove(image))
    lock.release()
    #expect(try store.list().count == 1)
  }

  @Test func recordReadsWhatItWrote() throws {
    var record = try ImageRecord(
      kind: .built, name: "a name\nof two lines", origin: "debootstrap bookworm", digest: digest("a"),
      disk: "d/disk.raw",
      format: "raw", archive: digest("b"))
    record.kernel = "d/vmlinuz"
    record.kernelDigest = try digest("c")
    record.initrd = "d/initrd"
    record.initrdDigest = try digest("d")
    var expected = record
    expected.name = "a name of two lines"
    #expect(ImageRecord(record.text) == expected)
  }

  @Test(arguments: ["../../etc/passwd", "/etc/passwd"]) func recordLeadsNowhereElse(path: String) throws {
    let record = try ImageRecord(
      kind: .built, name: "a", origin: "b", digest: digest("a"), disk: "disk.raw", format: "raw")
    #expect(ImageRecord(record.text.replacing("disk disk.raw", with: "disk \(path)")) == nil)
    #expect(
      ImageRecord("muster-image 2\n" + record.text.split(separator: "\n").dropFirst().joined(separator: "\n")) == nil)
  }
}

private func digest(_ text: String) throws -> Digest {
  try #require(Digest(sha256(Array(text.utf8))))
}
