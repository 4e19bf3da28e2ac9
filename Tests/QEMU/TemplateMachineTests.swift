import Foundation
import MusterCatalog
import MusterGuest
import MusterHost
import MusterImages
import MusterMachines
import MusterTestSupport
import Synchronization
import SystemPackage
import Testing

@testable import MusterQEMU

/// Real machines that resume from templates.
@Suite(.serialized) struct TemplateMachineTests {
  private let folder: TestFolder
  private let backend: QEMUBackend
  private let image: ReadyImage
  private let store: TemplateStore

  init() async throws {
    folder = try TestFolder()
    image = ReadyImage(
      disk: "\(folder.path)/disk.img", format: "raw", digest: "tiny", boot: .disk(firmware: .bios),
      initialization: .cloudInit)
    try await FileSystem.copy(TestCache.tinyDisk(), to: image.disk)
    backend = QEMUBackend(
      cache: folder.path, store: ImageStore(cache: folder.path), options: QEMUBackend.Options(accelerator: .tcg))
    store = TemplateStore(cache: folder.path)
  }

  private struct Launched {
    var request: LaunchRequest
    var machine: QEMUMachine
    /// What the launch told of itself.
    var told: [String]

    var isNewTemplate: Bool { told.contains("saving it as a template") }
  }

  private func launch(
    _ image: ReadyImage? = nil, memory: Int64 = 256 << 20, layers: [MachineLayer] = []
  ) async throws -> Launched {
    let name = MachineName(test: "templates", seconds: 1, processID: HostFacts.processID)
    let description = ImageDescription(
      name: "tiny", source: .file(path: "/tiny", checksum: nil), cpu: .x86_64, firmware: .bios,
      initialization: .cloudInit)
    let request = LaunchRequest(
      name: name, image: description, cpus: 1, memory: memory, disk: 128 << 20,
      logs: try folder.folder("logs-\(name)"), workspace: try folder.folder("workspace-\(name)"),
      deadline: .seconds(480), layers: layers)
    let told = Mutex<[String]>([])
    let machine = try await backend.launch(image ?? self.image, request) { activity in
      told.withLock { $0.append(activity) }
    }
    return Launched(request: request, machine: machine, told: told.withLock(\.self))
  }

  private func output(_ machine: QEMUMachine, _ script: String) async throws -> String {
    let said = Mutex<[UInt8]>([])
    let ending = try await machine.guest.run(GuestCommand(script), deadline: .seconds(120)) { _, bytes in
      said.withLock { $0 += bytes }
    }
    #expect(ending == .exited(0))
    return said.withLock { String(decoding: $0, as: UTF8.self) }
  }

  private func purge(_ launched: Launched) async throws {
    try await launched.machine.purge()
    #expect(!FileSystem.exists(launched.request.workspace))
  }

  private func template() throws -> Template {
    let key = try #require(try store.list().first).key
    let folder = "\(store.folder)/\(key)"
    return Template(
      folder: folder, seal: try #require(TemplateSeal(try FileSystem.readText("\(folder)/\(Template.sealName)"))))
  }

  /// What one machine does is never seen by another, and each has a time, random numbers and a life of its own.
  @Test func machinesAreOfTheirOwn() async throws {
    let first = try await launch()
    #expect(first.isNewTemplate)
    let numbers = "head -c 16 /dev/urandom | hexdump -v -e '1/1 \"%02x\"'; echo"
    let random = try await output(first.machine, "echo mine >/root/mine; sync; \(numbers)")
    let second = try await launch()
    #expect(!second.isNewTemplate)
    #expect(try await output(second.machine, "ls /root/mine 2>/dev/null || echo none") == "none\n")
    #expect(try await output(second.machine, numbers) != random)
    let before = Timestamp.now.milliseconds / 1000
    let time = try #require(Int64(try await output(second.machine, "date +%s").dropLast()))
    #expect((before - 1...Timestamp.now.milliseconds / 1000 + 1).contains(time))
    #expect(try await output(second.machine, "cat /sys/block/vda/size") == "\((128 << 20) / 512)\n")

    try await second.machine.reboot(deadline: .seconds(480))
    #expect(try await output(second.machine, "echo up") == "up\n")
    try await purge(first)
    try await purge(second)
    // Another shape is another template.
    let larger = try await launch(memory: 320 << 20)
    #expect(larger.isNewTemplate)
    try await purge(larger)
    #expect(try store.list().count == 2)
  }

  /// A byte in any of its files, with the times set back; a file that is gone; one that is half written.
  @Test func whatIsDamagedIsMadeAnew() async throws {
    try await purge(launch())
    let names = try template().seal.files.map(\.path) + [Template.sealName]
    #expect(names.count == 7)
    for name in names {
      let path = name.hasPrefix("/") ? name : "\(try template().folder)/\(name)"
      try await flipAByte(of: path)
      let launched = try await launch()
      #expect(launched.isNewTemplate, "\(name)")
      #expect(try await output(launched.machine, "echo up") == "up\n")
      try await purge(launched)
    }
    let (folder, memory) = (try template().folder, try template().memory)
    try FileSystem.remove(memory)
    let launched = try await launch()
    #expect(launched.isNewTemplate)
    try await purge(launched)
    try FileSystem.write("half", to: "\(folder)/\(Template.devicesName)")
    let another = try await launch()
    #expect(another.isNewTemplate)
    try await purge(another)
    // What was only touched is read again, and used.
    try await run("touch", [try template().memory])
    let touched = try await launch()
    #expect(!touched.isNewTemplate)
    #expect(touched.told.contains("reading a template again that was touched"))
    try await purge(touched)
  }

  private func flipAByte(of path: String) async throws {
    let script = """
      import os, sys
      path = sys.argv[1]
      before = os.stat(path)
      with open(path, "r+b") as file:
          place = before.st_size // 2
          file.seek(place)
          byte = file.read(1)[0]
          file.seek(place)
          file.write(bytes([byte ^ 1]))
      os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
      """
    try await run("python3", ["-c", script, path])
  }

  /// What is written to a template while a machine runs on it is told, and of nothing that this machine did is a layer made. One
  /// that was only touched, removed or replaced stays what it was for the machine.
  @Test func whatIsChangedUnderAMachineIsTold() async throws {
    try await purge(launch())
    let layers = [MachineLayer(content: "a", lifetime: .seconds(3600), isMade: true)]
    let launched = try await launch()
    let making = try await launch(layers: layers)
    #expect(making.machine.nextLayer == 1)
    #expect(await launched.machine.damage() == nil)
    let template = try template()
    try await run("touch", [template.disk])
    #expect(await launched.machine.damage() == nil)
    for path in [template.disk, template.memory] {
      try await flipAByte(of: path)
      let damage = try #require(await launched.machine.damage())
      #expect(damage.blame == .host && damage.message.contains("'\(path)' was changed"), "\(damage)")
      if path == template.memory { break }
      let refusal = await #expect(throws: Failure.self) { _ = try await making.machine.keepLayer { _ in } }
      #expect(refusal?.blame == .host, "\(String(describing: refusal))")
      try await flipAByte(of: path)
      #expect(await launched.machine.damage() == nil)
    }
    try store.prune(limit: 0)
    #expect(await launched.machine.damage() == nil)
    try await purge(making)
    try await purge(launched)
  }

  /// A file that was changed after it was read for the layer's key: what the machine has may be another, so it is not kept.
  @Test func whatWasBroughtMustBeTheSame() async throws {
    let source = "\(folder.path)/source"
    try FileSystem.write("one", to: source)
    for isChanged in [true, false] {
      let tree = try FileIdentity.tree(source)
      let layer = MachineLayer(
        content: "a", lifetime: .seconds(3600), isMade: true, sources: [.init(path: source, tree: tree)])
      let launched = try await launch(layers: [layer])
      if isChanged {
        try FileSystem.write("two", to: source)
        try FileSystem.write("one", to: source)
      }
      let machine = try #require(await launched.machine.keepLayer { _ in } as? QEMUMachine)
      #expect(machine.keptSteps == (isChanged ? 0 : 1))
      #expect(try await output(machine, "echo up") == "up\n")
      try await machine.purge()
      #expect(!FileSystem.exists(launched.request.workspace))
      #expect(try store.list().count == (isChanged ? 1 : 2))
    }
    #expect(store.remnants() == [])
  }

  /// A machine that dies, or restarts itself, while it is saved says so itself.
  @Test func whatBecomesOfAMachineThatIsSavedIsTold() async throws {
    let layers = [MachineLayer(content: "a", lifetime: .seconds(3600), isMade: true)]
    let ends: [(blame: Blame, message: String, (QEMUMachine) async throws -> Void)] = [
      (.host, "killed by signal 9", { kill($0.emulator.process.processID, SIGKILL) }),
      (
        .guest, "restarted itself",
        { machine in
          let restart = GuestCommand("echo b >/proc/sysrq-trigger; sleep 600")
          _ = try? await machine.guest.run(restart, deadline: .seconds(120)) { _, _ in }
        }
      ),
    ]
    for (blame, message, end) in ends {
      let launched = try await launch(layers: layers)
      try await end(launched.machine)
      let failure = await #expect(throws: Failure.self) { _ = try await launched.machine.keepLayer { _ in } }
      #expect(failure?.blame == blame && failure?.message.contains(message) == true, "\(String(describing: failure))")
      try await purge(launched)
    }
    #expect(try store.list().count == 1)
  }

  /// What a killed process left of one that it made is never taken for one.
  @Test func aHalfMadeOneIsNone() async throws {
    try await purge(launch())
    let template = try template()
    try FileSystem.move(template.folder, to: "\(template.folder).new")
    #expect(try store.list().isEmpty)
    let launched = try await launch()
    #expect(launched.isNewTemplate)
    try await purge(launched)
    #expect(!FileSystem.exists("\(template.folder).new"))
    try FileSystem.createFolder("\(template.folder).new")
    try store.prune()
    #expect(!FileSystem.exists("\(template.folder).new"))
    #expect(try store.list().count == 1)
    try store.prune(limit: 0)
    #expect(try store.list().isEmpty)
  }

  /// State that QEMU does not load, though nothing was written to its file since: it comes of another machine.
  @Test func oneThatDoesNotGoOnIsMadeAnew() async throws {
    try await purge(launch())
    let template = try template()
    try FileSystem.write("nonsense", to: template.devices)
    var seal = template.seal
    let index = try #require(seal.files.firstIndex { $0.path == Template.devicesName })
    seal.files[index].identity = try FileIdentity(of: template.devices)
    try FileSystem.write(seal.text, to: "\(template.folder)/\(Template.sealName)")
    let launched = try await launch()
    #expect(launched.isNewTemplate)
    #expect(try await output(launched.machine, "echo up") == "up\n")
    try await purge(launched)
  }

  /// A machine that cannot be saved is used as it is, and it is not tried again with the next.
  @Test func oneThatCannotBeSavedBoots() async throws {
    var image = try await TinyGuest.make().image("serve tiny-without-run", disk: "\(folder.path)/own.qcow2")
    image.initialization = .cloudInit
    for isFirst in [true, false] {
      let launched = try await launch(image)
      #expect(launched.isNewTemplate == isFirst)
      #expect(launched.machine.start == .booted)
      #expect(launched.told.contains { $0.contains("unable no /run") } == isFirst)
      #expect(try await output(launched.machine, "echo up") == "up\n")
      try await purge(launched)
    }
    #expect(try store.list().map(\.unfit) == ["its guest cannot be prepared: unable no /run"])
  }

  /// A distro's machine, for which a week passes while it is saved: it has the time, an id and a host key of its own, its
  /// journal, and its timers go on as if it had been switched off.
  @Test func whatBecameDueMeanwhileDoesNotStart() async throws {
    let backend = QEMUBackend(
      cache: folder.path, store: ImageStore(cache: "\(TestCache.folder)/images"),
      options: QEMUBackend.Options(accelerator: .tcg) { Timestamp.nanoseconds + 7 * 86_400 * 1_000_000_000 })
    let description = ImageDescription(
      name: "debootstrap bookworm", source: .debootstrap(Debootstrap(suite: "bookworm")), cpu: .x86_64, firmware: .bios,
      initialization: .builtIn)
    let request = LaunchRequest(
      name: MachineName(test: "timers", seconds: 1, processID: HostFacts.processID), image: description, cpus: 2,
      memory: 1 << 30, disk: 5 << 30, logs: try folder.folder("logs"), workspace: try folder.folder("workspace"),
      deadline: .seconds(600))
    let machine = try #require(try await backend.launch(request) { _ in } as? QEMUMachine)
    let timer = "dpkg-db-backup"
    let week = Timestamp.now.milliseconds / 1000 + 7 * 86_400
    let time = try #require(Int64(try await output(machine, "date +%s").dropLast()))
    #expect((week - 60...week + 60).contains(time))
    let started = "systemctl show -p ExecMainStartTimestampMonotonic --value \(timer).service"
    #expect(try await output(machine, started) == "0\n")
    #expect(try await output(machine, "systemctl is-active \(timer).timer") == "active\n")
    let next = "date -d \"$(systemctl show -p NextElapseUSecRealtime --value \(timer).timer)\" +%s"
    let due = try #require(Int64(try await output(machine, next).dropLast()))
    #expect((week...week + 2 * 86_400).contains(due))

    let key = try FileSystem.readText("\(request.workspace)/host_key.pub")
    #expect(try await output(machine, "cat /etc/ssh/ssh_host_ed25519_key.pub") == key)
    #expect(try await output(machine, "wc -c </etc/machine-id; ls -A /root") == "33\n.bashrc\n.profile\n.ssh\n")
    #expect(
      try await output(machine, "logger -t muster-test hello; journalctl --sync; journalctl -t muster-test -o cat")
        == "hello\n")
    #expect(try await output(machine, "journalctl -b | grep -c 'Linux version'") == "1\n")
    // By a new connection, to a server that has its own key.
    try await machine.guest.upload(
      "\(request.workspace)/host_key.pub", to: "/root/copy", mode: nil, owner: nil, deadline: .seconds(120))
    #expect(try await output(machine, "cat /root/copy") == key)
    try await machine.reboot(deadline: .seconds(480))
    #expect(try await output(machine, "systemctl is-active \(timer).timer") == "active\n")
    try await machine.purge()
  }

  @Test func aMachineThatIsKeptNeedsNoTemplate() async throws {
    let launched = try await launch()
    _ = try await output(launched.machine, "echo kept | dd of=/dev/vda seek=150000 2>/dev/null; sync")
    let kept = try await launched.machine.keep()
    #expect(try FileSystem.names(in: kept).sorted() == ["disk.qcow2", "seed"])
    try store.prune(limit: 0)
    try await run("qemu-img", ["check", "-q", "\(kept)/disk.qcow2"])
    let read = "qemu-io -r -c 'read -v 76800000 5' '\(kept)/disk.qcow2' | grep kept"
    try await run("sh", ["-c", read])
    try await launched.machine.purge()
  }
}
