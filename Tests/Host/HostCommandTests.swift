import Glibc
import MusterHost
import MusterTestSupport
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct HostCommandTests {
  @Test func keepsTheStreamsApartAndTheStatus() async throws {
    let output = try await HostCommand("sh", ["-c", "printf out; printf err >&2; exit 7"]).run()
    #expect(output.ending == .exited(7))
    #expect(output.text == "out")
    #expect(output.errorText == "err")
  }

  @Test func tellsASignalFromAnExitStatus() async throws {
    let killed = try await HostCommand("sh", ["-c", "kill -KILL $$"]).run()
    #expect(killed.ending == .signaled(9))
    let exited = try await HostCommand("sh", ["-c", "exit 137"]).run()
    #expect(exited.ending == .exited(137))
  }

  @Test func changesEnvironmentAndFolder() async throws {
    let folder = try TestFolder()
    let command = HostCommand(
      "sh", ["-c", "printf '%s|%s|%s' \"$ADDED\" \"${HOME-gone}\" \"$PWD\""],
      environment: ["ADDED": "a\nb'\"$", "HOME": nil], directory: folder.path)
    #expect(try await command.run().text == "a\nb'\"$|gone|\(folder.path)")
  }

  @Test func givesInputAndClosesIt() async throws {
    let bytes = [UInt8](repeating: 0x41, count: 300_000)
    #expect(try await HostCommand("wc", ["-c"], input: bytes).run().text == "300000")
    #expect(try await HostCommand("wc", ["-c"]).run().text == "0")
  }

  @Test func readsInputFromAFile() async throws {
    let folder = try TestFolder()
    try FileSystem.write("from a file", to: folder / "input")
    #expect(try await HostCommand("cat", inputFile: folder / "input").run().text == "from a file")
    await #expect(throws: HostCommandError.self) { try await HostCommand("cat", inputFile: folder / "none").run() }
  }

  /// More than a pipe holds, to a process that never reads, closes its input, or ends at once.
  @Test(arguments: ["exit 3", "exec <&-; sleep 0.1; exit 3", "head -c 10 >/dev/null; exit 3", "sleep 0.2; exit 3"])
  func aProcessNeedNotReadItsInput(script: String) async throws {
    let bytes = [UInt8](repeating: 0x41, count: 2_000_000)
    #expect(try await HostCommand("sh", ["-c", script], input: bytes).run().ending == .exited(3))
  }

  @Test func keepsOnlySoMuchOfHugeOutput() async throws {
    let output = try await HostCommand("sh", ["-c", "head -c 50000000 /dev/zero; echo end >&2"]).run(limit: 1000)
    #expect(output.stdout.count == 1000)
    #expect(output.errorText == "end")
    #expect(output.ending.isSuccess)
  }

  /// In a process of its own, since what other tests take at the same time is not this one's.
  @Test func handsOnAllOfHugeOutputInBoundedMemory() async {
    await #expect(processExitsWith: .success) {
      let before = try peakMemory()
      let count = Mutex(0)
      let ending = try await HostCommand("head", ["-c", "400000000", "/dev/zero"]).run { stream, bytes in
        #expect(stream == .stdout)
        count.withLock { $0 += bytes.count }
      }
      #expect(ending.isSuccess)
      #expect(count.withLock { $0 } == 400_000_000)
      let grown = try peakMemory() - before
      #expect(grown < 20_000_000, "it grew by \(grown) bytes")
    }
  }

  @Test func aSlowReaderSlowsTheProcess() async throws {
    let count = Mutex(0)
    _ = try await HostCommand("head", ["-c", "1000000", "/dev/zero"]).run { _, bytes in
      await Task.yield()
      count.withLock { $0 += bytes.count }
    }
    #expect(count.withLock { $0 } == 1_000_000)
  }

  @Test func theDeadlineEndsAGroupThatIgnoresTERM() async throws {
    try await expectNothingLeft(
      of: { pid in
        """
        trap '' TERM
        sh -c 'trap "" TERM; echo $$ >\(pid); while :; do sleep 1; done' &
        while :; do sleep 1; done
        """
      })
  }

  /// The leader dies by TERM at once, its child does not.
  @Test func theDeadlineEndsWhatOutlivesTheLeader() async throws {
    try await expectNothingLeft(
      of: { pid in
        """
        sh -c 'trap "" TERM; echo $$ >\(pid); exec >/dev/null 2>&1; while :; do sleep 1; done' &
        while :; do sleep 1; done
        """
      })
  }

  /// - Parameter script: Makes a script that never ends and writes a child's process id into the file it is given.
  private func expectNothingLeft(of script: (String) -> String) async throws {
    let folder = try TestFolder()
    // On a busy host a short deadline may come before the script has begun.
    for seconds in [0.5, 2, 8, 32] {
      let deadline = Duration.seconds(seconds)
      await #expect(throws: HostCommandError.timedOut("sh", after: deadline)) {
        try await HostCommand("sh", ["-c", script(folder / "pid")]).run(deadline: deadline, grace: .milliseconds(100))
      }
      guard let child = try? folder.processID("pid") else { continue }
      #expect(!isAlive(child))
      return
    }
    Issue.record("the script never began")
  }

  @Test func theDeadlineHoldsWhenAProcessClosedItsStreams() async throws {
    await #expect(throws: HostCommandError.timedOut("sh", after: .milliseconds(200))) {
      try await HostCommand("sh", ["-c", "exec >&- 2>&-; sleep 600"]).run(deadline: .milliseconds(200))
    }
  }

  @Test func aBackgroundProcessThatKeepsThePipeIsNotWaitedFor() async throws {
    let folder = try TestFolder()
    let output = try await HostCommand(
      "sh", ["-c", "echo said; sleep 600 & echo $! >\(folder / "pid"); exit 4"]
    ).run(deadline: .seconds(60))
    let left = try folder.processID("pid")
    #expect(output.text == "said")
    #expect(output.ending == .exited(4))
    #expect(isAlive(left))
    kill(left, SIGKILL)
  }

  @Test func cancellationEndsTheGroup() async throws {
    let folder = try TestFolder()
    let (started, begin) = AsyncStream<Void>.makeStream()
    let task = Task {
      try await HostCommand("sh", ["-c", "sleep 600 & echo $! >\(folder / "pid"); echo up; wait"]).run { _, _ in
        begin.finish()
      }
    }
    for await _ in started {}
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try !isAlive(folder.processID("pid")))
  }

  @Test func cancelledBeforehandItEndsToo() async throws {
    let task = Task {
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      return try await HostCommand("sleep", ["600"]).run()
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func anErrorOfTheReaderEndsTheProcessAndIsThrown() async throws {
    struct Full: Error {}
    await #expect(throws: Full.self) {
      _ = try await HostCommand("yes").run { _, _ in throw Full() }
    }
  }

  @Test func saysWhatCannotBeStarted() async throws {
    let folder = try TestFolder()
    try FileSystem.write("#!/bin/sh\n", to: folder / "plain", mode: 0o644)
    try FileSystem.write("#!/no/such/interpreter\n", to: folder / "odd", mode: 0o755)
    func reason(_ command: HostCommand) async -> String? {
      do {
        _ = try await command.run()
        return nil
      } catch {
        return "\(error)"
      }
    }
    #expect(await reason(HostCommand("muster-no-such-tool")) == "'muster-no-such-tool' is not installed")
    #expect(await reason(HostCommand("/no/such")) == "'/no/such' does not exist")
    #expect(await reason(HostCommand(folder / "plain"))?.hasSuffix("it is not executable") == true)
    #expect(await reason(HostCommand(folder / "odd"))?.contains("interpreter") == true)
    #expect(await reason(HostCommand(folder.path))?.hasSuffix("it is a folder") == true)
    #expect(
      await reason(HostCommand("true", directory: "/no/such"))?.contains("cannot enter the folder '/no/such'") == true)
  }

  @Test func childrenHaveTheDefaultDispositions() async throws {
    // Our own SIGPIPE is ignored; a child that inherited that would go on writing.
    let script = "grep SigIgn /proc/self/status"
    let line = try await HostCommand("sh", ["-c", script], input: [1]).run().text
    let ignored = try #require(line.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) })
    // The C library keeps two signals above 31 for itself.
    #expect(ignored & 0x7fff_ffff == 0)
  }

  @Test func descriptorsAreNotInherited() async throws {
    let output = try await HostCommand("sh", ["-c", "ls /proc/self/fd | tr '\\n' ' '"]).run()
    #expect(output.text == "0 1 2 3 ")
  }

  @Test func manyAtOnce() async throws {
    try await withThrowingTaskGroup(of: String.self) { group in
      for number in 0..<40 {
        group.addTask { try await HostCommand("sh", ["-c", "cat; exit 0"], input: Array("\(number)".utf8)).run().text }
      }
      var texts: Set<String> = []
      for try await text in group { texts.insert(text) }
      #expect(texts.count == 40)
    }
  }
}

@Suite(.timeLimit(.minutes(2))) struct RunningProcessTests {
  @Test func writesItsLogAndTellsItsEndingToAll() async throws {
    let folder = try TestFolder()
    try FileSystem.write("before\n", to: folder / "log")
    let process = try await RunningProcess.start(
      HostCommand("sh", ["-c", "echo out; echo err >&2; exit 5"]), log: folder / "log")
    async let one = process.ending()
    async let other = process.ending()
    #expect(await one == .exited(5))
    #expect(await other == .exited(5))
    #expect(process.ended == .exited(5))
    #expect(await process.terminate() == .exited(5))
    #expect(try FileSystem.readText(folder / "log") == "before\nout\nerr\n")
  }

  @Test func outlivesTheTaskThatStartedIt() async throws {
    let folder = try TestFolder()
    let log = folder / "log"
    let task = Task { try await RunningProcess.start(HostCommand("sleep", ["600"]), log: log) }
    let process = try await task.value
    task.cancel()
    #expect(process.ended == nil)
    #expect(isAlive(process.processID))
    #expect(await process.terminate() == .signaled(SIGTERM))
    #expect(!isAlive(process.processID))
  }

  @Test func killsAGroupThatIgnoresTERM() async throws {
    let folder = try TestFolder()
    let script = "trap '' TERM; (while :; do sleep 1; done) & echo $! >\(folder / "pid"); while :; do sleep 1; done"
    let process = try await RunningProcess.start(HostCommand("sh", ["-c", script]), log: folder / "log")
    let child = try await folder.awaitedProcessID("pid")
    let task = Task { await process.terminate(grace: .milliseconds(100)) }
    task.cancel()
    #expect(await task.value == .signaled(SIGKILL))
    #expect(!isAlive(child))
  }

  @Test func aWaiterCanBeCancelled() async throws {
    let folder = try TestFolder()
    let process = try await RunningProcess.start(HostCommand("sleep", ["600"]), log: folder / "log")
    let waiter = Task { await process.ending() }
    waiter.cancel()
    #expect(await waiter.value == nil)
    #expect(process.ended == nil)
    await process.terminate()
  }

  @Test func saysWhyItCannotStart() async throws {
    let folder = try TestFolder()
    await #expect(throws: HostCommandError.notFound("muster-no-such-tool")) {
      try await RunningProcess.start(HostCommand("muster-no-such-tool"), log: folder / "log")
    }
    await #expect(throws: Failure.self) {
      try await RunningProcess.start(HostCommand("true"), log: "/no/such/folder/log")
    }
  }
}
