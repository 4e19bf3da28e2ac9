import Glibc
import MusterHost
import MusterTestSupport
import Synchronization
import SystemPackage
import Testing

@testable import MusterGuest

/// Lanes of this host: the agent's own shells, with named pipes in place of a device's ports.
@Suite(.timeLimit(.minutes(5))) struct LaneTests {
  /// Runs `body` with a guest whose lanes wait and whose ssh server is gone, and ends all.
  private func withLanes(
    _ count: Int = 4, tools: SSHServer.Tools = .host, keepingServer: Bool = false,
    _ body: (SSHServer, SSHGuest, Lanes) async throws -> Void
  ) async throws {
    try await SSHServer.with(tools: tools) { server, _ in
      let prefix = ShellText.randomName().prefix(12)
      let names = Lanes.names(count).map { "\(prefix)-\($0)" }
      let lanes = try Lanes(names, in: server.folder.path)
      let guest = server.guest("lanes", lanes: lanes)
      let agent = LaneAgent(
        lanes: names, ports: .pipes(in: server.folder.path),
        shell: tools == .host ? "sh" : server.folder / "tools/sh")
      #expect(try await guest.arm(lanes, by: agent, deadline: .seconds(60)))
      if !keepingServer {
        for session in try server.sessions() { kill(session, SIGKILL) }
        await server.process.terminate()
      }
      let result: Result<Void, any Error>
      do {
        result = .success(try await body(server, guest, lanes))
      } catch {
        result = .failure(error)
      }
      await guest.close()
      // Where nobody is left to write, the shells that waited go.
      lanes.close()
      let shells = { try processes { $0.contains { $0.hasPrefix("\(prefix)-lane") } } }
      while try !shells().isEmpty { try await Task.sleep(for: .milliseconds(5)) }
      for folder in ["/run", "/tmp"] {
        #expect(try FileSystem.names(in: folder).filter { $0.contains(prefix) } == [])
      }
      try result.get()
    }
  }

  @Test(arguments: SSHServer.Tools.allCases)
  func keepsStreamsAndStatusApart(tools: SSHServer.Tools) async throws {
    try await withLanes(13, tools: tools) { _, guest, _ in
      let result = try await guest.result("printf out; printf err >&2; exit 7")
      #expect(result.ending == .exited(7))
      #expect(result.text == "out")
      #expect(result.errorText == "err")
      for status in [0, 1, 2, 127, 128, 137, 143, 255] {
        #expect(try await guest.result("exit \(status)").ending == .exited(status))
      }
      for signal in [SIGKILL, SIGTERM, SIGSEGV, SIGHUP] {
        let result = try await guest.result("echo x; kill -\(signal) $$; sleep 1")
        #expect(result.ending == .signaled(Int(signal)))
        #expect(result.text == "x\n")
        #expect(result.errorText == "")
      }
    }
  }

  /// A script may clear away what is not its own.
  @Test(arguments: SSHServer.Tools.allCases)
  func foldersOfScriptsMayBeRemoved(tools: SSHServer.Tools) async throws {
    try await withLanes(tools: tools, keepingServer: true) { server, guest, lanes in
      let control = server.guest("control")
      // Other tests have folders there too: its own alone, and those of lanes that wait.
      let names = lanes.names.map { "/run/muster-\($0) /tmp/muster-\($0)" }.joined(separator: " ")
      let removing = "rm -rf \"$(dirname \"$(dirname \"$0\")\")\" \(names); echo out; echo err >&2; exit 7"
      for other in [control, guest, guest] {
        let left = lanes.left
        let result = try await other.result(removing)
        #expect(result.ending == .exited(7))
        #expect(result.text == "out\n" && result.errorText == "err\n")
        #expect((lanes.left == left) == (other === control))
      }
      let long = "exit 3\n" + String(repeating: "#", count: 5000)
      #expect(try await guest.result(long).ending == .exited(3))
      await control.close()
    }
  }

  @Test(arguments: SSHServer.Tools.allCases)
  func everyByteArrives(tools: SSHServer.Tools) async throws {
    let odd = (1...127).map { String(UnicodeScalar($0)) }.joined() + "ä€𝄞'\"\\$(x)`y`!\n\n  end\n"
    try await withLanes(6, tools: tools) { server, guest, _ in
      let result = try await guest.result(
        "printf '%s' \"$ODD\"; printf '%s' '\(odd.replacing("'", with: "'\\''"))' >&2",
        environment: [.init(name: "ODD", value: odd), .init(name: "d", value: "1"), .init(name: "in", value: "2")])
      #expect(result.text == odd)
      #expect(result.errorText == odd)
      for size in [0, 4096, 4097, 70_000, 1_000_000] {
        let script = odd + String(repeating: "x", count: max(size - odd.utf8.count, 0))
        let echoed = try await guest.result(script, shell: ["sh", "-c", "cat \"$0\""])
        #expect(echoed.text == script)
      }
    }
  }

  @Test(arguments: SSHServer.Tools.allCases)
  func allBytesOfBothStreams(tools: SSHServer.Tools) async throws {
    try await withLanes(tools: tools) { server, guest, _ in
      let bytes = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
      try FileSystem.write(bytes, to: server.folder / "bytes")
      let script = "cat \(server.folder / "bytes") & cat \(server.folder / "bytes") >&2; wait"
      let result = try await guest.result(script)
      #expect(result.ending == .exited(0))
      #expect(result.stdout == bytes)
      #expect(result.stderr == bytes)
    }
  }

  /// Whatever a script can see of where it runs is the same by ssh and by a lane.
  @Test(arguments: SSHServer.Tools.allCases)
  func theCircumstancesAreThoseOfSSH(tools: SSHServer.Tools) async throws {
    let script = """
      env | grep -vE '^(MUSTER_STEP|OLDPWD|SHLVL|_)=' | sort
      pwd; umask; id; ulimit -a; echo $# "$-" "${0##*/}"
      grep -E '^Sig(Blk|Ign)' /proc/self/status
      for f in 0 1 2 3 4 5 6 7 8 9; do [ ! -e /proc/$$/fd/$f ] || echo "open $f"; done
      readlink /proc/$$/fd/0
      [ -p /dev/stdout ] && [ -p /dev/stderr ] && echo pipes
      for f in /dev/stdout /dev/stderr; do if [ -w $f ]; then echo $f >$f; else echo "no $f"; fi; done
      cat; dirname "$0" | sed 's/muster-.*/muster/'; ls -ld "$(dirname "$0")" | cut -c 1-10
      set -- $(cat /proc/$$/stat); [ "$5" = "$6" ] && echo led
      exit 9
      """
    // By ssh this BusyBox has no setpriv, but is given the host's su, which sets limits.
    let isRoot = HostFacts.isRoot && tools != .busybox
    let users = isRoot ? [nil, try await HostCommand("id", ["-un", "65534"]).run().text] : [nil]
    try await withLanes(tools: tools, keepingServer: true) { server, guest, lanes in
      for user in users {
        let mine = [GuestCommand.Variable(name: "MINE", value: "1")]
        let one = try await server.guest("control").result(script, user: user, directory: "/usr/lib", environment: mine)
        let left = lanes.left
        let other = try await guest.result(script, user: user, directory: "/usr/lib", environment: mine)
        #expect(lanes.left != left)
        #expect(other.text == one.text)
        #expect(other.errorText == one.errorText)
        #expect(other.ending == .exited(9))
      }
      #expect(try await guest.result("printf %s \"$PWD$HOME\"").text == "/root/root")
      await server.guest("control").close()
    }
  }

  /// A script may clean up by ending its whole process group.
  @Test(arguments: SSHServer.Tools.allCases)
  func aSignalToItsGroupEndsTheScriptAlone(tools: SSHServer.Tools) async throws {
    let scripts = ["echo hi; kill 0; sleep 600", "trap 'trap - EXIT TERM; kill 0' EXIT; sleep 600 & echo hi; exit 0"]
    try await withLanes(tools: tools, keepingServer: true) { server, guest, lanes in
      let ssh = server.guest("control")
      for script in scripts {
        for guest in [guest, ssh] {
          let result = try await guest.result(script)
          #expect(result.ending == .signaled(15))
          #expect(result.text == "hi\n")
        }
      }
      #expect(lanes.left == 2)
      await ssh.close()
    }
  }

  @Test(arguments: SSHServer.Tools.allCases)
  func filesGoByThemBothWays(tools: SSHServer.Tools) async throws {
    try await withLanes(8, tools: tools) { server, guest, lanes in
      let folder = server.folder
      // Every byte, and more than a pipe takes at once.
      let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      try FileSystem.write(bytes, to: folder / "a file", mode: 0o751)
      try FileSystem.write("", to: folder / "empty")
      try await guest.upload(folder / "a file", to: folder / "in/copy", mode: nil, owner: nil, deadline: .seconds(60))
      #expect(try FileSystem.read(folder / "in/copy") == bytes)
      #expect(try FileSystem.information(folder / "in/copy")?.permissions.rawValue == 0o751)
      try await guest.upload(folder / "empty", to: folder / "in/", mode: 0o600, owner: nil, deadline: .seconds(60))
      #expect(try FileSystem.read(folder / "in/empty") == [])
      // What is not read in the machine holds nothing up.
      await #expect(throws: GuestError.self) {
        try await guest.upload(folder / "a file", to: folder / "in", mode: nil, owner: nil, deadline: .seconds(60))
      }
      let fetched = try await guest.download(folder / "in/*", into: folder / "out", deadline: .seconds(60))
      #expect(fetched.sorted() == ["copy", "empty"])
      #expect(try FileSystem.read(folder / "out/copy") == bytes)
      #expect(lanes.left == 4)
    }
  }

  @Test func whatCannotBeHadIsTold() async throws {
    try await withLanes { _, guest, _ in
      await #expect(throws: GuestError(.circumstances, "the machine has no user 'muster-nobody'")) {
        _ = try await guest.result("true", user: "muster-nobody")
      }
      await #expect(throws: GuestError(.circumstances, "the machine has no 'muster-no-shell' to run the script with")) {
        _ = try await guest.result("x", shell: ["muster-no-shell", "-e"])
      }
      let error = await #expect(throws: GuestError.self) { _ = try await guest.result("true", directory: "/no/such") }
      #expect(error?.message.contains("'/no/such' does not exist") == true)
    }
  }

  @Test(arguments: SSHServer.Tools.allCases)
  func theDeadlineEndsAllThatWasStarted(tools: SSHServer.Tools) async throws {
    try await withLanes(10, tools: tools) { server, guest, _ in
      let script = """
        trap '' TERM
        echo begun
        sh -c 'trap "" TERM; echo $$ >\(server.folder / "child"); while :; do sleep 1; done' &
        setsid sh -c 'echo $$ >\(server.folder / "daemon"); while :; do sleep 1; done' >/dev/null 2>&1 </dev/null &
        while :; do sleep 1; done
        """
      // On a busy host a short deadline may come before the script has begun.
      for seconds in [1, 4, 16, 64] {
        let result = try await guest.result(script, deadline: .seconds(seconds))
        #expect(result.ending == .timedOut)
        guard let daemon = try? server.folder.processID("daemon") else { continue }
        #expect(result.text == "begun\n")
        #expect(try !isAlive(server.folder.processID("child")))
        #expect(!isAlive(daemon))
        break
      }
      #expect(try await guest.result("echo again").text == "again\n")
    }
  }

  @Test func aDeadlineThatIsOverAtOnceStartsNothing() async throws {
    try await withLanes { server, guest, _ in
      let script = "echo $$ >\(server.folder / "child"); sleep 600"
      let result = try await guest.result(script, deadline: .zero)
      #expect(result.ending == .timedOut)
      if let child = try? server.folder.processID("child") { #expect(!isAlive(child)) }
    }
  }

  @Test func cancellationEndsTheScript() async throws {
    try await withLanes { server, guest, _ in
      let begun = Promise<Void>()
      let script = "sleep 600 & echo $! >\(server.folder / "child"); echo begun; wait"
      let task = Task {
        try await guest.run(GuestCommand(script), deadline: nil) { _, _ in begun.keep(()) }
      }
      _ = await begun.value()
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      let child = try server.folder.processID("child")
      #expect(!isAlive(child))
    }
  }

  /// It keeps both streams and goes on writing to them, and what comes next hears nothing of it.
  @Test(arguments: SSHServer.Tools.allCases)
  func aDaemonIsNotWaitedForAndLivesOn(tools: SSHServer.Tools) async throws {
    try await withLanes(tools: tools) { server, guest, _ in
      let script = """
        sh -c 'echo $$ >\(server.folder / "daemon"); while :; do echo more; echo more >&2; sleep 0.05; done' &
        while [ ! -s \(server.folder / "daemon") ]; do sleep 0.01; done
        echo last
        exit 3
        """
      let result = try await guest.result(script, deadline: .seconds(60))
      #expect(result.ending == .exited(3))
      #expect(result.text.contains("last\n"))
      let daemon = try server.folder.processID("daemon")
      let check = try await guest.result("for i in 1 2 3 4 5; do sleep 0.1; kill -0 \(daemon); done; echo alive")
      #expect(check.text == "alive\n")
      #expect(check.errorText == "")
      #expect(kill(daemon, SIGKILL) == 0)
    }
  }

  @Test func manyAtOnceHaveALaneEach() async throws {
    try await withLanes(12) { _, guest, _ in
      try await withThrowingTaskGroup(of: String.self) { group in
        for number in 0..<12 { group.addTask { try await guest.result("sleep 0.2; echo \(number)").text } }
        var texts: Set<String> = []
        for try await text in group { texts.insert(text) }
        #expect(texts.count == 12)
      }
    }
  }

  @Test func aKilledShellIsNoFailureOfTheScript() async throws {
    try await withLanes { _, guest, lanes in
      let names = lanes.names
      let told = Promise<Void>()
      let script = Task {
        try await guest.run(GuestCommand("echo $PPID; exec sleep 600"), deadline: nil) { _, bytes in
          let shell = try #require(Int32(String(decoding: bytes, as: UTF8.self).trimmed))
          for process in try [shell] + children(of: shell) { kill(process, SIGKILL) }
          told.keep(())
        }
      }
      _ = await told.value()
      for port in ["out", "err"] { lanes.portClosed("\(names[0])-\(port)") {} }
      await #expect(
        throws: GuestError(
          .unreachable, "the connection to the machine was lost: the shell that ran the script is gone")
      ) { try await script.value }
      // One that dies while it waits is not used.
      lanes.portClosed("\(names[1])-out") {}
      #expect(try await guest.result("echo \"$MUSTER_STEP\"").text == "\(names[2])\n")
      // Nobody is left in the machine to remove the folder.
      try FileSystem.removeTree("/run/muster-\(names[0])")
    }
  }

  /// What the guest has written before its end is still waiting for room then.
  @Test func whatWasWrittenBeforeTheEndIsRead() async throws {
    let folder = try TestFolder()
    let lanes = try Lanes(["one"], in: folder.path)
    lanes.arm()
    let lane = try #require(lanes.take())
    let job = GuestJob("finish done")
    let exchange = JobExchange(job: job)
    let marked = { @Sendable (word: String) in Array("\u{1E}muster:\(job.number):\(word)\n".utf8) }
    let write = { @Sendable (bytes: [UInt8], stream: String) in
      let file = try FileDescriptor.open(FilePath(folder / "one.\(stream)"), .writeOnly)
      try file.closeAfter { _ = try file.writeAll(bytes) }
    }
    let part = [UInt8](repeating: 7, count: 30_000)
    let waiting = Mutex([part, part, marked("end")])
    let kept = Mutex<[UInt8]>([])
    try write(marked("begin"), "out")
    try write(marked("begin") + marked("exit 0"), "err")
    lanes.portClosed("one-out") {
      // There is room again. Two may ask, and what one of them is about to write must not be missed by the other.
      waiting.withLock { if !$0.isEmpty { try? write($0.removeFirst(), "out") } }
    }
    lanes.portClosed("one-err") {}
    exchange.start(lane.carriage(of: job)) { _, bytes in kept.withLock { $0 += bytes } }
    let report = try #require(await exchange.report.value())
    #expect(try report.get() == "exit 0")
    #expect(kept.withLock { $0.count } == 60_000)
    await exchange.end()
  }

  @Test func whenTheyAreUsedUpScriptsGoBySSH() async throws {
    try await withLanes(4, keepingServer: true) { server, guest, lanes in
      for left in [3, 2, 1, nil] {
        let step = try await guest.result("printf %s \"$MUSTER_STEP\"").text
        #expect(step.contains("lane"))
        #expect(lanes.left == left)
      }
      // The connection was made meanwhile, or is waited for.
      #expect(try await guest.result("printf %s \"$MUSTER_STEP\"").text.count == 32)
      #expect(try server.sessions().count == 1)
    }
  }

  @Test func aMachineWithoutPortsHasNone() async throws {
    try await SSHServer.with { server, _ in
      let names = Lanes.names(2).map { "\(ShellText.randomName())-\($0)" }
      let lanes = try Lanes(names, in: server.folder.path)
      let guest = server.guest("lanes", lanes: lanes)
      var ports = LaneAgent.Ports.pipes(in: server.folder.path)
      // The last cannot be opened.
      ports.opening += "\n[ \"$1\" != \(names[1]) ] || exit 1"
      let agent = LaneAgent(lanes: names, ports: ports)
      #expect(try await !guest.arm(lanes, by: agent, deadline: .seconds(60)))
      #expect(lanes.left == nil)
      #expect(try await guest.result("echo ssh").text == "ssh\n")
      for folder in ["/run", "/tmp"] {
        for name in names { #expect(!FileSystem.exists("\(folder)/muster-\(name)")) }
      }
      await guest.close()
      lanes.close()
    }
  }
}

extension LaneAgent.Ports {
  /// Named pipes, one for each direction.
  fileprivate static func pipes(in folder: String) -> LaneAgent.Ports {
    LaneAgent.Ports(
      looking: "base=", opening: "exec 6<\"\(folder)/$1.in\" 7>\"\(folder)/$1.out\" 8>\"\(folder)/$1.err\"")
  }
}
