import MusterCatalog
import MusterHost
import Testing

@testable import MusterQEMU

@Suite struct MonitorMessageTests {
  @Test func whatQEMUSays() {
    let greeting =
      #"{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian"}, "capabilities": ["oob"]}}"#
    #expect(MonitorMessage(line: (greeting + "\r").utf8) == .greeting(version: "7.2.22"))
    #expect(MonitorMessage(line: #"{"return": {}, "id": 1}"#.utf8) == .reply(id: 1, .success(.object([:]))))
    #expect(
      MonitorMessage(line: #"{"id": 2, "error": {"class": "CommandNotFound", "desc": "no"}}"#.utf8)
        == .reply(id: 2, .failure(MonitorError(message: "no"))))
    let event = #"{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "RESET", "data": {"guest": true}}"#
    #expect(
      MonitorMessage(line: event.utf8) == .event(MonitorEvent(name: "RESET", data: .object(["guest": .boolean(true)]))))
    #expect(MonitorMessage(line: "QEMU 7.2".utf8) == nil)
  }

  @Test func json() {
    #expect(
      JSONValue(#" {"a": [1, -2.5e3, "x\n\u00e9\ud83d\ude00\\\"", true, null, {}, []]} "#.utf8)?["a"]?.array?.count == 7
    )
    #expect(JSONValue(#""\u00e9\ud83d\ude00""#.utf8)?.string == "é😀")
    for broken in ["", "{", "[1,]", "{\"a\" 1}", "\"\\x\"", "\"open", "1 2", "nul", String(repeating: "[", count: 100)]
    {
      #expect(JSONValue(broken.utf8) == nil, "\(broken)")
    }
  }
}

@Suite struct MonitorTests {
  @Test func aRealQEMUAnswersAndEnds() async throws {
    let folder = try FileSystem.createTemporaryFolder("muster-monitor")
    defer { try? FileSystem.removeTree(folder) }
    let ended = Promise<String>()
    let monitor = try Monitor(path: "\(folder)/monitor") { event in
      if event.name == "SHUTDOWN" { ended.keep(event.data["reason"]?.string ?? "") }
    }
    let emulator = try await Installation.find(cpu: .x86_64)
    let process = try await RunningProcess.start(
      HostCommand(
        emulator.emulator,
        [
          "-nodefaults", "-display", "none", "-machine", "none", "-S", "-chardev", "pipe,id=monitor,path=monitor",
          "-mon",
          "chardev=monitor,mode=control",
        ], directory: folder), log: "\(folder)/log")
    #expect(await monitor.greeting.value() == emulator.version)
    try await monitor.execute("qmp_capabilities")
    #expect(try await monitor.execute("query-status")["status"]?.string == "prelaunch")
    // Many at once get each their own answer.
    try await withThrowingTaskGroup(of: JSONValue.self) { group in
      for number in 0..<20 {
        let name = number.isMultiple(of: 2) ? "query-name" : "query-version"
        group.addTask { try await monitor.execute(name) }
      }
      for try await _ in group {}
    }
    await #expect(throws: MonitorError.self) { try await monitor.execute("no-such-command") }
    try await monitor.execute("quit")
    #expect(await process.ending() == .exited(0))
    await monitor.drain()
    #expect(ended.current == "host-qmp-quit")
    monitor.close()
    await #expect(throws: MonitorError.self) { try await monitor.execute("query-status") }
  }
}
