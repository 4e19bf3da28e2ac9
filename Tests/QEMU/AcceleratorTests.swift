import MusterCatalog
import MusterHost
import Testing

@testable import MusterQEMU

@Suite struct AcceleratorTests {
  private let circumstances = AcceleratorCircumstances(
    hostName: "build/1", kernelRelease: "6.1.0", version: "7.2.22", processor: "A CPU", cpu: .x86_64)

  @Test func anAnswerIsRememberedUntilSomethingChanges() throws {
    let folder = try FileSystem.createTemporaryFolder("muster-accelerator")
    defer { try? FileSystem.removeTree(folder) }
    let memory = AcceleratorMemory(folder: "\(folder)/cache")
    #expect(memory.recall(circumstances) == nil)
    let choice = AcceleratorChoice(accelerator: .tcg, remark: "kvm is there but\ndoes not work")
    memory.remember(choice, circumstances)
    #expect(memory.recall(circumstances)?.accelerator == .tcg)
    #expect(memory.recall(circumstances)?.remark == "kvm is there but does not work")
    var changed = circumstances
    changed.version = "10.0.0"
    #expect(memory.recall(changed) == nil)
    changed = circumstances
    changed.kernelRelease = "6.12.0"
    #expect(memory.recall(changed) == nil)
    memory.remember(AcceleratorChoice(accelerator: .kvm), circumstances)
    #expect(memory.recall(circumstances) == AcceleratorChoice(accelerator: .kvm))
  }

  @Test func onlyEmulationIsSlow() {
    #expect(Accelerator.kvm.timeScale == 1)
    #expect(Accelerator.hvf.timeScale == 1)
    #expect(Accelerator.tcg.timeScale > 1)
  }

  @Test func theKernelsWords() {
    for line in ["[    0.000000] Linux version 6.1.0", "[   12.5] x", "debian login: ", "systemd[1]: Started"] {
      #expect(AcceleratorProbe.isKernelsWord(line), "\(line)")
    }
    for line in ["SeaBIOS (version 1.16.2)", "Booting from Hard Disk...", "[Esc] to skip", "GRUB loading.", "[ OK ]"] {
      #expect(!AcceleratorProbe.isKernelsWord(line), "\(line)")
    }
  }
}
