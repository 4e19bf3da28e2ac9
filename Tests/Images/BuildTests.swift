import MusterCatalog
import MusterGuest
import MusterHost
import MusterTestSupport
import Testing

@testable import MusterImages

struct BuildTests {
  /// An image of Debian 12, built from packages of the network.
  @Test func imageIsBuiltFromPackages() async throws {
    let folder = try TestFolder()
    let store = folder.store()
    let heard = Heard()
    let image = ImageDescription(
      name: "debootstrap bookworm", source: .debootstrap(Debootstrap(suite: "bookworm")), cpu: .host, firmware: .bios,
      initialization: .builtIn)
    let ready = try await store.prepare(image, progress: heard.hear)
    guard case .kernel(let kernel, let initrd?, let arguments) = ready.boot else {
      Issue.record("booted by \(ready.boot)")
      return
    }
    #expect(arguments.contains("root=/dev/vda"))
    for file in [ready.disk, kernel, initrd] { #expect(FileSystem.isFile(file)) }
    #expect(ready.format == "raw")
    #expect(ready.initialization == .builtIn)
    #expect(heard.activities.contains { $0.hasSuffix("installing packages") })
    #expect(try folder.names("builds").isEmpty)

    // The second time it is there, and needs no network.
    let again = try await folder.store(offline: true).prepare(image) { progress in
      Issue.record("it was asked again: \(progress.activity)")
    }
    #expect(again == ready)
    let stored = try #require(try store.list().first)
    #expect(stored.record.origin == "debootstrap bookworm for \(CPU.host.rawValue)")
    try await store.verify(stored) { _ in }
    #expect(try store.remove(stored))
    #expect(!FileSystem.isFile(ready.disk))
  }

  /// A build that is given up leaves nothing, and what a killed one left goes with the next.
  @Test func buildThatEndsEarlyLeavesNothing() async throws {
    let folder = try TestFolder()
    let image = ImageDescription(
      name: "debootstrap bookworm",
      source: .debootstrap(Debootstrap(suite: "bookworm", mirror: "http://127.0.0.1:9/debian")), cpu: .host,
      firmware: .bios, initialization: .builtIn)
    let identity = try await GuestIdentity.load(in: folder.store().identityFolder)
    let key = try await BuildRecipe(
      debootstrap: Debootstrap(suite: "bookworm", mirror: "http://127.0.0.1:9/debian"), cpu: .host,
      preparation: GuestPreparation(identity: identity)
    ).key()
    let left = try FileSystem.createTemporaryFolder("muster-build", in: folder.path)
    try FileSystem.createFolder("\(left)/tmp/half")
    try FileSystem.createFolder(folder / "cache/builds")
    try FileSystem.write(left, to: folder / "cache/builds/\(key.text).a.place")

    let failure = try await failure { _ = try await folder.store().prepare(image) { _ in } }
    #expect(failure.blame == .mirror)
    #expect(failure.canPass)
    #expect(failure.evidence.contains { $0.contains("127.0.0.1") })
    #expect(try folder.names("builds").isEmpty)
    #expect(!FileSystem.isFolder(left))
  }
}
