import Glibc
import MusterHost
import MusterTestSupport
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct FileLockTests {
  let folder: TestFolder
  let lock: FileLock

  init() throws {
    folder = try TestFolder()
    lock = FileLock(folder / "lock")
  }

  @Test func isHeldByOneAtATime() throws {
    #expect(!lock.isHeld)
    let held = try #require(try lock.take())
    #expect(lock.isHeld)
    #expect(try lock.take() == nil)
    held.release()
    held.release()
    #expect(!lock.isHeld)
    #expect(try lock.take() != nil)
  }

  @Test func endsWithTheLastReference() throws {
    do {
      let held = try #require(try lock.take())
      #expect(held.isHeld)
    }
    #expect(!lock.isHeld)
  }

  @Test func isReleasedByTheDeathOfItsProcess() async throws {
    let path = folder / "lock"
    let process = try await RunningProcess.start(
      HostCommand("flock", [path, "sh", "-c", "echo got; exec sleep 600"]), log: folder / "log")
    while try FileSystem.readText(folder / "log") != "got\n" { try await Task.sleep(for: .milliseconds(5)) }
    #expect(lock.isHeld)
    let waits = Mutex(0)
    async let taken = lock.take(deadline: nil) { _ in waits.withLock { $0 += 1 } }
    while waits.withLock({ $0 }) == 0 { try await Task.sleep(for: .milliseconds(5)) }
    kill(-process.processID, SIGKILL)
    #expect(try await taken.isHeld)
  }

  @Test func isNotInheritedByChildren() async throws {
    let held = try #require(try lock.take())
    let process = try await RunningProcess.start(HostCommand("sleep", ["600"]), log: folder / "log")
    held.release()
    #expect(!lock.isHeld)
    await process.terminate()
  }

  @Test func endsAtTheDeadline() async throws {
    let held = try #require(try lock.take())
    for deadline in [Duration.zero, .milliseconds(100)] {
      let error = await #expect(throws: LockTimeout.self) { _ = try await lock.take(deadline: deadline) }
      #expect(error?.path == lock.path)
    }
    held.release()
  }

  @Test func tellsAgainAndAgainHowLongItWaits() async throws {
    let held = try #require(try lock.take())
    let (told, teller) = AsyncStream<Duration>.makeStream()
    let task = Task { [lock] in _ = try await lock.take(deadline: nil) { teller.yield($0) } }
    var reports: [Duration] = []
    for await waited in told {
      reports.append(waited)
      if reports.count == 2 { break }
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(reports[1] - reports[0] >= .milliseconds(990))
    held.release()
  }

  @Test func waitingCanBeCancelled() async throws {
    let held = try #require(try lock.take())
    let task = Task { [lock] in _ = try await lock.take(deadline: nil) }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    held.release()
  }

  @Test func onlyOneOfManyHasIt() async throws {
    let room = Room()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<20 {
        group.addTask { [lock] in
          let held = try await lock.take(deadline: nil)
          await room.enter()
          await Task.yield()
          await room.leave()
          held.release()
        }
      }
      for try await _ in group {}
    }
    #expect(await room.most == 1)
  }

  private actor Room {
    var inside = 0
    var most = 0

    func enter() {
      inside += 1
      most = max(most, inside)
    }

    func leave() {
      inside -= 1
    }
  }

  @Test func aRemovedFileIsNotTheLock() throws {
    let held = try #require(try lock.take())
    try FileSystem.remove(lock.path)
    let other = try #require(try lock.take())
    #expect(lock.isHeld)
    held.release()
    #expect(lock.isHeld)
    other.release()
  }

  @Test func refusesWhatIsNoFile() async throws {
    try FileSystem.write("", to: folder / "real")
    _ = try await HostCommand("ln", ["-s", "real", folder / "link"]).run()
    _ = try await HostCommand("mkfifo", [folder / "pipe"]).run()
    #expect(throws: Failure.self) { try FileLock(folder / "link").take() }
    #expect(throws: Failure.self) { try FileLock(folder / "pipe").take() }
    #expect(throws: Failure.self) { try FileLock(folder.path).take() }
    #expect(throws: Failure.self) { try FileLock("/no/such/folder/lock").take() }
  }

  /// As another user in a sticky folder: what root made can be locked too.
  @Test func isSharedByUsers() async throws {
    guard HostFacts.isRoot else { return }
    unsafe chmod(folder.path, 0o1777)
    try #require(try lock.take()).release()
    let script = "exec 9<'\(lock.path)' && flock -n 9 && echo locked"
    let output = try await HostCommand("setpriv", ["--reuid=65534", "--clear-groups", "sh", "-c", script]).run()
    #expect(output.text == "locked")
  }
}

@Suite(.timeLimit(.minutes(2))) struct RunLockTests {
  let folder: TestFolder
  let lock: RunLock

  init() throws {
    folder = try TestFolder()
    lock = RunLock(path: folder / "lock")
  }

  @Test func tellsWhoHasIt() async throws {
    #expect(lock.holder() == nil)
    let holder = LockHolder(command: "muster run 'a\nb'", matrix: "Greeter \u{1B}[31m1.2")
    let held = try await lock.take(deadline: .zero, as: holder)
    let told = try #require(lock.holder())
    #expect(told.processID == getpid())
    #expect(told.user == HostFacts.userName)
    #expect(told.command == "muster run 'a b'")
    #expect(told.matrix == "Greeter  [31m1.2")
    #expect(told.since == holder.since)
    held.release()
    #expect(lock.holder() == nil)
    #expect(try FileSystem.names(in: folder.path) == ["lock"])
  }

  @Test(arguments: ["", "pid: x", "nonsense", "pid: 1\nsince: 99999999999999999", "pid: 999999999\nsince: 5"])
  func aRecordThatCannotBeTrueIsNotBelieved(record: String) async throws {
    let held = try #require(try lock.lock.take())
    try FileSystem.write(record, to: folder / "lock.by-12345")
    #expect(lock.holder() == .unknown)
    held.release()
  }

  @Test func theNewestRecordCounts() async throws {
    try FileSystem.write("pid: 1\nuser: root\nsince: 5\n", to: folder / "lock.by-12345")
    let held = try await lock.take(deadline: .zero, as: LockHolder(command: "c", matrix: "m"))
    #expect(lock.holder()?.processID == getpid())
    held.release()
  }

  @Test func theEnvironmentNamesFileAndTimeout() {
    #expect(RunLock { ["VM_LOCK_FILE": "/x/lock"][$0] }.lock.path == "/x/lock")
    #expect(RunLock { _ in nil }.lock.path == "/tmp/muster.lock")
    #expect(RunLock.timeout { ["VM_LOCK_TIMEOUT": "7"][$0] } == .seconds(7))
    #expect(RunLock.timeout { ["VM_LOCK_TIMEOUT": "-7"][$0] } == .zero)
    #expect(RunLock.timeout { ["VM_LOCK_TIMEOUT": "soon"][$0] } == .seconds(300))
    #expect(RunLock.timeout { _ in nil } == .seconds(300))
  }
}
