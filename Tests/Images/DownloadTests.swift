import MusterCatalog
import MusterHost
import MusterTestSupport
import Testing

@testable import MusterImages

/// Downloads by the real curl, from a server on this host.
struct DownloadTests {
  private let disk = diskImage()

  @Test func imageIsKeptAndNotAskedForAgain() async throws {
    let folder = try TestFolder()
    let server = try TestServer { [disk] _, _ in .init(body: disk) }
    let image = ImageDescription.at(server.url("/a.img"), .sha256(sha256(disk)))
    let heard = Heard()
    let ready = try await folder.store().prepare(image, progress: heard.hear)
    #expect(try FileSystem.read(ready.disk) == disk)
    #expect(ready.format == "raw")
    #expect(ready.digest == sha256(disk))
    #expect(ready.boot == .disk(firmware: .bios))
    #expect(heard.all.contains { $0.activity == "downloading" && $0.done == 1 << 20 && $0.total == 1 << 20 })
    #expect(try folder.names("downloads").isEmpty)

    #expect(try await folder.store().prepare(image) { _ in } == ready)
    #expect(server.requests.count == 1)
  }

  /// What something has done to an image since it was verified is noticed, also where the times were set back; and what was
  /// only touched is read again, and stays.
  @Test func damagedImageIsDownloadedAnew() async throws {
    let folder = try TestFolder()
    let server = try TestServer { [disk] _, _ in .init(body: disk) }
    let image = ImageDescription.at(server.url("/a.img"), .sha256(sha256(disk)))
    let ready = try await folder.store().prepare(image) { _ in }
    let touched = try await HostCommand("touch", ["-d", "2020-01-01", ready.disk]).run()
    #expect(touched.ending.isSuccess)
    #expect(try await folder.store().prepare(image) { _ in } == ready)
    #expect(server.requests.count == 1)

    let damaging = "printf X | dd of=\"$0\" bs=1 seek=70000 conv=notrunc && touch -d 2020-01-01 \"$0\""
    let damaged = try await HostCommand("sh", ["-c", damaging, ready.disk]).run()
    #expect(damaged.ending.isSuccess)
    var offline = folder.store()
    offline.offline = true
    let failure = try await failure { [offline] in _ = try await offline.prepare(image) { _ in } }
    #expect(failure.blame == .image && failure.message.contains("is damaged"), "\(failure)")
    let heard = Heard()
    #expect(try await folder.store().prepare(image, progress: heard.hear) == ready)
    #expect(heard.all.contains { $0.activity.hasPrefix("made anew: the image") }, "\(heard.all)")
    #expect(try FileSystem.read(ready.disk) == disk)
    #expect(server.requests.count == 2)
  }

  @Test func brokenDownloadIsResumed() async throws {
    let folder = try TestFolder()
    let server = try TestServer { [disk] _, earlier in .init(body: disk, cutAfter: earlier == 0 ? 300_000 : nil) }
    let image = ImageDescription.at(server.url("/a.img"), .sha256(sha256(disk)))
    let ready = try await folder.store().prepare(image) { _ in }
    #expect(try FileSystem.read(ready.disk) == disk)
    #expect(server.requests.map(\.from) == [nil, 300_000])
  }

  @Test func stalledDownloadIsResumed() async throws {
    let folder = try TestFolder()
    let server = try TestServer { [disk] _, earlier in .init(body: disk, stallsAfter: earlier == 0 ? 5000 : nil) }
    let image = ImageDescription.at(server.url("/a.img"), .sha256(sha256(disk)))
    let heard = Heard()
    var store = folder.store()
    store.patience.stall = 5
    let ready = try await store.prepare(image, progress: heard.hear)
    #expect(try FileSystem.read(ready.disk) == disk)
    #expect(server.requests.map(\.from) == [nil, 5000])
    #expect(heard.activities.contains { $0.contains("nothing came for too long") })
  }

  @Test func serverWithoutRangesStartsOver() async throws {
    let folder = try TestFolder()
    let server = try TestServer { [disk] _, earlier in
      .init(body: disk, hasRanges: false, cutAfter: earlier == 0 ? 300_000 : nil)
    }
    let image = ImageDescription.at(server.url("/a.img"), .sha256(sha256(disk)))
    let ready = try await folder.store().prepare(image) { _ in }
    #expect(try FileSystem.read(ready.disk) == disk)
    #expect(server.requests.map(\.from) == [nil, 300_000, nil])
  }

  /// What a killed process left is added to; if it was of another file, all is fetched anew, once.
  @Test(arguments: [true, false]) func partOfAKilledProcessIsUsed(isSameFile: Bool) async throws {
    let folder = try TestFolder()
    let server = try TestServer { [disk] _, _ in .init(body: disk) }
    let url = server.url("/a.img")
    let part = folder / "cache/downloads/\(try await ImageStore.Key.of(["download", url]).text).part"
    try FileSystem.createFolder(folder / "cache/downloads")
    try FileSystem.write(Array((isSameFile ? disk : diskImage(9)).prefix(1000)), to: part)
    try FileSystem.write("\(url)\n\(sha256(disk))\n", to: "\(part).target")
    let ready = try await folder.store().prepare(.at(url, .sha256(sha256(disk)))) { _ in }
    #expect(try FileSystem.read(ready.disk) == disk)
    #expect(server.requests.map(\.from) == (isSameFile ? [1000] : [1000, nil]))
  }

  @Test func partOfAnotherTargetIsDropped() async throws {
    let folder = try TestFolder()
    let server = try TestServer { [disk] _, _ in .init(body: disk) }
    let url = server.url("/a.img")
    let part = folder / "cache/downloads/\(try await ImageStore.Key.of(["download", url]).text).part"
    try FileSystem.createFolder(folder / "cache/downloads")
    try FileSystem.write(Array(repeating: 7, count: 1000), to: part)
    try FileSystem.write("\(url)\n\(sha256([]))\n", to: "\(part).target")
    _ = try await folder.store().prepare(.at(url, .sha256(sha256(disk)))) { _ in }
    #expect(server.requests.map(\.from) == [nil])
  }

  @Test func redirectIsFollowed() async throws {
    let folder = try TestFolder()
    let server = try TestServer { [disk] request, _ in
      request.path == "/a.img" ? .init(status: 302, headers: ["Location: /b.img"]) : .init(body: disk)
    }
    _ = try await folder.store().prepare(.at(server.url("/a.img"), .sha256(sha256(disk)))) { _ in }
    #expect(server.requests.map(\.path) == ["/a.img", "/b.img"])
  }

  @Test func passingTroubleOfTheServerIsWaitedFor() async throws {
    let folder = try TestFolder()
    let server = try TestServer { [disk] _, earlier in earlier < 2 ? .init(status: 503) : .init(body: disk) }
    _ = try await folder.store().prepare(.at(server.url("/a.img"), .sha256(sha256(disk)))) { _ in }
    #expect(server.requests.count == 3)
  }

  @Test func lastingTroubleIsTheMirrors() async throws {
    let folder = try TestFolder()
    let server = try TestServer { _, _ in .init(status: 503) }
    let url = server.url("/a.img")
    let failure = try await failure { _ = try await folder.store().prepare(.at(url, .sha256(sha256([])))) { _ in } }
    #expect(failure.blame == .mirror)
    #expect(failure.canPass)
    #expect(failure.message == "cannot download \(url): HTTP 503, service unavailable")
    #expect(server.requests.count == 4)
  }

  @Test func refusedConnectionIsTheMirrors() async throws {
    let folder = try TestFolder()
    let server = try TestServer { _, _ in .init() }
    server.stop()
    let image = ImageDescription.at(server.url("/a.img"), .sha256(sha256([])))
    let failure = try await failure { _ = try await folder.store().prepare(image) { _ in } }
    #expect(failure.blame == .mirror)
    #expect(failure.canPass)
  }

  /// A missing file is not asked for twice; it is the person's mistake, or the catalog's.
  @Test(arguments: [("my image", Blame.matrix), ("debian/12", .image)])
  func missingFileBlamesWhoNamedIt(name: String, blame: Blame) async throws {
    let folder = try TestFolder()
    let server = try TestServer { _, _ in .init(status: 404) }
    var image = ImageDescription.at(server.url("/a.img"), .sha256(sha256([])))
    image.name = name
    let failure = try await failure { _ = try await folder.store().prepare(image) { _ in } }
    #expect(failure.blame == blame)
    #expect(!failure.canPass)
    #expect(failure.message.contains(server.url("/a.img")))
    #expect(failure.message.contains("404"))
    #expect(server.requests.count == 1)
  }

  @Test func wrongChecksumNamesBothAndKeepsNothing() async throws {
    let folder = try TestFolder()
    let server = try TestServer { [disk] _, _ in .init(body: disk) }
    let expected = sha256([1, 2, 3])
    let image = ImageDescription.at(server.url("/a.img"), .sha256(expected))
    let failure = try await failure { _ = try await folder.store().prepare(image) { _ in } }
    #expect(failure.blame == .image)
    #expect(failure.message.contains(expected))
    #expect(failure.message.contains(sha256(disk)))
    #expect(failure.message.contains(server.url("/a.img")))
    #expect(try folder.names("downloads").isEmpty)
    #expect(try folder.names("images").allSatisfy { $0.hasSuffix(".lock") })
    #expect(server.requests.count == 1)
  }

  @Test func whatIsNoImageIsNotKept() async throws {
    let folder = try TestFolder()
    let page = Array("<html>please log in</html>".utf8)
    let server = try TestServer { _, _ in .init(body: page) }
    let image = ImageDescription.at(server.url("/a.img"), .sha256(sha256(page)))
    let failure = try await failure { _ = try await folder.store().prepare(image) { _ in } }
    #expect(failure.blame == .image)
    #expect(failure.message == "the image \(server.url("/a.img")) is no disk image but a page of the web")
    #expect(try folder.names("images").allSatisfy { $0.hasSuffix(".lock") })
  }

  @Test func twoTasksDownloadOnce() async throws {
    let folder = try TestFolder()
    let server = try TestServer { [disk] _, _ in .init(body: disk) }
    let image = ImageDescription.at(server.url("/a.img"), .sha512(sha512(disk)))
    async let one = folder.store().prepare(image) { _ in }
    async let other = folder.store().prepare(image) { _ in }
    #expect(try await one == other)
    #expect(server.requests.count == 1)
  }

  @Test func waitingForAnotherProcessIsTold() async throws {
    let folder = try TestFolder()
    let server = try TestServer { [disk] _, _ in .init(body: disk) }
    let url = server.url("/a.img")
    try FileSystem.createFolder(folder / "cache/images")
    let lock = FileLock(folder / "cache/images/\(try await ImageStore.Key.of(["download", url]).text).lock")
    let held = try #require(try lock.take())
    let heard = Heard()
    _ = try await folder.store().prepare(.at(url, .sha256(sha256(disk)))) { progress in
      await heard.hear(progress)
      if progress.activity == "waiting for another process" { held.release() }
    }
    #expect(heard.activities.first == "waiting for another process")
  }

  @Test func compressedImageIsUnpacked() async throws {
    let folder = try TestFolder()
    let packed = try await HostCommand("gzip", ["-c"], input: disk).run(limit: 1 << 22).stdout
    let server = try TestServer { _, _ in .init(body: packed) }
    let image = ImageDescription.at(server.url("/a.raw.gz"), .sha256(sha256(packed)))
    let ready = try await folder.store().prepare(image) { _ in }
    #expect(try FileSystem.read(ready.disk) == disk)
    #expect(ready.digest == sha256(disk))
    #expect(try folder.names("downloads").isEmpty)
    _ = try await folder.store().prepare(image) { _ in }
    #expect(server.requests.count == 1)
  }

  @Test func passwordInAURLIsNotShown() async throws {
    let folder = try TestFolder()
    let server = try TestServer { _, _ in .init(status: 404) }
    let url = "http://me:hunter2@127.0.0.1:\(server.port)/a.img"
    let failure = try await failure { _ = try await folder.store().prepare(.at(url, .sha256(sha256([])))) { _ in } }
    #expect(failure.message.contains("http://…@127.0.0.1:\(server.port)/a.img"))
    #expect(!"\(failure)\(failure.evidence)".contains("hunter2"))
  }

  @Test func fileURLIsRead() async throws {
    let folder = try TestFolder()
    try FileSystem.write(disk, to: folder / "a.img")
    let image = ImageDescription.at("file://\(folder / "a.img")", .sha256(sha256(disk)))
    let ready = try await folder.store().prepare(image) { _ in }
    #expect(try FileSystem.read(ready.disk) == disk)
    let missing = ImageDescription.at("file://\(folder / "b.img")", .sha256(sha256(disk)))
    let failure = try await failure { _ = try await folder.store().prepare(missing) { _ in } }
    #expect(failure.blame == .matrix)
    #expect(!failure.canPass)
  }
}
