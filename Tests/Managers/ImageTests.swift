import MusterCatalog
import Testing

@testable import MusterLima
@testable import MusterMultipass
@testable import MusterOrbStack

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

  /// What the catalog's names are called by those that have images of their own; `-` for what they have not.
  @Test func theCatalogIsKnownByOtherNames() throws {
    let known = [
      "almalinux/9": ("alma:9", "template:almalinux-9"), "alpine/3.22": ("alpine:3.22", "template:alpine-3.22"),
      "amazonlinux/2023": ("-", "-"), "centos-stream/10": ("centos:10-Stream", "template:centos-stream-10"),
      "debian/12": ("debian:bookworm", "template:debian-12"),
      "debian/trixie": ("debian:trixie", "template:debian-13"), "fedora/43": ("fedora:43", "template:fedora-43"),
      "opensuse/leap-16.0": ("opensuse:16.0", "template:opensuse-leap-16"),
      "opensuse/tumbleweed": ("opensuse:tumbleweed", "template:experimental/opensuse-tumbleweed"),
      "rocky/10": ("rocky:10", "template:rocky-10"), "ubuntu/24.04": ("ubuntu:noble", "template:ubuntu-24.04"),
    ]
    for (name, (orbstack, lima)) in known {
      let image = try #require(Catalog.image(named: name, cpu: .host))
      #expect(OrbStackImage.argument(for: image) ?? "-" == orbstack)
      #expect(LimaImage.argument(for: image) ?? "-" == lima)
    }
    if let arch = Catalog.image(named: "arch", cpu: .host) {
      #expect(OrbStackImage.argument(for: arch) == "arch")
      #expect(LimaImage.argument(for: arch) == "template:archlinux")
    }
    let own = ImageDescription(
      name: "x", source: .native(name: "x:y"), cpu: .host, firmware: .bios, initialization: .cloudInit)
    #expect(OrbStackImage.argument(for: own) == "x:y")
    #expect(LimaImage.argument(for: own) == "x:y")
    var odd = own
    odd.source = .native(name: "--all")
    #expect(OrbStackImage.argument(for: odd) == nil)
    #expect(LimaImage.argument(for: odd) == nil)
    odd.source = .debootstrap(Debootstrap(suite: "bookworm"))
    #expect(OrbStackImage.argument(for: odd) == nil)
    #expect(LimaImage.argument(for: odd) == nil)
  }
}
