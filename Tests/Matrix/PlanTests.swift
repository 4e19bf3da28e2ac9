import MusterCatalog
import MusterDiagnostics
import Testing

@testable import MusterMatrix

struct PlanTests {
  /// The example of the design, without the keys that do not exist yet.
  static let greeter = """
    # yaml-language-server: $schema=muster.schema.json
    muster: 1                          # the version of the language
    name: Greeter 1.2

    backend: auto
    resources: {cpus: 2, memory: 2G, disk: 10G}
    timeouts: {launch: 5m, step: 10m, cell: 30m}
    attempts: {launch: 3, cell: 1}

    vars: {version: 1.2.0}

    distros:
      debian-12: {image: debian/12}
      ubuntu-24.04: {image: ubuntu/24.04, tags: [lts]}
      fedora-44: {image: fedora/44, resources: {memory: 4G}, provision: [{run: dnf -y install glibc-langpack-en}]}
      arch: {image: arch}
      ours:
        image: {url: "https://example.org/ours.qcow2", sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF, user: debian}
        family: debian
      minimal:
        image: {debootstrap: bookworm, packages: [ca-certificates]}
      either:
        image: [{debootstrap: bookworm}, debian/12]
      named:
        image: {multipass: noble, orbstack: "ubuntu:noble", default: ubuntu/24.04}

    setup:
      - run: ./build-packages.sh

    tests:
      appimage:
        distros: all
        provision:
          - copy: {from: dist/Greeter-x86_64.AppImage, to: /opt/greeter/}
        verify:
          - run: greeter --version
            stdout: {equals: "greeter ${version}"}

      apt:
        distros: [family:debian]
        provision:
          - install: greeter
        verify: &works
          - run: greeter --version
            stdout: {contains: "${version}"}
          - check: {service: greeterd, state: active}

      rpm:
        distros: [family:fedora, family:suse]
        provision:
          - run: zypper --version
            when: family:suse
        verify: *works

      sizes:
        axes: {memory: [512M, 2G], locale: [C, tr_TR]}
        resources: {memory: "${memory}"}
        provision:
          - copy: {from: dist/greeter, to: /usr/local/bin/greeter, mode: "0755"}
        verify: *works

    exclude:
      - {test: appimage, distro: arch, reason: "needs fuse2 from the AUR"}
    expect-failure:
      - {test: rpm, distro: fedora-44, reason: "greeter#12"}
    """

  @Test func plansTheExampleOfTheDesign() throws {
    let plan = try plan(Self.greeter)
    #expect(plan.name == "Greeter 1.2")
    #expect(plan.backends == [])
    #expect(plan.cells.count == 8 + 6 + 1 + 8 * 4)
    #expect(
      plan.cells.prefix(7).map(\.name) == [
        "appimage@debian-12", "apt@debian-12", "sizes[memory=512M,locale=C]@debian-12",
        "sizes[memory=512M,locale=tr_TR]@debian-12", "sizes[memory=2G,locale=C]@debian-12",
        "sizes[memory=2G,locale=tr_TR]@debian-12", "appimage@ubuntu-24.04",
      ])
    #expect(plan.cells.filter { $0.excluded != nil }.map(\.name) == ["appimage@arch"])
    #expect(plan.cells.first { $0.excluded != nil }?.excluded?.reason == "needs fuse2 from the AUR")
    #expect(plan.cells.filter { $0.expectedFailure != nil }.map(\.name) == ["rpm@fedora-44"])
  }

  func cell(_ name: String) throws -> CellPlan {
    try #require(try plan(Self.greeter).cells.first { $0.name == name }).resolved()
  }

  @Test func resolvesSettings() throws {
    let sizes = try cell("sizes[memory=512M,locale=tr_TR]@fedora-44")
    #expect(sizes.resources == Resources(cpus: 2, memory: 512 << 20, disk: 10 << 30))
    #expect(sizes.axes == [AxisValue(axis: "memory", value: "512M"), AxisValue(axis: "locale", value: "tr_TR")])
    #expect(sizes.timeouts == Timeouts(launch: .seconds(300), step: .seconds(600), cell: .seconds(1800)))
    #expect(sizes.attempts == Attempts(launch: 3, cell: 1))
    #expect(sizes.family == .fedora)
    #expect(sizes.logLimit == 10 << 20)
    #expect(try cell("rpm@fedora-44").resources.memory == 4 << 30)
    #expect(try cell("appimage@debian-12").resources.memory == 2 << 30)
    #expect(try cell("appimage@ubuntu-24.04").tags == ["lts"])
  }

  @Test func resolvesImages() throws {
    let digest = String(repeating: "0123456789abcdef", count: 4)
    #expect(
      try cell("apt@ours").images == [
        ImageChoice(
          image: ImageDescription(
            name: "https://example.org/ours.qcow2",
            source: .download(url: "https://example.org/ours.qcow2", checksum: .sha256(digest)), cpu: .x86_64,
            firmware: .bios, initialization: .cloudInit))
      ])
    let built = ImageDescription(
      name: "debootstrap bookworm",
      source: .debootstrap(Debootstrap(suite: "bookworm", packages: ["ca-certificates"])), cpu: .x86_64,
      firmware: .bios, initialization: .builtIn)
    #expect(try cell("apt@minimal").images == [ImageChoice(image: built)])
    #expect(try cell("apt@either").images.map(\.image.name) == ["debootstrap bookworm", "debian/12"])
    let named = try cell("apt@named").images
    #expect(named.map(\.backend) == ["multipass", "orbstack", nil])
    #expect(named.map(\.image.name) == ["noble", "ubuntu:noble", "ubuntu/24.04"])
    #expect(named[1].image.source == .native(name: "ubuntu:noble"))
  }

  @Test func resolvesSteps() throws {
    let apt = try cell("apt@debian-12")
    #expect(apt.phases.map(\.kind) == [.provision, .verify])
    #expect(apt.phases[0].steps.map(\.title) == ["install greeter"])
    #expect(apt.phases[1].steps.map(\.title) == ["run greeter --version", "check service greeterd is active"])
    #expect(
      apt.phases[1].steps[0].action
        == .run(
          RunStep(
            script: "greeter --version",
            stdout: [
              Expectation(
                kind: .contains, text: "1.2.0", location: Location(file: "m.yaml", line: 45, column: 28))
            ])))
    #expect(apt.phases[1].steps[0].location == Location(file: "m.yaml", line: 44, column: 9))
    let rpm = try cell("rpm@fedora-44")
    #expect(rpm.phases[0].steps.map(\.title) == ["run dnf -y install glibc-langpack-en"])
    let plan = try plan(Self.greeter)
    #expect(plan.setup.map(\.title) == ["run ./build-packages.sh"])
    #expect(plan.setup[0].directory == MaskedText(plan.directory))
    guard case .copy(let copy) = try cell("appimage@arch").phases[0].steps[0].action else {
      Issue.record("no copy")
      return
    }
    #expect(copy.from.hasSuffix("/dist/Greeter-x86_64.AppImage"))
    #expect(copy.to == "/opt/greeter/")
  }
}
