import Foundation
import MusterCatalog
import MusterHost
import MusterMatrix
import Testing

@testable import MusterChannels

/// The scripts of checks, run by this host's own `sh` on this host's own files, users and processes.
@Suite struct CheckRunTests {
  /// What a check's script came to, without a machine around it.
  private func answers(
    _ check: CheckStep, family: Family = .debian, environment: [String: String] = [:]
  ) async throws -> (status: Int32, answers: CheckAnswers, facts: [Fact]) {
    let script = check.script(for: family)
    let command = HostCommand(
      "/bin/sh", ["-e", "-c", script.script],
      environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"].merging(environment) { $1 }.mapValues { .some($0) })
    let output = try await command.run()
    guard case .exited(let status) = output.ending else { throw CancellationError() }
    return (status, CheckAnswers(output.text), script.facts)
  }

  /// The first fact that does not hold, as `name=actual`; `nil` when all hold.
  private func mismatch(
    _ check: CheckStep, family: Family = .debian, environment: [String: String] = [:]
  ) async throws -> String? {
    let (status, answers, facts) = try await answers(check, family: family, environment: environment)
    #expect(status == 0)
    for fact in facts {
      let actual = try #require(answers[fact], "nothing said of \(fact.name)")
      if !fact.holds(actual, reveal: { $0.revealed { environment[$0] ?? "" } }) { return "\(fact.name)=\(actual)" }
    }
    return nil
  }

  private func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "muster-check-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await body(folder)
  }

  @Test func commands() async throws {
    #expect(try await mismatch(.command(name: "sh")) == nil)
    #expect(try await mismatch(.command(name: "no such 'command'")) == "command=not on PATH")
  }

  @Test func files() async throws {
    try await withFolder { folder in
      let file = "\(folder)/it's a file"
      try "one\ntwo 'three'\nfour\n".write(toFile: file, atomically: false, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file)
      let link = "\(folder)/link"
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)
      let dangling = "\(folder)/dangling"
      try FileManager.default.createSymbolicLink(atPath: dangling, withDestinationPath: "\(folder)/nothing")
      func check(
        _ path: String, _ kind: FileCheck.Kind? = nil, mode: UInt16? = nil, owner: String? = nil,
        contains: MaskedText? = nil, sha256: String? = nil, _ environment: [String: String] = [:]
      ) async throws -> String? {
        try await mismatch(
          .file(FileCheck(path: path, kind: kind, mode: mode, owner: owner, contains: contains, sha256: sha256)),
          environment: environment)
      }
      #expect(try await check(file) == nil)
      #expect(try await check(file, .file, mode: 0o640) == nil)
      #expect(try await check(file, mode: 0o4755) == "mode=0640")
      #expect(try await check(file, .directory) == "type=file")
      #expect(try await check(folder, .directory) == nil)
      #expect(try await check(folder, .link) == "type=directory")
      #expect(try await check(link, .link) == nil)
      #expect(try await check(link, .file, mode: 0o640) == nil)
      #expect(try await check(dangling) == "file=is a dangling link")
      #expect(try await check(dangling, .absent) == "file=is a dangling link")
      #expect(try await check(dangling, .link) == nil)
      #expect(try await check("\(folder)/nothing") == "file=does not exist")
      #expect(try await check("\(folder)/nothing", .absent) == nil)
      #expect(try await check(file, .absent) == "file=exists")
      #expect(try await check(file, owner: "nobody-at-all") != nil)
      #expect(try await check(file, contains: "two 'three'") == nil)
      #expect(try await check(file, contains: "t.o") == "content=the text does not occur")
      #expect(try await check(file, contains: "one\ntwo") == nil)
      #expect(try await check(file, contains: "two\none") == "content=the text does not occur")
      let secret = MaskedText(segments: [.text("tw"), .secret("TOKEN"), .text("'three'")])
      #expect(try await check(file, contains: secret, ["TOKEN": "o "]) == nil)
      #expect(try await check(file, contains: secret, ["TOKEN": "*"]) == "content=the text does not occur")
      let sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
      #expect(try await check("/dev/null", sha256: sum) == nil)
      #expect(try await check(file, sha256: sum)?.hasPrefix("sha256=") == true)
    }
  }

  @Test func users() async throws {
    #expect(try await mismatch(.user(UserCheck(name: "root", home: "/root", groups: ["root"]))) == nil)
    #expect(try await mismatch(.user(UserCheck(name: "root", home: "/home"))) == "home=/root")
    #expect(try await mismatch(.user(UserCheck(name: "root", shell: "/bin/none")))?.hasPrefix("shell=/") == true)
    #expect(try await mismatch(.user(UserCheck(name: "root", groups: ["it's none"]))) == "group it's none=not a member")
    #expect(try await mismatch(.user(UserCheck(name: "no-such-user"))) == "user=does not exist")
    #expect(try await mismatch(.user(UserCheck(name: "no-such-user", exists: false))) == nil)
    #expect(try await mismatch(.user(UserCheck(name: "root", exists: false))) == "user=exists")
  }

  #if os(Linux)
    @Test(arguments: ["", "-with-a-very-long-name"])
    func processes(ending: String) async throws {
      // No other process of this host may have the name.
      let name = "m\(String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16))\(ending)"
      try await withFolder { folder in
        let program = "\(folder)/\(name)"
        try FileManager.default.copyItem(atPath: "/bin/sleep", toPath: program)
        #expect(try await mismatch(.process(name: name, running: true)) == "process=not running")
        let process = try await RunningProcess.start(HostCommand(program, ["1000"]), log: "\(folder)/log")
        #expect(try await mismatch(.process(name: name, running: true)) == nil)
        #expect(try await mismatch(.process(name: name, running: false)) == "process=running")
        #expect(try await mismatch(.process(name: "\(name)-too", running: true)) == "process=not running")
        await process.terminate()
        #expect(try await mismatch(.process(name: name, running: false)) == nil)
      }
    }

    @Test(arguments: [CheckStep.Transport.tcp, .udp])
    func ports(transport: CheckStep.Transport) async throws {
      let kind = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
      let descriptor = socket(AF_INET, Int32(kind.rawValue), 0)
      defer { close(descriptor) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      let size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let isBound = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, size) }
      }
      #expect(isBound == 0)
      var length = size
      unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          _ = unsafe getsockname(descriptor, $0, &length)
        }
      }
      let port = Int(UInt16(bigEndian: address.sin_port))
      if transport == .tcp {
        #expect(try await mismatch(.port(number: port, transport: .tcp, open: true)) == "port=closed")
        #expect(listen(descriptor, 1) == 0)
      }
      #expect(try await mismatch(.port(number: port, transport: transport, open: true)) == nil)
      #expect(try await mismatch(.port(number: port, transport: transport, open: false)) == "port=open")
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/dpkg-query")))
    func debianPackages() async throws {
      #expect(try await mismatch(.package(name: "dpkg", version: nil)) == nil)
      #expect(try await mismatch(.package(name: "no-such-package", version: nil)) == "package=not installed")
      #expect(try await mismatch(.package(name: "dpkg", version: "0.1"))?.hasPrefix("version=1.") == true)
    }

    @Test func whatCannotBeToldIsNoAnswer() async throws {
      let (status, _, _) = try await answers(
        .package(name: "x", version: nil), family: .arch, environment: ["PATH": "/nowhere"])
      #expect(status == Int32(CheckAnswers.cannotTell))
    }
  #endif
}
