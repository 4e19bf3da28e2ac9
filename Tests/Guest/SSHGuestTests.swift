import Glibc
import MusterGuest
import MusterHost
import MusterTestSupport
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct SSHGuestTests {
  @Test(arguments: SSHServer.Tools.allCases)
  func keepsStreamsAndStatusApart(tools: SSHServer.Tools) async throws {
    try await SSHServer.with(tools: tools) { _, guest in
      let result = try await guest.result("printf out; printf err >&2; exit 7")
      #expect(result.ending == .exited(7))
      #expect(result.text == "out")
      #expect(result.errorText == "err")
      for status in [0, 1, 2, 126, 127, 128, 137, 143, 255] {
        #expect(try await guest.result("exit \(status)").ending == .exited(status))
      }
    }
  }

  @Test(arguments: SSHServer.Tools.allCases)
  func tellsADeathByASignal(tools: SSHServer.Tools) async throws {
    try await SSHServer.with(tools: tools) { _, guest in
      for signal in [SIGKILL, SIGTERM, SIGSEGV, SIGHUP] {
        let result = try await guest.result("echo x; kill -\(signal) $$; sleep 1")
        #expect(result.ending == .signaled(Int(signal)))
        #expect(result.text == "x\n")
        #expect(result.errorText == "")
      }
    }
  }

  @Test(arguments: SSHServer.Tools.allCases)
  func everyByteArrives(tools: SSHServer.Tools) async throws {
    let odd = (1...127).map { String(UnicodeScalar($0)) }.joined() + "ä€𝄞'\"\\$(x)`y`!\n\n  end\n"
    try await SSHServer.with(tools: tools) { _, guest in
      let result = try await guest.result(
        "printf '%s' \"$ODD\"; printf '%s' '\(odd.replacing("'", with: "'\\''"))' >&2",
        environment: [.init(name: "ODD", value: odd), .init(name: "d", value: "1"), .init(name: "in", value: "2")])
      #expect(result.text == odd)
      #expect(result.errorText == odd)
      let script = "cat \"$0\"\n\(odd)\nexit no"
      let echoed = try await guest.result(script, shell: ["sh", "-c", "cat \"$0\""])
      #expect(echoed.text == script)
    }
  }

  @Test func anyInterpreterGetsTheScriptAsAFile() async throws {
    try await SSHServer.with { _, guest in
      let result = try await guest.result("print length('äb') . \"@ARGV\"", shell: ["perl", "-Mutf8"])
      #expect(result.text == "2")
      await #expect(throws: GuestError(.circumstances, "the machine has no 'muster-no-shell' to run the script with")) {
        _ = try await guest.result("x", shell: ["muster-no-shell", "-e"])
      }
    }
  }

  @Test func theEnvironmentIsClean() async throws {
    try await SSHServer.with { _, guest in
      let lines = try await guest.result("env | sort", environment: [.init(name: "MINE", value: "1")]).text
      let names = lines.split(separator: "\n").map { $0.prefix { $0 != "=" } }
      #expect(
        names.filter { !["_", "OLDPWD", "SHLVL"].contains($0) }
          == ["HOME", "LANG", "LOGNAME", "MINE", "MUSTER_STEP", "PATH", "PWD", "SHELL", "TERM", "USER"])
      #expect(try await guest.result("cat; echo end").text == "end\n")
      #expect(try await guest.result("printf %s \"$PWD$HOME\"").text == "/root/root")
      #expect(try await guest.result("umask").text == "0022\n")
    }
  }

  @Test func aVariableMayBeAsLongAsLinuxTakes() async throws {
    try await SSHServer.with { server, _ in
      let guest = server.guest("long")
      func length(_ count: Int) async throws -> String {
        let value = String(repeating: "x", count: count)
        return try await guest.result("printf %s ${#LONG}", environment: [.init(name: "LONG", value: value)]).text
      }
      #expect(try await length(131_066) == "131066")
      let error = try await #require(throws: GuestError.self) { _ = try await length(131_067) }
      #expect(error.code == .circumstances)
      await guest.close()
    }
  }

  @Test(arguments: ["1A", "A-B", "", "A B", "Ä", "UID"])
  func refusesWhatIsNoVariable(name: String) async throws {
    try await SSHServer.with { _, guest in
      await #expect(throws: GuestError.self) {
        _ = try await guest.result("true", environment: [.init(name: name, value: "x")])
      }
    }
  }

  @Test(arguments: SSHServer.Tools.allCases)
  func becomesTheUserInTheFolder(tools: SSHServer.Tools) async throws {
    guard HostFacts.isRoot else { return }
    try await SSHServer.with(tools: tools) { server, guest in
      let name = try await HostCommand("id", ["-un", "65534"]).run().text
      let script = "id -u; id -g; id -G; echo \"$USER $LOGNAME $HOME\"; pwd; printf %s \"$SECRET\""
      let result = try await guest.result(
        script, user: name, directory: "/usr/lib", environment: [.init(name: "SECRET", value: "s'1")])
      #expect(result.text == "65534\n65534\n65534\n\(name) \(name) /\n/usr/lib\ns'1")
      #expect(result.errorText == "")
      #expect(try await guest.result("kill -9 $$", user: name).ending == .signaled(9))
      #expect(try await guest.result("exit 255", user: name).ending == .exited(255))
      await #expect(throws: GuestError(.circumstances, "the machine has no user 'muster-nobody'")) {
        _ = try await guest.result("true", user: "muster-nobody")
      }
      await #expect(throws: GuestError.self) { _ = try await guest.result("true", user: "a; reboot") }
      // The folder of the keys is closed to others.
      for folder in ["/no/such", server.folder / "identity"] {
        let error = await #expect(throws: GuestError.self) {
          _ = try await guest.result("true", user: name, directory: folder)
        }
        #expect(error?.code == .circumstances)
        #expect(error?.message.contains(folder) == true)
      }
    }
  }

  @Test func nothingOfAScriptIsInAProcessList() async throws {
    try await SSHServer.with { _, guest in
      let result = try await guest.result(
        "ps -ewwo args >&2; printf %s \"$HIDDEN_NAME\" # in-the-script",
        environment: [.init(name: "HIDDEN_NAME", value: "in-the-value")])
      #expect(result.text == "in-the-value")
      #expect(result.errorText.contains("sshd"))
      for word in ["in-the-script", "in-the-value", "HIDDEN_NAME"] { #expect(!result.errorText.contains(word)) }
    }
  }

  @Test func nothingIsLeftInTheMachine() async throws {
    try await SSHServer.with { _, guest in
      let result = try await guest.result("dirname \"$0\"; ls -ld \"$(dirname \"$0\")\" | cut -c1-10")
      let lines = result.text.split(separator: "\n")
      #expect(lines.dropFirst() == ["drwx------"])
      #expect(!FileSystem.exists(String(lines[0])))
      #expect(!FileSystem.exists(String(lines[0].dropLast(3))))
    }
  }

  /// In a process of its own, since what other tests take at the same time is not this one's.
  @Test func hugeOutputCostsNoMemory() async {
    await #expect(processExitsWith: .success) {
      try await SSHServer.with { _, guest in
        let before = try peakMemory()
        let counts = Mutex<[GuestStream: Int]>([:])
        let script = "head -c 200000000 /dev/zero & head -c 50000000 /dev/urandom >&2; wait"
        let ending = try await guest.run(GuestCommand(script), deadline: nil) { stream, bytes in
          counts.withLock { $0[stream, default: 0] += bytes.count }
        }
        #expect(ending == .exited(0))
        #expect(counts.withLock { $0 } == [.stdout: 200_000_000, .stderr: 50_000_000])
        let grown = try peakMemory() - before
        #expect(grown < 20_000_000, "it grew by \(grown) bytes")
      }
    }
  }

  @Test(arguments: SSHServer.Tools.allCases)
  func theDeadlineEndsAllThatWasStarted(tools: SSHServer.Tools) async throws {
    try await SSHServer.with(tools: tools) { server, guest in
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
    try await SSHServer.with { server, guest in
      let script = "echo $$ >\(server.folder / "child"); sleep 600"
      let result = try await guest.result(script, deadline: .zero)
      #expect(result.ending == .timedOut)
      if let child = try? server.folder.processID("child") { #expect(!isAlive(child)) }
    }
  }

  @Test func cancellationEndsTheScript() async throws {
    try await SSHServer.with { server, guest in
      let (started, begin) = AsyncStream<Void>.makeStream()
      let path = server.folder / "child"
      let task = Task {
        try await guest.run(
          GuestCommand("sleep 600 & echo $! >\(path); echo begun; wait"), deadline: nil
        ) { _, _ in begin.finish() }
      }
      for await _ in started {}
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      let child = try server.folder.processID("child")
      #expect(!isAlive(child))
    }
  }

  @Test func anErrorOfTheReaderEndsTheScript() async throws {
    struct Full: Error {}
    try await SSHServer.with { server, guest in
      await #expect(throws: Full.self) {
        _ = try await guest.run(
          GuestCommand("echo $$ >\(server.folder / "child"); while :; do echo x; sleep 0.1; done"), deadline: nil
        ) { _, _ in throw Full() }
      }
      let child = try server.folder.processID("child")
      #expect(!isAlive(child))
    }
  }

  /// It keeps both streams and goes on writing to them after the script has ended.
  @Test(arguments: SSHServer.Tools.allCases)
  func aDaemonIsNotWaitedForAndLivesOn(tools: SSHServer.Tools) async throws {
    try await SSHServer.with(tools: tools) { server, guest in
      let script = """
        sh -c 'echo $$ >\(server.folder / "daemon"); while :; do echo more; sleep 0.05; done' &
        while [ ! -s \(server.folder / "daemon") ]; do sleep 0.01; done
        echo last
        exit 3
        """
      let result = try await guest.result(script, deadline: .seconds(60))
      #expect(result.ending == .exited(3))
      #expect(result.text.contains("last\n"))
      let daemon = try server.folder.processID("daemon")
      let check = "for i in 1 2 3 4 5; do sleep 0.1; kill -0 \(daemon); done; echo alive"
      #expect(try await guest.result(check).text == "alive\n")
      #expect(kill(daemon, SIGKILL) == 0)
    }
  }

  @Test func manyAtOnceShareAConnection() async throws {
    try await SSHServer.with { server, guest in
      _ = try await guest.result("true")
      try await withThrowingTaskGroup(of: String.self) { group in
        for number in 0..<12 { group.addTask { try await guest.result("sleep 0.2; echo \(number)").text } }
        var texts: Set<String> = []
        for try await text in group { texts.insert(text) }
        #expect(texts.count == 12)
      }
      #expect(try server.sessions().count == 1)
    }
  }

  @Test func aLostConnectionIsNoFailureOfTheScript() async throws {
    try await SSHServer.with { server, guest in
      let (started, begin) = AsyncStream<Void>.makeStream()
      let place = Mutex("")
      async let ending = guest.run(GuestCommand("dirname \"$0\"; sleep 600"), deadline: nil) { _, bytes in
        place.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
        begin.finish()
      }
      for await _ in started {}
      for session in try server.sessions() {
        for child in try children(of: session) { kill(-child, SIGKILL) }
        kill(session, SIGKILL)
      }
      do {
        _ = try await ending
        Issue.record("the script came to an end")
      } catch let error as GuestError {
        #expect(error.code == .unreachable)
        #expect(error.message.hasPrefix("the connection to the machine was lost"))
      }
      // Nobody is left in the machine to remove the script's folder.
      let folder = place.withLock { $0.dropLast("/in\n".count) }
      try #require(folder.hasPrefix("/run/muster-"))
      try FileSystem.removeTree(String(folder))
      // The next command makes a new connection.
      #expect(try await guest.result("exit 255").ending == .exited(255))
    }
  }

  @Test func aMachineThatIsNotThereIsUnreachable() async throws {
    try await SSHServer.with { server, guest in
      try await guest.expectAnswer()
      await guest.close()
      await server.process.terminate()
      #expect(await guest.probe(deadline: .seconds(60))?.code == .unreachable)
      let error = await #expect(throws: GuestError.self) { _ = try await guest.result("true") }
      #expect(error?.code == .unreachable)
      #expect(error?.message.contains("refused") == true)
    }
  }

  @Test func aStrangersHostKeyIsRefused() async throws {
    try await SSHServer.with { server, _ in
      let other = try await GuestIdentity.load(in: server.folder / "other")
      var identity = server.identity
      identity.knownHostsPath = other.knownHostsPath
      let guest = SSHGuest(
        port: server.port, user: HostFacts.userName, identity: identity, controlPath: server.folder / "c")
      let error = await guest.probe(deadline: .seconds(60))
      #expect(error?.code == .unreachable)
      #expect(error?.message.contains("verification failed") == true)
      await guest.close()
    }
  }

  @Test func aStoppedMachineIsGivenUpAtTheDeadline() async throws {
    try await SSHServer.with { server, guest in
      try await guest.expectAnswer()
      for session in try server.sessions() { kill(session, SIGSTOP) }
      let stopped = try server.sessions()
      #expect(await guest.probe(deadline: .milliseconds(300))?.code == .unreachable)
      for session in stopped { kill(session, SIGCONT) }
      try await guest.expectAnswer()
    }
  }

  /// Before or while a script in it is to be ended, the machine's death ends the waiting.
  @Test(arguments: [false, true]) func aDeadMachineIsNotWaitedFor(isLate: Bool) async throws {
    try await SSHServer.with { server, _ in
      let death = Promise<Void>()
      let guest = server.guest("dead", endingDeadline: .seconds(3600), death: death)
      let (started, begin) = AsyncStream<Void>.makeStream()
      let task = Task {
        let script = "echo $$ >\(server.folder / "child"); echo begun; exec sleep 600"
        return try await guest.run(GuestCommand(script), deadline: nil) { _, _ in begin.finish() }
      }
      for await _ in started {}
      let stopped = try server.sessions()
      for session in stopped { kill(session, SIGSTOP) }
      if !isLate { death.keep(()) }
      task.cancel()
      if isLate {
        try await Task.sleep(for: .milliseconds(100))
        death.keep(())
      }
      await #expect(throws: CancellationError.self) { try await task.value }
      for session in stopped { kill(session, SIGCONT) }
      await guest.close()
      kill(try server.folder.processID("child"), SIGKILL)
    }
  }

  @Test func tellsTheBoot() async throws {
    try await SSHServer.with { _, guest in
      let own = try FileSystem.readText("/proc/sys/kernel/random/boot_id")
      #expect(try await guest.bootID() + "\n" == own)
    }
  }

  @Test func pathsMayHoldSpacesAndPercentSigns() async throws {
    try await SSHServer.with { server, _ in
      let odd = server.folder / "a %h b"
      try FileSystem.createFolder(odd, mode: 0o700)
      var identity = server.identity
      identity.privateKeyPath = "\(odd)/key"
      identity.knownHostsPath = "\(odd)/known"
      try FileSystem.copy(server.identity.privateKeyPath, to: identity.privateKeyPath)
      try FileSystem.copy(server.identity.knownHostsPath, to: identity.knownHostsPath)
      let guest = SSHGuest(
        port: server.port, user: HostFacts.userName, identity: identity, controlPath: "\(odd)/c")
      try await guest.expectAnswer()
      #expect(try await guest.result("echo x").text == "x\n")
      await guest.close()
      #expect(try FileSystem.names(in: odd) == ["key", "known"])
    }
  }

  @Test func refusesASocketPathThatIsTooLong() async throws {
    try await SSHServer.with { server, _ in
      let guest = server.guest(String(repeating: "x", count: 90))
      #expect(await guest.probe(deadline: .seconds(5))?.code == .host)
    }
  }
}
