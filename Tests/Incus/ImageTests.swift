import MusterCatalog
import Testing

@testable import MusterIncus

struct ImageTests {
  private func argument(
    _ dialect: IncusDialect, _ image: ImageDescription?, remote: String = "local"
  ) -> String? {
    image.flatMap {
      IncusImage(dialect: dialect, place: IncusPlace(remote: remote, project: "default")).argument(for: $0)
    }
  }

  private func catalog(_ name: String, cpu: CPU = .host) -> ImageDescription? { Catalog.image(named: name, cpu: cpu) }

  private func native(_ name: String) -> ImageDescription {
    ImageDescription(
      name: name, source: .native(name: name), cpu: .host, firmware: .bios, initialization: .cloudInit)
  }

  @Test func imagesOfTheCatalogAreTheServersOwn() {
    for (name, incus, lxd) in [
      ("debian/12", "images:debian/12/cloud", "images:debian/12/cloud"),
      ("ubuntu/24.04", "images:ubuntu/24.04/cloud", "ubuntu:24.04"),
      ("fedora/43", "images:fedora/43/cloud", "images:fedora/43/cloud"),
      ("arch", "images:archlinux/cloud", "images:archlinux/cloud"),
      ("opensuse/tumbleweed", "images:opensuse/tumbleweed/cloud", "images:opensuse/tumbleweed/cloud"),
      ("rocky/9", "images:rockylinux/9/cloud", "images:rockylinux/9/cloud"),
    ] {
      guard catalog(name) != nil else { continue }
      #expect(argument(.incus, catalog(name)) == incus)
      #expect(argument(.lxd, catalog(name)) == lxd)
    }
    let other: CPU = CPU.host == .x86_64 ? .arm64 : .x86_64
    #expect(argument(.incus, catalog("debian/12", cpu: other)) == nil)
  }

  @Test func eachNameOfTheCatalogIsKnownOrRefused() {
    for name in Catalog.names {
      guard let text = argument(.incus, catalog(name)) else { continue }
      #expect(text.hasPrefix("images:"), "\(name)")
      #expect(!text.contains("//"), "\(name): \(text)")
    }
  }

  @Test func ownNamesAreOfTheServerThatIsMeant() {
    #expect(argument(.incus, native("images:alpine/edge")) == "images:alpine/edge")
    #expect(argument(.lxd, native("golden")) == "local:golden")
    #expect(argument(.lxd, native("golden"), remote: "lab") == "lab:golden")
    #expect(argument(.lxd, native("--all")) == nil)
    #expect(argument(.lxd, native("")) == nil)
  }

  @Test func placesAreKeptAsText() {
    #expect(IncusPlace(text: "lab:ci") == IncusPlace(remote: "lab", project: "ci"))
    for text in ["", "lab", "lab:", ":ci", "a:b:c", "-x:ci"] { #expect(IncusPlace(text: text) == nil, "\(text)") }
    let settings = IncusSettings(project: "ci", remote: "lab")
    #expect(IncusPlace(settings, .incus).text == "lab:ci")
  }
}
