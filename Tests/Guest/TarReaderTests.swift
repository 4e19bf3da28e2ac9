import MusterHost
import MusterTestSupport
import SystemPackage
import Testing

@testable import MusterGuest

@Suite(.timeLimit(.minutes(2))) struct TarReaderTests {
  let folder: TestFolder

  init() throws {
    folder = try TestFolder()
  }

  /// An entry as an attacker may write it.
  private func entry(
    _ name: String, kind: Character = "0", content: [UInt8] = [], size: Int? = nil, link: String = ""
  ) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at start: Int) {
      block.replaceSubrange(start..<(start + text.utf8.count), with: Array(text.utf8))
    }
    func octal(_ number: Int, _ width: Int) -> String {
      let digits = String(number, radix: 8)
      return String(repeating: "0", count: width - digits.count) + digits
    }
    put(name, at: 0)
    put("0000755", at: 100)
    put(octal(size ?? content.count, 11), at: 124)
    put("        \(kind)", at: 148)
    put(link, at: 157)
    put("ustar\u{0}00", at: 257)
    put(octal(block.reduce(0) { $0 + Int($1) }, 6) + "\u{0}", at: 148)
    return block + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }

  private let end = [UInt8](repeating: 0, count: 1024)

  @discardableResult
  private func unpack(_ archive: [UInt8], piece: Int = 10_000) throws -> [String] {
    var reader = TarReader(folder: folder / "out")
    var position = 0
    while position < archive.count {
      try reader.take(Array(archive[position..<min(position + piece, archive.count)]))
      position += piece
    }
    return try reader.finish()
  }

  @Test(arguments: ["ustar", "gnu", "pax", "v7"], [1, 511, 10_000])
  func readsWhatTarWrites(format: String, piece: Int) async throws {
    let long = String(repeating: "long name ", count: format == "v7" || format == "ustar" ? 4 : 20)
    let script = """
      mkdir -p tree/empty "tree/ä b"; printf 1 >tree/one; : >tree/nothing; chmod 755 tree/one
      head -c 100000 /dev/urandom >"tree/ä b/data"; ln -s one tree/link; mkfifo tree/pipe
      [ \(format) = v7 ] || ln tree/one tree/second
      printf long >"tree/\(long)"
      tar --format=\(format) -cf archive ./tree
      """
    let made = try await HostCommand("sh", ["-ec", script], directory: folder.path).run()
    #expect(made.ending.isSuccess || made.errorText.contains("pipe"))
    let files = try unpack(try FileSystem.read(folder / "archive"), piece: piece)
    let hard = format == "v7" ? [] : ["tree/second"]
    #expect(files == (["tree/one", "tree/nothing", "tree/ä b/data", "tree/\(long)"] + hard).sorted())
    #expect(try FileSystem.readText(folder / "out/tree/\(long)") == "long")
    #expect(try FileSystem.read(folder / "out/tree/ä b/data") == FileSystem.read(folder / "tree/ä b/data"))
    #expect(FileSystem.isFolder(folder / "out/tree/empty"))
    #expect(!FileSystem.exists(folder / "out/tree/link") && !FileSystem.exists(folder / "out/tree/pipe"))
    for path in hard { #expect(try FileSystem.readText(folder / "out/\(path)") == "1") }
    #expect(HostFacts.isRoot || FileSystem.isFile(folder / "out/tree/one"))
  }

  @Test(arguments: ["../out-of-it", "a/../../out-of-it", "/tmp/muster-absolute", "..", "a/.."])
  func leavesItsFolderForNothing(name: String) throws {
    #expect(throws: TarReader.Damaged.self) { try unpack(entry(name, content: [1]) + end) }
    #expect(throws: TarReader.Damaged.self) { try unpack(entry(name, kind: "5") + end) }
    #expect(try FileSystem.names(in: folder.path).allSatisfy { $0 == "out" })
  }

  @Test func makesNoLinkToWriteThrough() throws {
    try FileSystem.createFolder(folder / "target")
    let archive = entry("link", kind: "2", link: folder / "target") + entry("link/file", content: [1]) + end
    #expect(try unpack(archive) == ["link/file"])
    #expect(try FileSystem.names(in: folder / "target") == [])
    #expect(try FileSystem.information(folder / "out/link", followingLink: false)?.type == .directory)
  }

  @Test func copiesNoFileOfThisHost() throws {
    try FileSystem.write("secret", to: folder / "secret")
    let archive = entry("a", kind: "1", link: "secret") + end
    #expect(try unpack(archive) == [])
    #expect(throws: TarReader.Damaged.self) { try unpack(entry("a", kind: "1", link: folder / "secret") + end) }
    #expect(throws: TarReader.Damaged.self) { try unpack(entry("a", kind: "1", link: "../secret") + end) }
  }

  @Test func makesNoDeviceAndSetsNoSpecialMode() throws {
    let archive =
      entry("null", kind: "3") + entry("disk", kind: "4") + entry("pipe", kind: "6") + entry("x", content: [1])
    #expect(try unpack(archive + end) == ["x"])
    #expect(try FileSystem.names(in: folder / "out") == ["x"])
    #expect(try FileSystem.information(folder / "out/x")?.permissions.rawValue == 0o755)
  }

  @Test func replacesControlCharactersInNames() throws {
    #expect(try unpack(entry("a\u{1B}[31m\nb", content: [1]) + end) == ["a_[31m_b"])
  }

  @Test func saysThatAnArchiveIsDamaged() throws {
    let whole = entry("a", content: [UInt8](repeating: 1, count: 2000)) + end
    for length in [0, 100, 512, 1500, 2560] {
      #expect(throws: TarReader.Damaged.self) { try unpack(Array(whole.prefix(length))) }
    }
    var wrong = whole
    wrong[3] ^= 1
    #expect(throws: TarReader.Damaged.self) { try unpack(wrong) }
    #expect(throws: TarReader.Damaged.self) { try unpack(entry("x", kind: "L", size: 1 << 30) + end) }
    #expect(throws: TarReader.Damaged.self) {
      try unpack(entry("x", kind: "x", content: Array("9 path=\n".utf8)) + end)
    }
    #expect(throws: TarReader.Damaged.self) { try unpack(entry("", content: [1]) + end) }
  }
}
