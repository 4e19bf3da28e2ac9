import MusterCatalog
import MusterHost
import MusterImages
import MusterTestSupport
import Testing

@testable import MusterQEMU

/// What is brought while a machine runs.
@Suite struct FetchTests {
  private let folder: TestFolder

  init() throws {
    folder = try TestFolder()
  }

  private func image(_ source: ImageDescription.Source) -> ImageDescription {
    ImageDescription(name: "one", source: source, cpu: .host, firmware: .bios, initialization: .cloudInit)
  }

  @Test func aDownloadIsBroughtAndNothingIsBuilt() async throws {
    let cache = "\(folder.path)/cache"
    let backend = QEMUBackend(cache: cache, store: ImageStore(cache: cache))
    try await backend.fetch(image(.debootstrap(Debootstrap(suite: "bookworm")))) { _ in }
    #expect(!FileSystem.exists(cache))

    let disk = "\(folder.path)/disk.qcow2"
    #expect(try await HostCommand("qemu-img", ["create", "-f", "qcow2", disk, "1M"]).run().ending.isSuccess)
    let digest = String(try await HostCommand("sha256sum", [disk]).run().text.prefix(64))
    try await backend.fetch(image(.download(url: "file://\(disk)", checksum: .sha256(digest)))) { _ in }
    #expect(FileSystem.isFile("\(cache)/images/\(digest).qcow2"))
  }
}
