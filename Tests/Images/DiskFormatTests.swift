import MusterCatalog
import MusterHost
import MusterTestSupport
import Testing

@testable import MusterImages

/// Images as the real qemu-img makes them.
struct DiskFormatTests {
  private func create(_ arguments: String..., in folder: TestFolder) async throws {
    let output = try await HostCommand("qemu-img", ["create", "-q"] + arguments, directory: folder.path).run()
    try #require(output.ending.isSuccess, "\(output.errorText)")
  }

  @Test(arguments: ["0.10", "1.1"]) func qcow2IsKnown(version: String) async throws {
    let folder = try TestFolder()
    try await create("-f", "qcow2", "-o", "compat=\(version)", "a.qcow2", "1M", in: folder)
    #expect(try DiskFormat.ofFile(folder / "a.qcow2") == .qcow2)
  }

  @Test func backingFileIsRefused() async throws {
    let folder = try TestFolder()
    try await create("-f", "raw", "secret", "1M", in: folder)
    try await create("-f", "qcow2", "-b", "secret", "-F", "raw", "a.qcow2", in: folder)
    let failure = try await failure { _ = try DiskFormat.ofFile(folder / "a.qcow2") }
    #expect(failure.blame == .image)
    #expect(failure.message.contains("backing file"))
  }

  @Test func dataFileIsRefused() async throws {
    let folder = try TestFolder()
    try await create("-f", "qcow2", "-o", "data_file=secret", "a.qcow2", "1M", in: folder)
    let failure = try await failure { _ = try DiskFormat.ofFile(folder / "a.qcow2") }
    #expect(failure.message.contains("external data file"))
  }

  @Test(arguments: ["vmdk", "vdi", "vhdx"]) func foreignFormatIsNamed(format: String) async throws {
    let folder = try TestFolder()
    try await create("-f", format, "a", "1M", in: folder)
    let failure = try await failure { _ = try DiskFormat.ofFile(folder / "a") }
    #expect(failure.message.contains(format.uppercased()))
    #expect(failure.hint?.contains("qemu-img convert") == true)
  }

  @Test func emptyFileIsNoImage() async throws {
    #expect(throws: DiskFormat.Refusal.self) { try DiskFormat(head: []) }
    #expect(throws: DiskFormat.Refusal.self) { try DiskFormat(head: Array(repeating: 0, count: 1 << 16)) }
    #expect(throws: DiskFormat.Refusal.self) { try DiskFormat(head: [0x51, 0x46, 0x49, 0xFB, 0, 0, 0, 3]) }
    #expect(try DiskFormat(head: diskImage()) == .raw)
  }
}

/// Images that a person has as files.
struct FileImageTests {
  private func image(_ path: String, _ checksum: Checksum? = nil) -> ImageDescription {
    ImageDescription(
      name: path, source: .file(path: path, checksum: checksum), cpu: .host, firmware: .uefi, initialization: .cloudInit
    )
  }

  @Test func fileIsUsedWhereItIs() async throws {
    let folder = try TestFolder()
    try FileSystem.write(diskImage(), to: folder / "a.img")
    let ready = try await folder.store(offline: true).prepare(image(folder / "a.img")) { _ in }
    #expect(ready.disk == folder / "a.img")
    #expect(ready.boot == .disk(firmware: .uefi))
    try FileSystem.write(diskImage(2), to: folder / "a.img")
    let changed = try await folder.store(offline: true).prepare(image(folder / "a.img")) { _ in }
    #expect(changed.digest != ready.digest)
  }

  @Test func checksumIsComparedOnceForEachContent() async throws {
    let folder = try TestFolder()
    try FileSystem.write(diskImage(), to: folder / "a.img")
    let good = image(folder / "a.img", .sha256(sha256(diskImage())))
    _ = try await folder.store().prepare(good) { _ in }
    _ = try await folder.store().prepare(good) { _ in }
    try FileSystem.write("\(sha256(diskImage()))  a.img\n", to: folder / "SUMS")
    _ = try await folder.store().prepare(image(folder / "a.img", .file(url: "file://\(folder / "SUMS")"))) { _ in }

    try FileSystem.write(diskImage(2), to: folder / "a.img")
    let failure = try await failure { _ = try await folder.store().prepare(good) { _ in } }
    #expect(failure.blame == .image)
    #expect(failure.message.contains(sha256(diskImage())))
    #expect(failure.message.contains(sha256(diskImage(2))))
  }

  @Test func missingFileIsTheMatrixs() async throws {
    let folder = try TestFolder()
    for path in [folder / "none.img", folder.path] {
      let failure = try await failure { _ = try await folder.store().prepare(image(path)) { _ in } }
      #expect(failure.blame == .matrix)
      #expect(failure.message.contains(path))
    }
  }
}
