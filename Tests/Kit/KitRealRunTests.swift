import Foundation
import MusterHost
import MusterTestManagers
import MusterTestSupport
import Synchronization
import Testing

@testable import MusterKit

/// Machines from Swift, real ones: used, and gone when they are not used any more, however that comes about.
@Suite(.serialized) struct KitRealRunTests {
  /// Two at once, used in all ways.
  @Test func used() async throws {
    let ground = try await Ground()
    async let one = Self.use(1, ground)
    async let two = Self.use(2, ground)
    let made = try await [one, two]
    #expect(Set(made).count == 2 && made.allSatisfy { $0.hasPrefix("muster-used-") })
    for name in made { #expect(try ground.left(of: name) == []) }
    #expect(try FileSystem.names(in: "\(ground.state)/machines") == [])
  }

  private static func use(_ number: Int, _ ground: Ground) async throws -> String {
    try await withMachine(ground.image, prefix: "used", options: ground.options) { machine in
      let result = try await machine.run("echo out; echo err >&2; exit 3", checked: false)
      #expect(result.ending == .exited(3))
      #expect((result.standardOutput, result.standardError) == ("out", "err"))
      await #expect(throws: CommandFailed.self) { try await machine.run("false") }
      #expect(try await machine.run("sleep 60", timeout: .seconds(1), checked: false).ending == .timedOut)

      try FileSystem.write("number \(number)\n", to: "\(ground.state)/file-\(number)")
      try await machine.copy("\(ground.state)/file-\(number)", to: "/root/file", mode: 0o600)
      #expect(try await machine.run("cat /root/file").standardOutput == "number \(number)")
      let fetched = try await machine.fetch("/root/fi*", into: "\(ground.state)/fetched-\(number)")
      #expect(fetched == ["file"])
      #expect(try FileSystem.readText("\(ground.state)/fetched-\(number)/file") == "number \(number)\n")
      return machine.name
    }
  }

  struct Wrong: Error {}

  /// What the body throws is thrown, once the machine is gone; its logs are kept.
  @Test func thrown() async throws {
    let ground = try await Ground()
    let name = Mutex("")
    await #expect(throws: Wrong.self) {
      try await withMachine(ground.image, options: ground.options) { machine in
        name.withLock { $0 = machine.name }
        throw Wrong()
      }
    }
    #expect(try ground.left(of: name.withLock { $0 }) == [])
    let logs = try #require(FileSystem.names(in: "\(ground.state)/machines").first)
    #expect(FileSystem.isFile("\(ground.state)/machines/\(logs)/console.log"))
  }

  /// Cancelled while a command runs in it.
  @Test func cancelled() async throws {
    let ground = try await Ground()
    let (started, start) = AsyncStream.makeStream(of: String.self)
    let task = Task {
      try await withMachine(ground.image, options: ground.options) { machine in
        start.yield(machine.name)
        try await machine.run("sleep 600")
      }
    }
    let name = try #require(await started.first { _ in true })
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try ground.left(of: name) == [])
  }

  /// The process is killed, and its guardian purges.
  @Test func killed() async throws {
    let ground = try await Ground()
    let machine = try await Self.killed(ground, image: ground.imagePath)
    #expect(try ground.left(of: machine) == [])
  }

  /// A container of LXD, which is no process of this one's: its server is asked.
  @Test(.enabled(Comment(rawValue: LXDServer.reason), LXDServer.works)) func killedOnLXD() async throws {
    let server = try await LXDServer.shared()
    let ground = try await Ground()
    let machine = try await Self.killed(ground, image: "lxd", environment: server.environment) {
      try await server.names().contains($0)
    }
    #expect(try ground.left(of: machine) == [])
    #expect(try await server.names() == [])
  }

  /// Kills a program that has a machine.
  /// - Returns: The machine's name, once nothing of it is left, or after a minute.
  private static func killed(
    _ ground: Ground, image: String, environment: [String: String?] = [:],
    isThere: (String) async throws -> Bool = { _ in true }
  ) async throws -> String {
    let options = ground.options
    let log = "\(ground.state)/log"
    let program = try await RunningProcess.start(
      HostCommand(
        Ground.product("kit-program"), [image, options.muster ?? "", options.cache ?? "", options.state ?? ""],
        environment: environment), log: log)
    var name: Substring?
    while name == nil {
      try #require(program.ended == nil, "\((try? FileSystem.readText(log)) ?? "")")
      name = try? FileSystem.readText(log).split(separator: "\n").first { $0.hasPrefix("ready ") }?.dropFirst(6)
      try await Task.sleep(for: .milliseconds(10))
    }
    let machine = String(try #require(name))
    #expect(try !ground.left(of: machine).isEmpty)
    #expect(try await isThere(machine))
    kill(program.processID, SIGKILL)
    _ = await program.ending()
    let watch = Stopwatch()
    while try !ground.left(of: machine).isEmpty, watch.elapsed < .seconds(60) {
      try await Task.sleep(for: .milliseconds(10))
    }
    return machine
  }
}
