import MusterCatalog
import MusterGuest
import MusterHost
import MusterImages
import MusterMachines
import MusterTestSupport
import Synchronization
import Testing

@testable import MusterQEMU

/// The lanes of a real machine.
@Suite(.serialized) struct LaneMachineTests {
  /// Runs `body` with the tiny guest, and purges it.
  private func withMachine(_ body: (QEMUMachine, SSHGuest) async throws -> Void) async throws {
    let folder = try TestFolder()
    let tiny = try await TinyGuest.make()
    let backend = QEMUBackend(
      cache: "\(folder.path)/cache", store: ImageStore(cache: "\(folder.path)/images"),
      options: QEMUBackend.Options(accelerator: .tcg))
    var image = try await tiny.image("serve", disk: "\(folder.path)/image.qcow2")
    // Its keys come by the seed.
    image.initialization = .cloudInit
    let description = ImageDescription(
      name: "tiny", source: .file(path: "/tiny", checksum: nil), cpu: .x86_64, firmware: .bios,
      initialization: .cloudInit)
    let request = LaunchRequest(
      name: MachineName(test: "lane-machine-tests", seconds: 1, processID: HostFacts.processID), image: description,
      cpus: 1, memory: 256 << 20, disk: 128 << 20, logs: try folder.folder("logs"),
      workspace: try folder.folder("workspace"), deadline: .seconds(240), isCold: true)
    let machine = try await backend.launch(image, request)
    let result: Result<Void, any Error>
    do {
      result = .success(try await body(machine, try #require(machine.guest as? SSHGuest)))
    } catch {
      result = .failure(error)
    }
    try await machine.purge()
    #expect(!FileSystem.exists(request.workspace))
    try result.get()
  }

  private func run(_ guest: SSHGuest, _ script: String) async throws -> (ending: GuestEnding, text: String) {
    let kept = Mutex<[UInt8]>([])
    let ending = try await guest.run(GuestCommand(script), deadline: .seconds(120)) { stream, bytes in
      if stream == .stdout { kept.withLock { $0 += bytes } }
    }
    return (ending, kept.withLock { String(decoding: $0, as: UTF8.self) })
  }

  private static let tellWay = "printf %s \"$MUSTER_STEP\""

  @Test func scriptsGoByThem() async throws {
    try await withMachine { machine, guest in
      #expect(try await !run(guest, Self.tellWay).text.hasPrefix("lane"))
      try #require(await guest.armLanes())
      // The connection that they were started by is of no matter to them.
      for process in try sshProcesses(of: machine) { _ = try await HostCommand("kill", ["-KILL", process]).run() }
      for number in 1...4 { #expect(try await run(guest, Self.tellWay).text == "lane-0\(number)") }
      #expect(try await run(guest, "exit 7").ending == .exited(7))
      #expect(try await run(guest, "kill -9 $$").ending == .signaled(9))
      // What they write to may be opened by its name.
      let named = "echo a >/proc/self/fd/1; echo b | tee /proc/self/fd/1; timeout 60 cat <&1"
      #expect(try await run(guest, "\(named); true").text == "a\nb\nb\n")
      #expect(try await run(guest, "kill 0; sleep 600").ending == .signaled(15))
      let long = "# \(String(repeating: "x", count: 200_000))\nwc -c <\"$0\""
      #expect(try await run(guest, long).text == "\(long.utf8.count)\n")
      // Who reads slowly has everything, though the shell has closed its port long before.
      let size = Mutex(0)
      let much = GuestCommand("head -c 3000000 /dev/zero; exit 3")
      let ending = try await guest.run(much, deadline: .seconds(120)) { _, bytes in
        try await Task.sleep(for: .milliseconds(5))
        size.withLock { $0 += bytes.count }
      }
      #expect(ending == .exited(3))
      #expect(size.withLock { $0 } == 3_000_000)
    }
  }

  @Test func aKilledShellIsToldAtOnce() async throws {
    try await withMachine { _, guest in
      try #require(await guest.armLanes())
      let error = await #expect(throws: GuestError.self) { _ = try await run(guest, "kill -9 -1") }
      #expect(error?.code == .unreachable)
      #expect(error?.message.contains("the shell that ran the script is gone") == true)
    }
  }

  @Test func thereAreNoneAfterARestart() async throws {
    try await withMachine { machine, guest in
      try #require(await guest.armLanes())
      #expect(try await run(guest, Self.tellWay).text == "lane-01")
      try await machine.reboot(deadline: .seconds(240))
      #expect(try await !run(guest, Self.tellWay).text.hasPrefix("lane"))
      #expect(try await !guest.armLanes())
    }
  }

  /// The processes of this host that hold connections into the machine.
  private func sshProcesses(of machine: QEMUMachine) throws -> [String] {
    try FileSystem.names(in: "/proc").filter { name in
      guard Int(name) != nil, let line = try? FileSystem.readText("/proc/\(name)/cmdline") else { return false }
      return line.hasPrefix("ssh") && line.contains("\0-p\0\(machine.emulator.port)\0")
    }
  }
}
