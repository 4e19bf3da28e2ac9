import MusterCatalog
import MusterGuest
import MusterHost
import MusterImages
import MusterMachines
import MusterTestSupport
import Synchronization
import Testing

@testable import MusterQEMU

/// Launches real machines, one test after the other.
@Suite(.serialized) struct MachineTests {
  private let folder: TestFolder
  private let backend: QEMUBackend
  private let tiny: TinyGuest

  init() async throws {
    folder = try TestFolder()
    tiny = try await TinyGuest.make()
    backend = QEMUBackend(
      cache: "\(folder.path)/cache", store: ImageStore(cache: "\(folder.path)/images"),
      options: QEMUBackend.Options(accelerator: .tcg))
  }

  private func request(deadline: Duration = .seconds(120), memory: Int64 = 256 << 20) throws -> LaunchRequest {
    let description = ImageDescription(
      name: "tiny", source: .file(path: "/tiny", checksum: nil), cpu: .x86_64, firmware: .bios, initialization: .builtIn
    )
    let name = MachineName(test: "machine-tests", seconds: 1, processID: HostFacts.processID)
    return LaunchRequest(
      name: name, image: description, cpus: 1, memory: memory, disk: 128 << 20, logs: try folder.folder("logs"),
      workspace: try folder.folder("workspace"), deadline: deadline, isCold: true)
  }

  /// Launches a machine that cannot become ready, and returns why; nothing may be left of it.
  private func failure(of action: String, deadline: Duration = .seconds(120)) async throws -> Failure {
    try await failure(of: tiny.image(action, disk: "\(folder.path)/image.qcow2"), deadline: deadline)
  }

  private func failure(of image: ReadyImage, deadline: Duration = .seconds(120)) async throws -> Failure {
    let request = try request(deadline: deadline)
    let failure = await #expect(throws: Failure.self) { try await backend.launch(image, request) }
    try expectNothingLeft(of: request)
    return try #require(failure)
  }

  private func expectNothingLeft(of request: LaunchRequest) throws {
    #expect(try processes(naming: request.name.text) == [])
    #expect(try FileSystem.information(request.workspace) == nil)
  }

  /// The processes of this host with a text in their command line.
  private func processes(naming text: String) throws -> [String] {
    try FileSystem.names(in: "/proc").filter { name in
      guard Int(name) != nil, let line = try? FileSystem.readText("/proc/\(name)/cmdline") else { return false }
      return line.contains(text)
    }
  }

  @Test func aPanicIsToldWithItsLines() async throws {
    let failure = try await failure(of: "panic")
    #expect(failure.blame == .guest)
    #expect(failure.message == "the guest's kernel panicked: sysrq triggered crash")
    #expect(failure.evidence.contains { $0.contains("Kernel panic - not syncing: sysrq triggered crash") })
    #expect(failure.evidence.contains { $0.contains("tiny: up") })
    #expect(try FileSystem.readText("\(folder.path)/logs/console.log").contains("Kernel panic"))
  }

  @Test func aPowerOffIsTold() async throws {
    let failure = try await failure(of: "off")
    #expect(failure.message == "the guest powered itself off")
    #expect(failure.blame == .guest)
    #expect(failure.evidence.contains { $0.contains("tiny: up") })
  }

  @Test func anEmergencyShellIsTold() async throws {
    let failure = try await failure(of: "emergency")
    #expect(failure.blame == .image)
    #expect(failure.evidence.last?.contains("You are in emergency mode") == true)
  }

  @Test func aDeadlineTellsHowFarItCame() async throws {
    let failure = try await failure(of: "flood", deadline: .seconds(10))
    #expect(failure.message.hasPrefix("the machine did not become ready within"))
    #expect(failure.evidence.contains("a line that never ends"))
  }

  @Test func anImageWithoutAnythingToBoot() async throws {
    var image = try await tiny.image("none", disk: "\(folder.path)/image.qcow2")
    image.boot = .disk(firmware: .bios)
    let failure = try await failure(of: image)
    #expect(failure.blame == .image)
    #expect(failure.message == "the firmware finds nothing to boot on the image's disk")
  }

  @Test func aKernelThatMissesItsRootDisk() async throws {
    var image = try await tiny.image("none", disk: "\(folder.path)/image.qcow2")
    image.boot = .kernel(path: tiny.kernel, initrd: nil, arguments: "console=ttyS0 quiet root=/dev/vda9")
    let failure = try await failure(of: image)
    #expect(failure.blame == .image)
    #expect(failure.message == "the guest's kernel cannot mount its root disk")
  }

  @Test func theEndOfQEMUIsTold() async throws {
    let image = try await tiny.image("idle", disk: "\(folder.path)/image.qcow2")
    let request = try request()
    async let launch = backend.launch(image, request)
    let processID = try await processID(of: request)
    _ = try await HostCommand("kill", ["-KILL", "\(processID)"]).run()
    do {
      _ = try await launch
      Issue.record("the launch went on")
    } catch let failure as Failure {
      #expect(failure.message == "QEMU was killed by signal 9")
      #expect(failure.canPass)
    }
    try expectNothingLeft(of: request)
  }

  @Test func qemusOwnWordsAreEvidence() async throws {
    var image = try await tiny.image("idle", disk: "\(folder.path)/image.qcow2")
    image.boot = .kernel(path: "/no/such/kernel", initrd: nil, arguments: "")
    let failure = try await failure(of: image)
    #expect(failure.blame == .backend)
    #expect(failure.evidence.contains { $0.contains("/no/such/kernel") })
    #expect(try FileSystem.readText("\(folder.path)/logs/qemu.log").contains("/no/such/kernel"))
  }

  @Test func anImageThatIsNone() async throws {
    var image = try await tiny.image("idle", disk: "\(folder.path)/image.qcow2")
    try FileSystem.write("nonsense", to: "\(folder.path)/image.qcow2")
    image.disk = "\(folder.path)/image.qcow2"
    let failure = try await failure(of: image)
    #expect(failure.blame == .image)
  }

  /// Cancelled at many moments, from before there is a process to while the guest boots.
  @Test func aCancelledLaunchLeavesNothing() async throws {
    let image = try await tiny.image("idle", disk: "\(folder.path)/image.qcow2")
    var generator = SeededGenerator(state: 20_261_121)
    for _ in 0..<12 {
      let request = try request()
      let launch = Task { try await backend.launch(image, request) }
      try await Task.sleep(for: .milliseconds(Int.random(in: 0...250, using: &generator)))
      launch.cancel()
      await #expect(throws: CancellationError.self) { _ = try await launch.value }
      try expectNothingLeft(of: request)
    }
  }

  @Test func anAcceleratorIsFoundByTrying() async throws {
    let installation = try await Installation.find(cpu: .x86_64)
    var probe = AcceleratorProbe(installation: installation, cpu: .x86_64, accelerator: .tcg)
    probe.deadline = .seconds(120)
    #expect(try await probe.trial(kernel: tiny.kernel) == .works)
    let disk = "\(folder.path)/image.qcow2"
    _ = try await tiny.image("idle", disk: disk)
    let boot = ReadyImage.Boot.kernel(path: tiny.kernel, initrd: tiny.initrd, arguments: "console=ttyS0")
    let answer = try await probe.trial(
      disk: EmulatorCommand.Disk(path: disk, format: "qcow2"), boot: boot, firmware: nil)
    #expect(answer == .works)
    // SeaBIOS speaks, and no kernel does.
    probe.deadline = .seconds(2)
    let silent = try await probe.trial(
      disk: EmulatorCommand.Disk(path: disk, format: "qcow2"), boot: .disk(firmware: .bios), firmware: nil)
    #expect(silent == .silent)
    guard case .fails(let reason) = try await probe.trial(kernel: "/no/such/kernel") else {
      Issue.record("a kernel that does not exist works")
      return
    }
    #expect(reason.contains("QEMU ended with"))
  }

  /// Whatever this host offers: the answer is the same the next time, and is told.
  @Test func theAnswerIsRemembered() async throws {
    let store = ImageStore(cache: "\(folder.path)/images")
    let image = try await tiny.image("idle", disk: "\(folder.path)/image.qcow2")
    let installation = try await Installation.find(cpu: .host)
    let cache = "\(folder.path)/cache"
    let choice = try await AcceleratorFinder(cache: cache).choice(installation, for: image, cpu: .host)
    #expect(choice.accelerator == .tcg ? choice.remark != nil : choice.remark == nil)
    #expect(AcceleratorFinder(cache: cache).known(installation, cpu: .host) == choice)
    let status = await QEMUBackend(cache: cache, store: store).status()
    #expect(status.problem == nil)
    #expect(status.accelerator == choice.accelerator.rawValue)
    #expect(status.timeScale == choice.accelerator.timeScale)
    #expect(choice.remark.map(status.remarks.contains) ?? true)
  }

  /// Fresh from its image by firmware and boot loader, prepared by cloud-init from the seed.
  @Test func anImageOfADistro() async throws {
    let image = try await CloudGuest.make()
    var request = try request(deadline: .seconds(600), memory: 1 << 30)
    request.cpus = 2
    request.disk = 5 << 30
    let machine = try await evidently { try await backend.launch(image, request) }
    #expect(
      try await output(machine, "id -un; su muster -c 'id -un'; cloud-init status") == "root\nmuster\nstatus: done\n")
    #expect(try await output(machine, "cat /sys/block/vda/size") == "\((5 << 30) / 512)\n")
    try await machine.purge()
    try expectNothingLeft(of: request)
    let death = await machine.death()
    #expect(death?.message == nil)
    try await machine.purge()
  }

  /// From packages, with a kernel that QEMU starts itself: the whole life of a machine.
  @Test func theLifeOfAMachine() async throws {
    let (backend, request) = try debian()
    try await backend.prepare(request.image) { _ in }
    let machine = try await evidently { try await backend.launch(request) { _ in } }
    #expect(try await output(machine, "id -un; sudo -nu muster id -un; uname -s") == "root\nmuster\nLinux\n")
    #expect(try await output(machine, "cat /sys/block/vda/size") == "\(request.disk / 512)\n")
    #expect(try await output(machine, "nproc") == "2\n")

    let boot = try await output(machine, "cat /proc/sys/kernel/random/boot_id; echo kept > /root/file; sync")
    try await machine.reboot(deadline: .seconds(240))
    #expect(try await output(machine, "cat /root/file") == "kept\n")
    #expect(try await output(machine, "cat /proc/sys/kernel/random/boot_id") != boot)

    // What a step prints is not the machine's end, and what the kernel says is.
    _ = try await output(machine, "echo 'You are in emergency mode' > /dev/console")
    async let death = machine.death()
    let crash = GuestCommand("echo 1 > /proc/sys/kernel/sysrq; (sleep 0.5; echo c > /proc/sysrq-trigger) &")
    _ = try? await machine.guest.run(crash, deadline: .seconds(60)) { _, _ in }
    let failure = try #require(await death)
    #expect(failure.message == "the guest's kernel panicked: sysrq triggered crash")
    try await machine.purge()
    try expectNothingLeft(of: request)
  }

  /// The last moment that is worth a cancellation: the machine runs, and a connection is being made.
  @Test func aLaunchThatIsCancelledAtTheLogin() async throws {
    let (backend, request) = try debian()
    let reached = Promise<Void>()
    let launch = Task {
      try await backend.launch(request) { activity in if activity == "logging in" { reached.keep(()) } }
    }
    _ = await reached.value()
    launch.cancel()
    await #expect(throws: CancellationError.self) { _ = try await launch.value }
    try expectNothingLeft(of: request)
  }

  @Test func aMachineIsKept() async throws {
    let (backend, request) = try debian()
    let machine = try await evidently { try await backend.launch(request) { _ in } }
    _ = try await output(machine, "echo kept > /root/file")
    let kept = try await machine.keep()
    #expect(try processes(naming: request.name.text) == [])
    #expect(kept == request.workspace)
    #expect(try FileSystem.names(in: kept) == ["disk.qcow2"])
    try await run("qemu-img", ["check", "-q", "\(kept)/disk.qcow2"])
    try await machine.purge()
    try expectNothingLeft(of: request)
  }

  /// What a failed launch has to say is the test's message.
  private func evidently<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
    do {
      return try await body()
    } catch let failure as Failure {
      Issue.record("\(failure.blame): \(failure)\n\(failure.evidence.joined(separator: "\n"))")
      throw failure
    }
  }

  private func debian() throws -> (QEMUBackend, LaunchRequest) {
    var request = try request(deadline: .seconds(600), memory: 1 << 30)
    request.image = ImageDescription(
      name: "debootstrap bookworm", source: .debootstrap(Debootstrap(suite: "bookworm")), cpu: .x86_64, firmware: .bios,
      initialization: .builtIn)
    request.cpus = 2
    request.disk = 5 << 30
    let backend = QEMUBackend(
      cache: "\(folder.path)/cache", store: ImageStore(cache: "\(TestCache.folder)/images"),
      options: QEMUBackend.Options(accelerator: .tcg))
    return (backend, request)
  }

  private func output(_ machine: any Machine, _ script: String) async throws -> String {
    let output = Mutex<[UInt8]>([])
    let ending = try await machine.guest.run(GuestCommand(script), deadline: .seconds(120)) { _, bytes in
      output.withLock { $0 += bytes }
    }
    #expect(ending == .exited(0))
    return output.withLock { String(decoding: $0, as: UTF8.self) }
  }

  private func processID(of request: LaunchRequest) async throws -> Int {
    while true {
      // The pipe tells that the process was started by the backend, and that it is QEMU by now.
      if let id = try processes(naming: "-name\0\(request.name.text)").compactMap({ Int($0) }).first { return id }
      try await Task.sleep(for: .milliseconds(10))
    }
  }
}

/// The same numbers every time (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
