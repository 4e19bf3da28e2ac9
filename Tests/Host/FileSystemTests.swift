import Glibc
import MusterHost
import MusterTestSupport
import SystemPackage
import Testing

@Suite struct FileSystemTests {
  let folder: TestFolder

  init() throws {
    folder = try TestFolder()
  }

  @Test func writesAtOnceAndLeavesNothingBeside() throws {
    try FileSystem.write("one", to: folder / "file", mode: 0o600)
    try FileSystem.write("two", to: folder / "file", mode: 0o640)
    #expect(try FileSystem.readText(folder / "file") == "two")
    #expect(try FileSystem.information(folder / "file")?.permissions.rawValue == 0o640)
    #expect(try FileSystem.names(in: folder.path) == ["file"])
  }

  @Test func aFailedWriteLeavesTheOldFileAndNoTemporaryOne() throws {
    try FileSystem.createFolder(folder / "taken/inside")
    #expect(throws: Failure.self) { try FileSystem.write("x", to: folder / "taken") }
    #expect(try FileSystem.names(in: folder.path) == ["taken"])
    let error = #expect(throws: Failure.self) { try FileSystem.write("x", to: folder / "no/file") }
    #expect(error?.message == "cannot write '\(folder / "no/file")': no such file or directory")
  }

  @Test func aFileIsWrittenPieceByPieceOrNotAtAll() throws {
    try FileSystem.write(to: folder / "file") { write in
      try write([65, 66])
      try write([67])
    }
    #expect(try FileSystem.readText(folder / "file") == "ABC")
    let error = #expect(throws: Failure.self) {
      try FileSystem.write(to: folder / "file") { write in
        try write([68])
        throw Failure(.image, "no more")
      }
    }
    #expect(error?.message == "no more")
    #expect(try FileSystem.readText(folder / "file") == "ABC")
    #expect(try FileSystem.names(in: folder.path) == ["file"])
  }

  @Test func readsARangeAsFarAsItGoes() throws {
    try FileSystem.write("0123456789", to: folder / "file")
    let text = { (range: Range<Int64>) in
      String(decoding: try FileSystem.read(folder / "file", in: range), as: UTF8.self)
    }
    #expect(try text(0..<3) == "012")
    #expect(try text(8..<100) == "89")
    #expect(try text(10..<20) == "")
    #expect(try text(20..<30) == "")
    #expect(throws: Failure.self) { try FileSystem.read(folder / "none", in: 0..<1) }
  }

  @Test func saysThatTheDiskIsFull() throws {
    let file = try AppendedFile("/dev/full")
    let error = #expect(throws: Failure.self) { try file.append("x") }
    #expect(error?.message == "disk full: cannot write '/dev/full'")
    #expect(error?.hint != nil)
  }

  @Test func readsNoMoreThanTheLimit() throws {
    try FileSystem.write([UInt8](repeating: 65, count: 3_000_000), to: folder / "large")
    #expect(try FileSystem.read(folder / "large").count == 3_000_000)
    #expect(throws: Failure.self) { try FileSystem.read(folder / "large", limit: 2_999_999) }
    #expect(try !FileSystem.read("/proc/self/stat").isEmpty)
  }

  @Test func readsNothingButFiles() async throws {
    _ = try await HostCommand("mkfifo", [folder / "pipe"]).run()
    #expect(throws: Failure.self) { try FileSystem.read(folder / "pipe") }
    #expect(throws: Failure.self) { try FileSystem.read(folder.path) }
    #expect(throws: Failure.self) { try FileSystem.read("/dev/zero") }
  }

  @Test func makesFoldersWithTheirParents() throws {
    try FileSystem.createFolder(folder / "a/b/c", mode: 0o700)
    try FileSystem.createFolder(folder / "a/b/c")
    #expect(try FileSystem.information(folder / "a/b")?.permissions.rawValue == 0o700)
    try FileSystem.write("", to: folder / "file")
    #expect(throws: Failure.self) { try FileSystem.createFolder(folder / "file") }
    #expect(throws: Failure.self) { try FileSystem.createFolder(folder / "file/below") }
  }

  @Test func removesTreesWithoutFollowingLinks() async throws {
    let script = """
      mkdir -p keep tree/a/b 'tree/with
      newline'; echo 1 > keep/file; ln -s ../keep tree/link; ln -s ../../keep/file tree/a/link
      echo x > tree/a/b/file; mkfifo tree/pipe; chmod 0 tree/a/b; printf x > "tree/$(printf 'bad\\377')"
      """
    #expect(try await HostCommand("sh", ["-c", script], directory: folder.path).run().ending.isSuccess)
    try FileSystem.removeTree(folder / "tree")
    #expect(try FileSystem.names(in: folder.path) == ["keep"])
    #expect(try FileSystem.readText(folder / "keep/file") == "1\n")
    try FileSystem.removeTree(folder / "tree")
  }

  @Test func removesALinkAndNotWhatItNames() async throws {
    try FileSystem.createFolder(folder / "keep")
    _ = try await HostCommand("ln", ["-s", "keep", folder / "link"]).run()
    try FileSystem.removeTree(folder / "link")
    #expect(try FileSystem.names(in: folder.path) == ["keep"])
  }

  @Test func doesNotEnterAnotherFileSystem() async throws {
    try FileSystem.createFolder(folder / "tree/mount")
    let mounted = try await HostCommand("mount", ["-t", "tmpfs", "none", folder / "tree/mount"]).run()
    // Only root may mount; the rest of the suite does not need it.
    guard mounted.ending.isSuccess else { return }
    try FileSystem.write("x", to: folder / "tree/mount/file")
    #expect(throws: Failure.self) { try FileSystem.removeTree(folder / "tree") }
    #expect(FileSystem.isFile(folder / "tree/mount/file"))
    _ = try await HostCommand("umount", [folder / "tree/mount"]).run()
  }

  @Test func temporaryFoldersArePrivateAndNew() throws {
    let one = try FileSystem.createTemporaryFolder("t", in: folder.path)
    let other = try FileSystem.createTemporaryFolder("t", in: folder.path)
    #expect(one != other)
    #expect(try FileSystem.information(one)?.permissions.rawValue == 0o700)
  }

  @Test func removesAndMoves() throws {
    try FileSystem.write("x", to: folder / "one")
    try FileSystem.move(folder / "one", to: folder / "two")
    #expect(try FileSystem.names(in: folder.path) == ["two"])
    try FileSystem.remove(folder / "two")
    try FileSystem.remove(folder / "two")
    #expect(try FileSystem.information(folder / "two") == nil)
    #expect(try FileSystem.freeSpace(of: folder.path) > 0)
  }

  @Test func appendsWholeLinesFromManyTasks() async throws {
    let path = folder / "lines"
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<8 {
        group.addTask {
          guard let file = try? AppendedFile(path) else { return }
          for _ in 0..<200 { try? file.append(String(repeating: "\(number)", count: 500) + "\n") }
        }
      }
    }
    let lines = try FileSystem.readText(path).split(separator: "\n")
    #expect(lines.count == 1600)
    #expect(lines.allSatisfy { $0.utf8.count == 500 && Set($0).count == 1 })
  }
}
