package import MusterHost
package import MusterMachines
import Synchronization

/// The ledger of a run: each machine is on it, on the disk, before a backend is asked for it, and is said to be purged once
/// it is proven gone. The file is locked for as long as the run or its guardian lives: that, and nothing else, tells a
/// dead run from a live one.
///
/// Lines of JSON: `{"ledger": "muster.ledger/1", "run", "host", "user", "pid", "command", "output"}`, then for each machine
/// `{"intent": NAME, "backend", "workspace", "place"}` and later `{"purged": NAME}` or `{"kept": NAME, "path", "until"}`.
package final class Ledger: Sendable {
  package let path: String
  /// `nil` where another process of the same run has shared it with this one.
  package let lock: HeldLock?
  private let file: AppendedFile
  private let open: Mutex<Set<MachineName>>
  private let spared = Mutex<Set<MachineName>>([])

  package static let schema = "muster.ledger/1"
  package static let suffix = ".ledger"

  /// What must be free on its disk for a machine to be made, in bytes.
  private static let leastRoom: Int64 = 64 << 10

  /// How long a kept machine is spared.
  package static let keptFor = Duration.seconds(7 * 86_400)

  /// The folder of all ledgers.
  package static func folder(in state: String) -> String { "\(state)/ledgers" }

  /// Begins the ledger of a run.
  /// - Throws: `Failure`, `LockTimeout`, `CancellationError`: then nothing may be launched.
  package static func begin(_ header: LedgerRecord.Header, in state: String) async throws -> Ledger {
    let folder = folder(in: state)
    try FileSystem.createFolder(folder, mode: 0o700)
    let path = "\(folder)/\(header.run)\(suffix)"
    // A sweep may look into it in the very moment that it is made.
    let lock = try await FileLock(path).take(deadline: .seconds(10))
    let ledger = try Ledger(path: path, lock: lock, open: [])
    try ledger.write { json in
      json.member("ledger", schema)
      json.member("run", header.run)
      json.member("host", header.host)
      json.member("user", header.user)
      json.member("pid", header.processID)
      json.member("command", header.command)
      json.member("output", header.output)
    }
    return ledger
  }

  private init(path: String, lock: HeldLock?, open: Set<MachineName>) throws(Failure) {
    self.path = path
    self.lock = lock
    self.open = Mutex(open)
    file = try AppendedFile(path, mode: 0o600)
  }

  /// Goes on with the ledger of a dead run, whose lock this process has.
  package convenience init(_ record: LedgerRecord, at path: String, lock: HeldLock?) throws(Failure) {
    try self.init(path: path, lock: lock, open: Set(record.open.map(\.name)))
  }

  // MARK: Entries

  /// Says that a machine is about to be made. It is on the disk when this returns.
  /// - Throws: `Failure`: then it must not be made.
  package func intend(_ relic: Relic) throws(Failure) {
    // One more line may fit into its last page, and what comes of the machine would find no room.
    if file.isThere, try FileSystem.isFull(path, least: Self.leastRoom) {
      throw Failure(
        .host, "disk full: what becomes of a machine could not be written beside '\(path)'",
        hint: "free space and run again")
    }
    try write { json in
      json.member("intent", relic.name.text)
      json.member("backend", relic.backend)
      json.member("workspace", relic.workspace)
      if !relic.place.isEmpty { json.member("place", relic.place) }
    }
    guard file.isThere else {
      throw Failure(
        .host, "the run's ledger '\(path)' was removed, so what it makes could be left behind",
        hint: "leave the state folder alone while a run lives, and run again")
    }
    _ = open.withLock { $0.insert(relic.name) }
  }

  /// Says that a machine is proven gone. What cannot be written costs only that it is looked for once more.
  package func purged(_ name: MachineName) {
    _ = open.withLock { $0.remove(name) }
    try? write { $0.member("purged", name.text) }
  }

  /// Says that a machine's disk is kept because a person asked for it.
  package func kept(_ name: MachineName, path: String) {
    _ = spared.withLock { $0.insert(name) }
    let until = Timestamp.now.milliseconds + Int64(Self.keptFor.seconds * 1000)
    try? write { json in
      json.member("kept", name.text)
      json.member("path", path)
      json.member("until", until)
    }
  }

  /// Whether there are machines that are not proven gone, and that nobody asked to keep.
  package var isOwing: Bool {
    let spared = spared.withLock { $0 }
    return open.withLock { !$0.isSubset(of: spared) }
  }

  /// Leaves the ledger as it is to another process that shares its lock.
  package func handOver() {
    file.close()
    lock?.handOver()
  }

  /// Removes the ledger if nothing of its run is left or kept, and lets it go.
  package func close() {
    file.close()
    if open.withLock({ $0.isEmpty }) { try? FileSystem.remove(path) }
    lock?.release()
  }

  private func write(_ members: (inout JSONWriter) -> Void) throws(Failure) {
    var json = JSONWriter()
    json.object(members)
    json.newline()
    try file.append(json.bytes)
    try file.synchronize()
  }
}

/// What a ledger tells, read as far as it goes: its last line may be torn.
package struct LedgerRecord: Sendable {
  package struct Header: Sendable {
    package var run: String
    /// `HostFacts.hostID` of the host that it ran on.
    package var host: String
    package var user: UInt32
    package var processID: Int32
    /// As the person gave it: `muster run greeter.yaml`.
    package var command: String
    /// The run's output folder.
    package var output: String

    package init(run: String, host: String, user: UInt32, processID: Int32, command: String, output: String) {
      self.run = run
      self.host = host
      self.user = user
      self.processID = processID
      self.command = command
      self.output = output
    }

    /// Of what this process does.
    package init(_ run: RunID, command: String, output: String = "") {
      self.init(
        run: run.text, host: HostFacts.hostID, user: HostFacts.userID, processID: HostFacts.processID,
        command: command, output: output)
    }
  }

  /// A machine that is not said to be purged.
  package struct Entry: Sendable {
    package var relic: Relic
    package var name: MachineName { relic.name }
    /// Until when it is kept; milliseconds since 1970.
    package var keptUntil: Int64?

    package var isKept: Bool { keptUntil.map { $0 > Timestamp.now.milliseconds } ?? false }
  }

  package var header: Header
  package private(set) var open: [Entry] = []
  /// The machines that there were.
  package private(set) var count = 0

  /// `nil` when not even the header can be read.
  package init?(_ text: String) {
    var header: Header?
    for line in text.split(separator: "\n") {
      guard let json = JSONValue(line.utf8) else { continue }
      if header == nil {
        header = Header(json)
      } else if let name = json["intent"]?.string, let backend = json["backend"]?.string,
        let workspace = json["workspace"]?.string
      {
        count += 1
        let relic = Relic(
          name: MachineName(text: name), backend: backend, workspace: workspace, place: json["place"]?.string ?? "")
        open.append(Entry(relic: relic))
      } else if let name = json["purged"]?.string {
        open.removeAll { $0.name.text == name }
      } else if let name = json["kept"]?.string, let index = open.firstIndex(where: { $0.name.text == name }) {
        open[index].keptUntil = json["until"]?.integer
      }
    }
    guard let header else { return nil }
    self.header = header
  }
}

extension LedgerRecord.Header {
  fileprivate init?(_ json: JSONValue) {
    guard json["ledger"]?.string == Ledger.schema, let run = json["run"]?.string, let host = json["host"]?.string,
      let user = json["user"]?.integer, let processID = json["pid"]?.integer
    else {
      return nil
    }
    self.init(
      run: run, host: host, user: UInt32(truncatingIfNeeded: user), processID: Int32(truncatingIfNeeded: processID),
      command: json["command"]?.string ?? "", output: json["output"]?.string ?? "")
  }
}
