import MusterCatalog
import Testing

@testable import MusterMultipass

struct ImageTests {
  private func described(
    _ source: ImageDescription.Source, name: String = "x", cpu: CPU = .host,
    initialization: ImageDescription.Initialization = .cloudInit
  ) -> String? {
    MultipassImage.argument(
      for: ImageDescription(name: name, source: source, cpu: cpu, firmware: .bios, initialization: initialization))
  }

  @Test func ubuntuOfTheCatalogIsMultipasssOwn() throws {
    for (name, argument) in [("ubuntu/24.04", "24.04"), ("ubuntu/22.04", "22.04")] {
      #expect(MultipassImage.argument(for: try #require(Catalog.image(named: name, cpu: .host))) == argument)
    }
    let other: CPU = CPU.host == .x86_64 ? .arm64 : .x86_64
    #expect(MultipassImage.argument(for: try #require(Catalog.image(named: "ubuntu/24.04", cpu: other))) == nil)
  }

  @Test func namesAndURLsGoAsTheyAre() {
    let checksum = Checksum.sha256(String(repeating: "0", count: 64))
    #expect(described(.native(name: "daily:noble")) == "daily:noble")
    #expect(described(.native(name: "--all")) == nil)
    #expect(described(.native(name: "")) == nil)
    #expect(described(.download(url: "https://x.org/a.img", checksum: checksum)) == "https://x.org/a.img")
    #expect(described(.download(url: "https://x.org/a-*.img", checksum: checksum)) == nil)
    #expect(described(.download(url: "ftp://x.org/a.img", checksum: checksum)) == nil)
    // A person's image of a name that only looks like the catalog's.
    let own = ImageDescription.Source.download(url: "https://x.org/a.img", checksum: checksum)
    #expect(described(own, name: "ubuntu/24.04") == "https://x.org/a.img")
    #expect(described(own, initialization: .builtIn) == nil)
    #expect(described(.file(path: "/a.img", checksum: nil)) == nil)
    #expect(described(.debootstrap(Debootstrap(suite: "bookworm"))) == nil)
  }
}
