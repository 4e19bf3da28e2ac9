import MusterHost
import MusterMachines
import MusterMatrix
import Testing

@testable import MusterExecution

@Suite struct PreflightTests {
  private func findings(_ matrix: String? = nil, state: String = "/tmp/muster-none/state", cache: String = "/tmp")
    throws
    -> [Preflight.Finding]
  {
    let plan = try matrix.map { try Fixture().plan(Fixture.head + $0) }
    return Preflight(plan, directories: Directories(state: state, cache: cache)).findings()
  }

  @Test func aHostThatCanDoIt() throws {
    let findings = try findings("tests: {t: {resources: {memory: 128M}, verify: [{run: x}]}}\n")
    #expect(!findings.contains { $0.state == .bad })
    let memory = try #require(findings.first { $0.subject == "memory" })
    #expect(memory.state == .good)
    #expect(memory.message.contains("t@d asks for"))
  }

  @Test func aMachineThatIsTooLarge() throws {
    let memory = try #require(
      try findings("tests: {t: {resources: {memory: 64T}, verify: [{run: x}]}}\n").first { $0.subject == "memory" })
    #expect(memory.state == .bad)
    #expect(memory.hint?.contains("resources") == true)
  }

  /// What is excluded asks for nothing.
  @Test func anExcludedCellDoesNotCount() throws {
    let matrix = """
      tests: {t: {resources: {memory: 64T}, verify: [{run: x}]}, u: {verify: [{run: x}]}}
      exclude: [{test: t, reason: r}]

      """
    #expect(try findings(matrix).first { $0.subject == "memory" }?.state == .good)
  }

  @Test func aFolderWithoutRoomOrRight() throws {
    #expect(
      try findings("tests: {t: {verify: [{run: x}]}}\n", cache: "/proc/no/cache").first {
        $0.subject.hasPrefix("cache")
      }?.state == .bad)
    #expect(try findings(state: "/proc/no/state").first { $0.subject.hasPrefix("state") }?.state == .bad)
  }

  @Test func aBackendThatDoesNotWork() {
    let problem = Failure(.host, "'qemu-img' is not installed", hint: "apt-get install qemu-utils")
    let finding = Preflight.finding("qemu", BackendStatus(problem: problem))
    #expect(finding.state == .bad)
    #expect(finding.hint == "apt-get install qemu-utils")
    #expect(Preflight.finding("qemu", BackendStatus(version: "QEMU 9", accelerator: "kvm")).message == "QEMU 9, kvm")
  }
}
