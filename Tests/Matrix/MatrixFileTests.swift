import Foundation
import MusterCatalog
import MusterDiagnostics
import Testing

@testable import MusterMatrix

struct MatrixFileTests {
  @Test func showsTheLineAndTheHint() throws {
    let file = try read(
      """
      muster: 1
      distros:
        debian-12: {imgae: debian/12}
      tests:
        works:
          verify:
            - run: |
                greeter --version
                echo ${HOME}
      """)
    #expect(
      DiagnosticRenderer().render(file.diagnostics) == #"""
        m.yaml:3:15: error: unknown key 'imgae' in a distro
          3 |   debian-12: {imgae: debian/12}
            |               ^~~~~
        hint: did you mean 'image'?

        m.yaml:9:16: error: unknown variable 'HOME'
          9 |           echo ${HOME}
            |                ^~~~~~~
        hint: declare it under 'vars', or write $HOME or $${HOME} if it is the shell's

        """#)
  }

  @Test(arguments: ["quickstart.yaml"])
  func findsNothingWrongWithOurOwnMatrices(_ name: String) throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../matrices").standardized
    let file = MatrixFile(path: name, workingDirectory: folder.path)
    #expect(file.diagnostics.map(\.line) == [])
    #expect(file.plan()?.cells.isEmpty == false)
  }

  @Test func choosesImagesByArchitecture() throws {
    let text = """
      muster: 1
      distros:
        debian-12: {image: debian/12}
        arch: {image: [arch, debian/12], family: arch}
        only: {image: arch, cpu: x86_64}
        url: {image: {url: "https://example.org/${distro}-${cpu}.qcow2", checksum: "https://example.org/sums"}, family: suse}
      tests:
        one: {verify: [{run: "${cpu}"}], distros: not only}
        two: {axes: {cpu: [x86_64, arm64]}, verify: [{run: "${cpu}"}]}
      exclude: [{distro: only, axes: {cpu: arm64}, reason: no such image}]
      """
    let plan = try plan(text, cpu: .arm64)
    let cells = plan.cells.map { $0.resolved() }
    #expect(
      cells.map { "\($0.cell) \($0.cpu) \($0.phases[0].steps[0].title) \($0.images.map(\.image.name))" } == [
        #"one@debian-12 arm64 run arm64 ["debian/12"]"#,
        #"two[cpu=x86_64]@debian-12 x86_64 run x86_64 ["debian/12"]"#,
        #"two[cpu=arm64]@debian-12 arm64 run arm64 ["debian/12"]"#,
        #"one@arch arm64 run arm64 ["debian/12"]"#,
        #"two[cpu=x86_64]@arch x86_64 run x86_64 ["arch", "debian/12"]"#,
        #"two[cpu=arm64]@arch arm64 run arm64 ["debian/12"]"#,
        #"two[cpu=x86_64]@only x86_64 run x86_64 ["arch"]"#,
        #"two[cpu=arm64]@only arm64 run arm64 []"#,
        #"one@url arm64 run arm64 ["https://example.org/url-arm64.qcow2"]"#,
        #"two[cpu=x86_64]@url x86_64 run x86_64 ["https://example.org/url-x86_64.qcow2"]"#,
        #"two[cpu=arm64]@url arm64 run arm64 ["https://example.org/url-arm64.qcow2"]"#,
      ])
    #expect(cells.allSatisfy { cell in cell.images.allSatisfy { $0.image.cpu == cell.cpu } })
  }

  @Test func letsTheNearerSettingWin() throws {
    let plan = try plan(
      """
      muster: 1
      timeouts: {launch: 1m, step: 2m}
      attempts: {cell: 2}
      logs: {limit: 1M}
      resources: {cpus: 1}
      distros:
        a: {image: arch, timeouts: {launch: 3m}, resources: {cpus: 3, disk: 20G}, logs: {limit: 2M}}
        b: {image: arch}
      tests:
        s: {verify: [run: x], timeouts: {cell: 1h, launch: 4m}, attempts: {launch: 9}, resources: {disk: 30G}}
        t: {verify: [run: x]}
      """)
    let cells = plan.cells.map { $0.resolved() }
    #expect(cells.map(\.cell) == ["s@a", "t@a", "s@b", "t@b"])
    #expect(cells.map(\.timeouts.launch) == [.seconds(240), .seconds(180), .seconds(240), .seconds(60)])
    #expect(cells.map(\.timeouts.step) == Array(repeating: .seconds(120), count: 4))
    #expect(cells.map(\.timeouts.cell) == [.seconds(3600), .seconds(1800), .seconds(3600), .seconds(1800)])
    #expect(cells.map(\.attempts.launch) == [9, 3, 9, 3])
    #expect(cells.map(\.attempts.cell) == [2, 2, 2, 2])
    #expect(cells.map(\.resources.cpus) == [3, 3, 1, 1])
    #expect(cells.map { $0.resources.disk >> 30 } == [30, 20, 30, 10])
    #expect(cells.map { $0.logLimit >> 20 } == [2, 2, 1, 1])
  }

  @Test func runsSetupInTheFolderOfTheMatrix() throws {
    let fixture = try Fixture([
      "sub/m.yaml": """
      muster: 1
      secrets: [TOKEN]
      vars: {tool: greeter}
      env: {A: "${tool}", B: "${distro}"}
      distros: {d: {image: arch}}
      tests: {t: {verify: [run: x]}}
      setup:
        - run: make ${tool}
        - {run: "sign ${TOKEN}", cwd: build, env: {A: own, C: "${TOKEN}"}, timeout: 1m}
      """
    ])
    let plan = try #require(fixture.read("sub/m.yaml").plan())
    #expect(plan.directory == fixture.folder.path + "/sub")
    #expect(plan.file == "sub/m.yaml")
    #expect(plan.name == "m")
    #expect(plan.secrets == ["TOKEN"])
    #expect(plan.setup.map(\.title) == ["run make greeter", "run sign ${TOKEN}"])
    #expect(plan.setup.map(\.directory?.description) == [plan.directory, plan.directory + "/build"])
    #expect(plan.setup[0].environment == [EnvironmentVariable(name: "A", value: "greeter")])
    #expect(
      plan.setup[1].environment == [
        EnvironmentVariable(name: "A", value: "own"),
        EnvironmentVariable(name: "C", value: MaskedText(segments: [.secret("TOKEN")])),
      ])
    #expect(plan.setup[1].timeout == .seconds(60))
  }
}
