import Foundation
import MusterHost
import MusterTestSupport
import Synchronization
import Testing

/// What is left of runs is witnessed from outside, by /proc and the file system; never by a ledger.
enum Witness {
  /// The folders of what goes with machines.
  static var workspaces: Set<String> { Set((try? FileSystem.names(in: Workspaces.folder)) ?? []) }
}

/// Where runs are started that are killed: a state folder and a lock that they share one after the other, and a matrix.
final class KillingGround: Sendable {
  let scratch: Scratch
  let matrix: String
  let text: String
  var path: String { scratch.path }
  /// The run that was started last.
  var last: KillableRun? {
    runs.withLock { runs in
      runs.last.map { KillableRun(process: $0, output: output(runs.count), ground: self) }
    }
  }
  /// The workspaces that there were before.
  let before = Witness.workspaces
  /// Not as the runs that hold this ground, which would never go then.
  private let runs = Mutex<[RunningProcess]>([])
  private let environment: [String: String?]
  private let options: [String]

  /// Cells with the same steps, on the tiny guest.
  convenience init(
    tests: [String] = ["one", "two"], steps: [String] = ["true"], environment: [String: String?] = [:],
    options: [String] = []
  ) async throws {
    let disk = try await TestCache.tinyDisk()
    try self.init(tests: tests, steps: steps, image: "{path: '\(disk)'}", environment: environment, options: options)
  }

  /// Cells with the same steps, on any image.
  /// - Parameter next: An image for a second distro, whose cells follow.
  init(
    tests: [String], steps: [String], image: String, next: String? = nil,
    settings: String = "resources: {cpus: 1, memory: 256M, disk: 256M}", environment: [String: String?] = [:],
    options: [String] = []
  ) throws {
    let verify = steps.map { "{run: '\($0)'}" }.joined(separator: ", ")
    let cells = tests.map { "  \($0): {distros: all, verify: [\(verify)]}\n" }.joined()
    text = """
      muster: 1
      \(settings)
      distros:
        tiny: {image: \(image), family: debian}
      \(next.map { "  zz-next: {image: \($0), family: debian}" } ?? "")
      tests:
      \(cells)
      """
    scratch = try Scratch()
    matrix = try scratch.write("matrix.yaml", text)
    self.environment = environment
    self.options = options
  }

  /// What follows the program's name.
  func arguments(output: String) -> [String] {
    [
      "run", matrix, "--output", output, "--cache", TestCache.folder, "--state", path, "--lock-file", "\(path)/lock",
      "--lock-timeout", "2", "--junit", "\(output).xml",
    ] + options
  }

  /// Starts a run, with an output folder of its own.
  /// - Parameter through: What starts it, such as `nohup`.
  func start(through starter: [String] = []) async throws -> KillableRun {
    let output = output(runs.withLock(\.count) + 1)
    let process = try await MusterProcess(environment: environment).start(
      arguments(output: output), through: starter, log: "\(output).log")
    runs.withLock { $0.append(process) }
    return KillableRun(process: process, output: output, ground: self)
  }

  /// The folder of a run, which are numbered from 1.
  private func output(_ number: Int) -> String { "\(path)/out-\(number)" }

  func clean(_ options: String...) async throws -> ProcessOutput {
    try await MusterProcess(environment: environment).run(
      ["clean", "--state", path, "--cache", TestCache.folder] + options)
  }

  /// Returns when no run and no guardian has the lock.
  func waitForLock() async throws {
    try await FileLock("\(path)/lock").take(deadline: .seconds(60)).release()
  }

  /// Nothing is on the ledgers, and no workspace is there that was not there before.
  func expectNoTrace(_ when: String) throws {
    let ledgers = try FileSystem.names(in: "\(path)/ledgers")
    #expect(ledgers == [], "\(when)")
    #expect(Witness.workspaces.subtracting(before) == [], "\(when)")
  }
}

/// A run that can be killed.
struct KillableRun {
  let process: RunningProcess
  let output: String
  let ground: KillingGround

  /// The lines of its events but for the first, which is the file's header.
  var events: [String] {
    let text = (try? FileSystem.readText("\(output)/events.jsonl")) ?? ""
    // The last line may be on its way.
    return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().dropFirst().map(String.init)
  }

  func summary() throws -> JSON { try JSON(file: "\(output)/summary.json") }
  var console: String { (try? FileSystem.readText("\(output).log")) ?? "" }

  /// Looks until there are so many events.
  /// - Returns: Whether the run has ended before.
  func wait(for count: Int) async throws -> Bool {
    while events.count < count {
      if process.ended != nil { return true }
      try await Task.sleep(for: .milliseconds(2))
    }
    return false
  }

  /// Looks until something is so, while the run goes on.
  func wait(until isSo: () throws -> Bool) async throws {
    while try !isSo() {
      try #require(process.ended == nil, "the run has ended: \(String(describing: process.ended)) \(console)")
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  /// Looks until an event of a kind is there.
  func wait(for kind: String, count: Int = 1) async throws {
    try await wait { events.count(where: { $0.contains(#""event":"\#(kind)""#) }) >= count }
  }

  /// The names of the machines that the run has told of.
  var machines: [String] {
    events.filter { $0.contains(#""event":"attempt-started""#) }.compactMap { event in
      event.split(separator: "\"machine\":\"").dropFirst().first.map { String($0.prefix { $0 != "\"" }) }
    }
  }

  func guardian() throws -> Int32? {
    try processes(with: "\(ground.path)/ledgers/").first { id in
      (try? FileSystem.readText("/proc/\(id)/cmdline"))?.contains("guardian") ?? false
    }
  }

  /// The process of its machine.
  func emulator() throws -> Int32? {
    try machines.last.flatMap { name in
      try processes(with: name).first { id in
        (try? FileSystem.readText("/proc/\(id)/comm"))?.hasPrefix("qemu") ?? false
      }
    }
  }

  /// Ends it by KILL, with its guardian in the same instant if that is wanted.
  func kill(withGuardian: Bool = false) async throws {
    let guardian = withGuardian ? try guardian() : nil
    if let guardian { Foundation.kill(guardian, SIGKILL) }
    Foundation.kill(process.processID, SIGKILL)
    _ = await process.ending()
  }

  /// What runs still for it.
  func left() throws -> [Int32] {
    let id = events.first.flatMap { try? JSON(Array($0.utf8))["run"].string }
    return try (id.map { try processes(with: "MUSTER_RUN=\($0)") } ?? [])
      + machines.flatMap { try processes(with: $0) }
  }

  /// Within a second of its death there is no machine and no process that it started; and the lock is free as soon as the
  /// reports are written.
  func expectNothingLeft(_ when: String, ends: Duration = .seconds(1)) async throws {
    let watch = Stopwatch()
    while try !left().isEmpty, watch.elapsed < ends { try await Task.sleep(for: .milliseconds(10)) }
    let left = try left()
    #expect(left == [], "\(when)")
    let lock = try await FileLock("\(ground.path)/lock").take(deadline: .seconds(2))
    lock.release()
    #expect(try processes(with: "\(ground.path)/ledgers/") == [], "\(when)")
  }

  /// The reports were written to their end.
  func expectReports(_ outcomes: Set<String>, _ when: String) throws {
    let summary = try summary()
    #expect(outcomes.contains(summary["outcome"].string ?? ""), "\(when): \(summary["outcome"].string ?? "none")")
    #expect(summary["machines"]["left"].int == 0, "\(when)")
    #expect(events.last?.contains("run-finished") == true, "\(when)")
    #expect(FileSystem.isFile("\(output).xml"), "\(when)")
  }
}
