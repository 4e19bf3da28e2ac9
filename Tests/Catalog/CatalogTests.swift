import MusterCatalog
import Testing

struct CatalogTests {
  @Test(arguments: Catalog.names, CPU.allCases)
  func entryIsWellFormed(name: String, cpu: CPU) throws {
    #expect(Catalog.family(of: name) != nil)
    guard let image = Catalog.image(named: name, cpu: cpu) else {
      #expect(name == "arch" && cpu == .arm64, "only Arch Linux is made for one CPU alone")
      return
    }
    #expect(image.name == name)
    #expect(image.cpu == cpu)
    #expect(image.initialization == .cloudInit)
    #expect(cpu == .x86_64 || image.firmware == .uefi)
    guard case .download(let url, .file(let sums)) = image.source else {
      Issue.record("\(name) is not downloaded, or has no checksum")
      return
    }
    for address in [url, sums] {
      #expect(address.hasPrefix("https://"))
      #expect(!address.contains(" ") && !address.dropFirst("https://".count).contains("//"))
    }
    #expect(url.hasSuffix(".qcow2") || url.hasSuffix(".img"))
    #expect(url != sums)
    let other: [CPU: [String]] = [.x86_64: ["aarch64", "arm64"], .arm64: ["x86_64", "amd64"]]
    for word in other[cpu, default: []] { #expect(!url.contains(word) && !sums.contains(word)) }
  }

  @Test func namesAreSortedAndUnique() {
    #expect(Catalog.names == Set(Catalog.names).sorted())
    #expect(
      Set(Catalog.names).isSuperset(of: [
        "almalinux/9", "alpine/3.22", "amazonlinux/2023", "arch", "centos-stream/10", "debian/12", "fedora/44",
        "opensuse/leap-16.0", "opensuse/tumbleweed", "rocky/9", "ubuntu/24.04",
      ]))
  }

  @Test func codeNameIsTheSameImage() throws {
    let byName = try #require(Catalog.image(named: "debian/bookworm", cpu: .x86_64))
    let byNumber = try #require(Catalog.image(named: "debian/12", cpu: .x86_64))
    #expect(byName.source == byNumber.source)
    #expect(byName.name == "debian/bookworm")
    #expect(!Catalog.names.contains("debian/bookworm"))
  }

  @Test func familyIsToldWithoutAnImage() {
    #expect(Catalog.family(of: "arch") == .arch)
    #expect(Catalog.family(of: "opensuse/tumbleweed") == .suse)
    #expect(Catalog.family(of: "amazonlinux/2023") == .fedora)
    #expect(Catalog.family(of: "alpine/3.22") == .alpine)
    #expect(Catalog.family(of: "debian") == nil)
    #expect(Catalog.image(named: "debian/99", cpu: .x86_64) == nil)
  }

  @Test func suitesAreKnown() {
    #expect(Catalog.suite(named: "trixie")?.distribution == .debian)
    #expect(Catalog.suite(named: "noble")?.distribution == .ubuntu)
    #expect(Catalog.suite(named: "noble")?.family == .debian)
    #expect(Catalog.suite(named: "trixy") == nil)
  }
}
