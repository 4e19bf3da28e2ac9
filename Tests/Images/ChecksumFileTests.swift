import MusterCatalog
import MusterHost
import MusterTestSupport
import Testing

@testable import MusterImages

struct ChecksumFileTests {
  private static let (one, other) = (String(repeating: "1f", count: 32), String(repeating: "2e", count: 32))
  private static let long = String(repeating: "3d", count: 64)

  @Test(arguments: [
    "\(one)  a.img\n\(other)  b.img\n",
    "\(one) *a.img\r\n\(other) *b.img\r\n",
    "\(one.uppercased())\ta.img\n",
    "\(one)  ./images/a.img\n",
    "SHA256 (a.img) = \(one)\nSHA256 (b.img) = \(other)\n",
    "# a.img: 12345 bytes\nSHA256 (a.img) = \(one)\n",
    "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nSHA256 (a.img) = \(one)\n-----BEGIN PGP SIGNATURE-----\niQIz\n",
    "MD5 (a.img) = 0123456789abcdef0123456789abcdef\nSHA256 (a.img) = \(one)\n",
    "\(one)\n", "  \n\(one)",
    "\(one)  a-Build1.2.img\n",
  ])
  func digestIsFound(text: String) {
    #expect(ChecksumFile(text).entry(for: "a.img")?.digest.hex == Self.one)
  }

  @Test func strongerDigestOfTheSameFileIsTaken() {
    let file = ChecksumFile("SHA256 (a.img) = \(Self.one)\nSHA512 (a.img) = \(Self.long)\n")
    #expect(file.entry(for: "a.img")?.digest.algorithm == .sha512)
  }

  @Test(arguments: ["", "<html>", "\(one)  b.img\n\(other)  c.img\n", "\(one.dropLast())  a.img\n", "\(one)x  a.img"])
  func nothingIsMadeUp(text: String) {
    #expect(ChecksumFile(text).entry(for: "a.img") == nil)
  }

  @Test func newestNameOfAPatternIsTaken() {
    let file = ChecksumFile(
      "\(Self.one)  k-2023.9.1-x.qcow2\n\(Self.other)  k-2023.10.1-x.qcow2\n\(Self.one)  k-2023.11.1-arm.qcow2\n")
    #expect(file.entry(for: "k-*-x.qcow2")?.name == "k-2023.10.1-x.qcow2")
    #expect(file.entry(for: "z-*-x.qcow2") == nil)
  }
}

/// Images whose checksum is in a file beside them, which may change.
struct MovingImageTests {
  private let old = diskImage(1)
  private let new = diskImage(2)

  private func image(_ server: TestServer, _ path: String = "/a.img") -> ImageDescription {
    .at(server.url(path), .file(url: server.url("/SUMS")))
  }

  @Test func nameIsReadFromTheChecksumFile() async throws {
    let folder = try TestFolder()
    let server = try TestServer { [old] request, _ in
      switch request.path {
      case "/SUMS": .init(body: Array("\(sha256(old))  k-7-x.img\n\(sha256([]))  k-7-y.img\n".utf8))
      case "/k-7-x.img": .init(body: old)
      default: .init(status: 404)
      }
    }
    let ready = try await folder.store().prepare(image(server, "/k-*-x.img")) { _ in }
    #expect(ready.digest == sha256(old))
  }

  @Test func checksumIsAskedAgainAfterAWhile() async throws {
    let folder = try TestFolder()
    let server = try TestServer { [old] request, _ in
      .init(body: request.path == "/SUMS" ? Array(sha256(old).utf8) : old)
    }
    var store = folder.store()
    _ = try await store.prepare(image(server)) { _ in }
    _ = try await store.prepare(image(server)) { _ in }
    #expect(server.requests.map(\.path) == ["/SUMS", "/a.img"])
    store.freshness = .zero
    _ = try await store.prepare(image(server)) { _ in }
    #expect(server.requests.map(\.path) == ["/SUMS", "/a.img", "/SUMS"])
  }

  @Test func newImageTakesThePlaceOfTheOldOne() async throws {
    let folder = try TestFolder()
    let server = try TestServer { [old, new] request, earlier in
      let disk = earlier == 0 ? old : new
      return .init(body: request.path == "/SUMS" ? Array(sha256(disk).utf8) : disk)
    }
    var store = folder.store()
    store.freshness = .zero
    let first = try await store.prepare(image(server)) { _ in }
    let second = try await store.prepare(image(server)) { _ in }
    #expect(second.digest == sha256(new))
    #expect(!FileSystem.isFile(first.disk))
    #expect(try store.list().count == 1)
  }

  /// The checksum file was read just before both were published anew.
  @Test func raceWithThePublisherIsWon() async throws {
    let folder = try TestFolder()
    let server = try TestServer { [old, new] request, earlier in
      .init(body: request.path == "/SUMS" ? Array(sha256(earlier == 0 ? old : new).utf8) : new)
    }
    let ready = try await folder.store().prepare(image(server)) { _ in }
    #expect(ready.digest == sha256(new))
    #expect(server.requests.map(\.path) == ["/SUMS", "/a.img", "/SUMS", "/a.img"])
  }

  @Test func oldImageIsUsedWhileTheNetworkIsAway() async throws {
    let folder = try TestFolder()
    let server = try TestServer { [old] request, _ in
      .init(body: request.path == "/SUMS" ? Array(sha256(old).utf8) : old)
    }
    var store = folder.store()
    store.freshness = .zero
    let ready = try await store.prepare(image(server)) { _ in }
    server.stop()
    let heard = Heard()
    #expect(try await store.prepare(image(server), progress: heard.hear) == ready)
    #expect(heard.activities.contains { $0.hasPrefix("using the image from ") })
  }

  @Test func offlineRunAsksNothing() async throws {
    let folder = try TestFolder()
    let server = try TestServer { [old] request, _ in
      .init(body: request.path == "/SUMS" ? Array(sha256(old).utf8) : old)
    }
    var store = folder.store(offline: true)
    store.freshness = .zero
    let failure = try await failure { _ = try await store.prepare(image(server)) { _ in } }
    #expect(failure.blame == .host)
    #expect(failure.hint?.contains("--offline") == true)
    #expect(server.requests.isEmpty)

    _ = try await folder.store().prepare(image(server)) { _ in }
    _ = try await store.prepare(image(server)) { _ in }
    #expect(server.requests.count == 2)
  }

  @Test func checksumFileWithoutTheImageIsSaid() async throws {
    let folder = try TestFolder()
    let text = "\(sha256([1]))  b.img\n\(sha256([2]))  c.img\n"
    let server = try TestServer { _, _ in .init(body: Array(text.utf8)) }
    let failure = try await failure { _ = try await folder.store().prepare(image(server)) { _ in } }
    #expect(failure.blame == .matrix)
    #expect(failure.message.contains("has no SHA-256 or SHA-512 of 'a.img'"))
    #expect(failure.evidence.count == 2)
  }
}
