package import MusterHost
package import MusterMachines
import SystemPackage

/// Looks for what dead runs have left, and ends it. It touches nothing but what a ledger of this user and this host names
/// whose lock is free: that is proven to be Muster's, and dead.
package struct Sweep: Sendable {
  /// A dead run's machine.
  package struct Finding: Sendable {
    package var entry: LedgerRecord.Entry
    package var header: LedgerRecord.Header
    package var name: MachineName { entry.name }
  }

  /// Which machines of dead runs are purged.
  package enum Choice: Sendable {
    /// All but those that somebody asked to keep.
    case unkept
    case all
    /// These alone, kept or not; nothing else of their runs is touched.
    case named(Set<String>)

    var isOfWholeRuns: Bool { if case .named = self { false } else { true } }

    package func contains(_ finding: Finding) -> Bool {
      switch self {
      case .unkept: !finding.entry.isKept
      case .all: true
      case .named(let names): names.contains(finding.name.text)
      }
    }
  }

  /// What came of a sweep.
  package struct Result: Sendable {
    package var purged: [Finding] = []
    package var left: [(finding: Finding, failure: Failure)] = []
    /// Machines that somebody asked to keep.
    package var kept: [Finding] = []
    /// The paths of ledgers that nobody holds and that cannot be read: what they owned is not known.
    package var unreadable: [String] = []
  }

  private let state: String
  private let backends: BackendSet

  package init(state: String, backends: BackendSet) {
    self.state = state
    self.backends = backends
  }

  /// The machines on all ledgers: those of dead runs, which a sweep would find, and those that a live run or guardian owns.
  /// Nothing is changed.
  /// - Throws: `Failure` when the ledgers cannot be looked at.
  package func look() async throws(Failure) -> (dead: [Finding], live: [Finding]) {
    var (dead, live): ([Finding], [Finding]) = ([], [])
    for path in try paths() {
      if let (record, lock) = await self.dead(path) {
        lock.release()
        dead += record.open.map { Finding(entry: $0, header: record.header) }
      } else if isOwn(path), let record = record(path) {
        live += record.open.map { Finding(entry: $0, header: record.header) }
      }
    }
    return (dead, live)
  }

  /// The processes that dead runs have left, such as a download, by the run's ledger. A machine's own are among them.
  /// - Throws: `Failure` when the ledgers cannot be looked at.
  package func processes() async throws(Failure) -> [(header: LedgerRecord.Header, ids: [Int32])] {
    var found: [(LedgerRecord.Header, [Int32])] = []
    for path in try paths() {
      guard let (record, lock) = await dead(path) else { continue }
      lock.release()
      let ids = await ProcessTable.processes(ofRun: record.header.run)
      if !ids.isEmpty { found.append((record.header, ids)) }
    }
    return found
  }

  /// Ends all that dead runs have left: also their processes, and ledgers with nothing open.
  /// - Parameters:
  ///   - choice: Which machines.
  ///   - tell: Called before each, since a backend may take its time.
  /// - Throws: `Failure` when the ledgers cannot be looked at.
  package func perform(
    _ choice: Choice = .unkept, tell: (Finding) -> Void = { _ in }
  ) async throws(Failure) -> Result {
    var result = Result()
    for path in try paths() {
      guard let (record, lock) = await dead(path) else {
        if isUnreadable(path) { result.unreadable.append(path) }
        continue
      }
      await perform(record, path, lock, choice, tell, &result)
    }
    return result
  }

  private func perform(
    _ record: LedgerRecord, _ path: String, _ lock: HeldLock, _ choice: Choice,
    _ tell: (Finding) -> Void, _ result: inout Result
  ) async {
    // One that cannot be written to is no reason to leave a machine: the next sweep looks for it once more.
    let ledger = try? Ledger(record, at: path, lock: lock)
    defer { ledger == nil ? lock.release() : ledger?.close() }
    if choice.isOfWholeRuns { _ = await ProcessTable.end(ofRun: record.header.run) }
    for entry in record.open {
      let finding = Finding(entry: entry, header: record.header)
      guard choice.contains(finding) else {
        if entry.isKept { result.kept.append(finding) }
        continue
      }
      tell(finding)
      do throws(Failure) {
        try await backends.purge(entry.relic)
        ledger?.purged(entry.name)
        result.purged.append(finding)
      } catch {
        result.left.append((finding, error))
      }
    }
  }

  /// The ledgers, from the oldest.
  private func paths() throws(Failure) -> [String] {
    let folder = Ledger.folder(in: state)
    // What cannot be looked at is not empty.
    if FileSystem.exists(state), !FileSystem.isFolder(state) {
      throw Failure(
        .host, "'\(state)' is no folder that runs could have left anything in", hint: "name another with --state")
    }
    guard try FileSystem.information(folder) != nil else { return [] }
    return try FileSystem.names(in: folder).filter { $0.hasSuffix(Ledger.suffix) }.map { "\(folder)/\($0)" }
  }

  /// The ledger of a dead run, locked; `nil` for one of a live run, of another user, of another host, and for what is none.
  private func dead(_ path: String) async -> (LedgerRecord, HeldLock)? {
    guard isOwn(path), let lock = await lock(path) else { return nil }
    if let record = record(path) { return (record, lock) }
    // The run ended before its first line was whole, so it has made nothing.
    if let text = try? FileSystem.readText(path), !text.contains("\n") { try? FileSystem.remove(path) }
    lock.release()
    return nil
  }

  /// How long a process may take to die: it has its locks until the kernel has taken it apart, and so has a child that it
  /// was starting when it was killed.
  private static let dying = Duration.seconds(1)

  /// The lock of a ledger that neither its run nor a guardian has.
  private func lock(_ path: String) async -> HeldLock? {
    if let lock = (try? FileLock(path).take()) ?? nil { return lock }
    guard let record = record(path), !ForeignProcess(id: record.header.processID).isAlive else { return nil }
    return try? await FileLock(path).take(deadline: Self.dying)
  }

  /// What can be read of a ledger; `nil` for one of another user or another host.
  private func record(_ path: String) -> LedgerRecord? {
    guard let text = try? FileSystem.readText(path), let record = LedgerRecord(text), record.isOfThisUserAndHost else {
      return nil
    }
    return record
  }

  /// Whether it is a ledger with lines that nobody holds, of which not even the first can be read.
  private func isUnreadable(_ path: String) -> Bool {
    guard isOwn(path), let lock = (try? FileLock(path).take()) ?? nil else { return false }
    defer { lock.release() }
    guard let text = try? FileSystem.readText(path) else { return FileSystem.exists(path) }
    return LedgerRecord(text) == nil
  }

  private func isOwn(_ path: String) -> Bool {
    guard let information = try? FileSystem.information(path, followingLink: false) else { return false }
    return information.type == .regular && information.userID.rawValue == HostFacts.userID
  }
}

extension LedgerRecord {
  fileprivate var isOfThisUserAndHost: Bool { header.host == HostFacts.hostID && header.user == HostFacts.userID }
}

extension BackendSet {
  /// Ends what is left of a machine by the backend that made it; tried again, for a backend may be busy.
  /// - Throws: `Failure`, with what to do by hand as its hint.
  package func purge(_ relic: Relic, tries: Int = 3, pause: Duration = .milliseconds(200)) async throws(Failure) {
    guard let backend = backends.first(where: { $0.name == relic.backend }) else {
      throw Failure(.backend, "this Muster knows no backend '\(relic.backend)', which has made '\(relic.name)'")
    }
    var last: Failure?
    let start = AwakeClock.now
    // A backend that takes its time tries again by itself.
    for number in 0..<tries where start.duration(to: AwakeClock.now) < .seconds(30) {
      if number > 0 { await uncancelled { try? await Task.sleep(for: pause * (1 << number)) } }
      do {
        return try await backend.purge(relic)
      } catch let failure as Failure {
        last = failure
      } catch is CancellationError {
        throw Failure(.host, "its purge was cut off")
      } catch {
        last = Failure(.backend, "'\(relic.name)' could not be purged: \(error)")
      }
    }
    if let last { throw last }
  }
}
