import MusterHost
import Testing

@testable import MusterQEMU

@Suite struct VitalsTests {
  private let panic = ConsoleTrouble(line: "Kernel panic - not syncing: sysrq triggered crash")
  private let prompt = ConsoleTrouble(line: "(initramfs)", isPrompt: true)

  private func event(_ name: String, _ data: [String: JSONValue]) -> MonitorEvent {
    MonitorEvent(name: name, data: .object(data))
  }

  @Test func whatTellsMostCounts() async throws {
    let vitals = Vitals()
    vitals.hear(.exited(0), messages: ["x"])
    #expect(vitals.hear(event("SHUTDOWN", ["guest": .boolean(true), "reason": .string("guest-shutdown")])))
    #expect(vitals.hear(try #require(panic), evidence: ["the panic"]))
    vitals.settle(evidence: ["console"])
    let failure = try #require(await vitals.death.value() ?? nil)
    #expect(failure.message == "the guest's kernel panicked: sysrq triggered crash")
    #expect(failure.evidence == ["the panic"])
  }

  @Test func aPromptIsNoDeathOnceTheMachineIsReady() throws {
    let vitals = Vitals()
    vitals.phase = .ready
    #expect(!vitals.hear(try #require(prompt), evidence: []))
    #expect(vitals.hear(try #require(panic), evidence: []))
  }

  @Test func anEndOnPurposeIsNoDeath() async throws {
    let vitals = Vitals()
    vitals.phase = .ending
    vitals.hear(.signaled(9), messages: [])
    vitals.settle(evidence: [])
    let death = try #require(await vitals.death.value())
    #expect(death?.message == nil)
  }

  @Test func aFullDiskIsTheHosts() async {
    let vitals = Vitals()
    #expect(
      vitals.hear(
        event(
          "BLOCK_IO_ERROR", ["action": .string("stop"), "nospace": .boolean(true), "reason": .string("No space left")]))
    )
    vitals.settle(evidence: ["console"])
    #expect(await vitals.death.value()??.blame == .host)
    #expect(await vitals.death.value()??.message.hasPrefix("disk full") == true)
  }

  @Test func theEndOfQEMUItself() {
    let killed = Vitals.failure(of: .signaled(9), messages: [])
    #expect(killed.blame == .host)
    #expect(killed.canPass)
    let memory = Vitals.failure(
      of: .exited(1), messages: ["qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory"])
    #expect(memory.blame == .host)
    #expect(memory.canPass)
    let other = Vitals.failure(of: .exited(1), messages: ["qemu-system-x86_64: -machine q36: unsupported machine type"])
    #expect(other.blame == .backend)
    #expect(!other.canPass)
    #expect(other.evidence.count == 1)
  }

  @Test func aRestartIsNoDeath() async {
    let vitals = Vitals()
    let restart = vitals.nextRestart
    #expect(!vitals.hear(event("RESET", ["guest": .boolean(false)])))
    #expect(restart.current == nil)
    #expect(!vitals.hear(event("RESET", ["guest": .boolean(true), "reason": .string("guest-reset")])))
    #expect(restart.current != nil)
    #expect(vitals.restarts == 1)
  }
}
