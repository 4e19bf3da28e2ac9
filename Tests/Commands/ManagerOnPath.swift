import Foundation
import MusterHost
import MusterTestManagers
import MusterTestSupport
import Testing

/// A fake manager on a PATH, with somebody else's instances, one of a like name.
final class ManagerOnPath: Sendable {
  let kind: FakeKind
  private let scratch: Scratch
  private static let others: Set<String> = ["primary", "muster-release", "muster-one-1795258000-22472-3a0b0"]

  static var works: Bool {
    HostFacts.isRoot && HostFacts.systemName == "Linux"
      && ["unshare", "nsenter", "ip", "python3"].allSatisfy { HostFacts.tool($0) != nil }
  }

  init(_ kind: FakeKind, _ faults: String = "{}") throws {
    self.kind = kind
    scratch = try Scratch()
    // The guardian knows PATH and nothing else of the environment: the state lies beside the link.
    try FileSystem.createFolder("\(scratch.path)/bin/\(kind.tool).state")
    try FileManager.default.createSymbolicLink(
      atPath: "\(scratch.path)/bin/\(kind.tool)", withDestinationPath: FakeManager.path(kind))
    for name in Self.others {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "\(scratch.path)/bin/\(kind.tool)")
      process.arguments = kind.making(name)
      process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/"]
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
    }
    try set(faults)
  }

  deinit {
    // Its machines live as long as their first processes.
    for id in (try? MusterTestSupport.processes(with: scratch.path)) ?? [] { kill(id, SIGKILL) }
  }

  private var books: String { "\(scratch.path)/bin/\(kind.tool).state" }

  var environment: [String: String?] {
    ["PATH": "\(scratch.path)/bin:\(HostFacts.environment("PATH") ?? "")"]
  }

  func ground(
    tests: [String] = ["one", "two"], steps: [String] = ["true"], launch: String = "1m", timeouts: String = ""
  ) throws -> KillingGround {
    try KillingGround(
      tests: tests, steps: steps, image: "{\(kind): '\(kind.image)'}",
      settings: "resources: {disk: 5G}\nattempts: {launch: 1}\ntimeouts: {launch: \(launch)\(timeouts)}",
      environment: environment, options: ["--backend", kind.rawValue])
  }

  func set(_ faults: String) throws { try FileSystem.write(faults, to: "\(books)/faults.json") }

  /// The machines in its books that are not somebody else's, those that are being prepared too.
  func machines() throws -> Set<String> {
    guard FileSystem.exists("\(books)/state.json") else { return [] }
    let books = try JSON(file: "\(self.books)/state.json").value as? [String: Any]
    return Set((books ?? [:]).keys).subtracting(Self.others)
  }

  func calls(_ command: String) throws -> Int {
    let log = (try? FileSystem.readText("\(books)/calls.log", limit: 64 << 20)) ?? ""
    return log.split(separator: "\n").count { $0.hasPrefix("[\"\(command)\"") }
  }

  /// What runs still for a run: its own processes, and its machines'.
  func processes(of run: KillableRun) throws -> [Int32] { try run.left() }

  /// Once the guardian has let the lock go, nothing of a run is there.
  func expectNothingLeft(of run: KillableRun, _ when: String) async throws {
    try await run.ground.waitForLock()
    #expect(try machines() == [], "\(when)")
    // What stood around a fake's machine ends a moment after it.
    let watch = Stopwatch()
    while try !processes(of: run).isEmpty, watch.elapsed < .seconds(1) { try await Task.sleep(for: .milliseconds(10)) }
    let left = try processes(of: run)
    let lines = left.map { (try? FileSystem.readText("/proc/\($0)/cmdline").replacing("\0", with: " ")) ?? "" }
    #expect(left == [], "\(when): \(lines)")
    #expect(try FileSystem.names(in: "\(run.ground.path)/ledgers") == [], "\(when)")
  }

  /// Nobody else's instances were touched.
  func expectNoHarm() throws {
    let books = try JSON(file: "\(self.books)/state.json").value as? [String: Any]
    for name in Self.others {
      #expect((books?[name] as? [String: Any])?["state"] as? String == "Running", "\(name)")
    }
    #expect(try calls("purge") == 0)
  }
}
