import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The lock of this machine: one run at a time, whoever asks. Beside the lock file, who has it says so in a file of its own,
/// since the lock file may belong to another user.
package struct RunLock: Sendable, Hashable {
  package let lock: FileLock

  /// - Parameter path: The lock file; all users of the machine must mean the same.
  package init(path: String) {
    lock = FileLock(path)
  }

  /// The lock that `VM_LOCK_FILE` names, or `/tmp/muster.lock`: the one folder that every user of Linux and macOS can
  /// write to, on the machine's own disk or memory.
  package init(environment: (String) -> String? = HostFacts.environment) {
    let path = environment("VM_LOCK_FILE").flatMap { $0.isEmpty ? nil : $0 }
    self.init(path: path.map(Directories.absolute) ?? "/tmp/muster.lock")
  }

  /// How long to wait: `VM_LOCK_TIMEOUT` in whole seconds, or five minutes.
  package static func timeout(environment: (String) -> String? = HostFacts.environment) -> Duration {
    let seconds = environment("VM_LOCK_TIMEOUT").flatMap { Int64($0) }
    return .seconds(seconds.map { min(max($0, 0), 1 << 32) } ?? 300)
  }

  /// Takes the lock and writes down who has it now.
  /// - Parameter waiting: Called when the waiting begins and then about once a second.
  /// - Throws: `LockTimeout`, `Failure`, `CancellationError`.
  package func take(
    deadline: Duration?, as holder: LockHolder, waiting: (Duration) async -> Void = { _ in }
  ) async throws -> HeldRunLock {
    let held = try await lock.take(deadline: deadline, waiting: waiting)
    tell(holder)
    return HeldRunLock(held: held, record: ownRecord)
  }

  /// Writes down who has the lock now, which the caller or a process that it shares the lock with has.
  package func tell(_ holder: LockHolder) {
    // A missing record only means that others are told less.
    try? FileSystem.write(holder.text, to: ownRecord, mode: 0o644)
  }

  /// Removes the record; the caller still has the lock.
  package func tellNobody() {
    try? FileSystem.remove(ownRecord)
  }

  /// Who has the lock; `nil` when nobody has. What cannot be told of the holder is said by its fields.
  package func holder() -> LockHolder? {
    guard lock.isHeld else { return nil }
    let path = FilePath(lock.path)
    let folder = path.removingLastComponent()
    guard let name = path.lastComponent?.string, let names = try? FileSystem.names(in: folder.string) else {
      return .unknown
    }
    let records = names.filter { $0.hasPrefix("\(name).by-") && !$0.hasSuffix(".tmp") }.compactMap { record in
      let bytes = try? FileSystem.read(folder.appending(record).string, limit: 1 << 16)
      return bytes.flatMap { LockHolder(text: String(decoding: $0, as: UTF8.self)) }
    }
    // Every holder writes its record when it has the lock, so that of a dead one is always older.
    return records.filter(\.isAlive).max { $0.since < $1.since } ?? .unknown
  }

  /// One per user: in a sticky folder nobody can replace the record of another.
  private var ownRecord: String { "\(lock.path).by-\(geteuid())" }
}

/// The machine's lock, held.
package final class HeldRunLock: Sendable {
  package let held: HeldLock
  private let record: String

  init(held: HeldLock, record: String) {
    self.held = held
    self.record = record
  }

  deinit {
    release()
  }

  /// Leaves the lock to another process that shares it, and that tells what it has it for.
  package func handOver() {
    held.handOver()
  }

  package func release() {
    // The record first: once the lock is gone it may be another process of this user that wrote it.
    if held.isHeld { try? FileSystem.remove(record) }
    held.release()
  }
}

/// Who has the machine's lock, and what for.
package struct LockHolder: Sendable, Hashable {
  package var processID: Int32
  package var user: String
  /// What it is doing, such as `muster run matrix.yaml`.
  package var command: String
  /// The name of its matrix.
  package var matrix: String
  /// Milliseconds since 1970.
  package var since: Int64

  package init(
    processID: Int32 = HostFacts.processID, user: String = HostFacts.userName, command: String, matrix: String,
    since: Int64 = Timestamp.now.milliseconds
  ) {
    self.processID = processID
    self.user = user
    self.command = command
    self.matrix = matrix
    self.since = since
  }

  /// A holder that left no record, or one that cannot be read.
  package static let unknown = LockHolder(processID: 0, user: "", command: "", matrix: "", since: 0)

  /// Whether its process lives; that of another user counts too.
  var isAlive: Bool {
    processID > 0 && (kill(processID, 0) == 0 || errno == EPERM)
  }

  /// A line for each field.
  var text: String {
    """
    pid: \(processID)
    user: \(user.singleLine)
    command: \(command.singleLine)
    matrix: \(matrix.singleLine)
    since: \(since)

    """
  }

  /// Anybody may have written such a file, so it is believed only as far as it can be shown.
  init?(text: String) {
    var fields: [Substring: Substring] = [:]
    for line in text.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { return nil }
      fields[line[..<colon]] = line[line.index(after: colon)...].drop { $0 == " " }
    }
    guard let processID = fields["pid"].flatMap({ Int32($0) }), let since = fields["since"].flatMap({ Int64($0) }),
      since <= Timestamp.now.milliseconds + 60_000
    else { return nil }
    self.init(
      processID: processID, user: String(fields["user"] ?? "").singleLine,
      command: String(fields["command"] ?? "").singleLine, matrix: String(fields["matrix"] ?? "").singleLine,
      since: since)
  }
}

extension String {
  /// At most 200 characters, none of which could move a terminal's cursor.
  fileprivate var singleLine: String {
    var text = ""
    for scalar in unicodeScalars.prefix(200) {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
        text.append(" ")
      default:
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
