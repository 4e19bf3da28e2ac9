import ArgumentParser
import MusterHost

/// `muster lock`: who runs on this machine just now.
struct Lock: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell who holds this machine's lock, since when, doing what.")

  @OptionGroup var lock: LockOptions

  @Option(help: "How to print.")
  var format: TableFormat = .table

  @OptionGroup var global: GlobalOptions

  func run() throws {
    let holder = lock.lock.holder()
    switch format {
    case .table: Console.write((holder?.told ?? "nobody holds the lock") + "\n")
    case .json: Console.write(json(holder))
    }
  }

  private func json(_ holder: LockHolder?) -> String {
    var json = JSONWriter()
    json.object { json in
      json.member("lock", lock.lock.lock.path)
      json.member("held", holder != nil)
      if let holder, holder != .unknown {
        json.member("pid", Int64(holder.processID))
        json.member("user", holder.user)
        json.member("command", holder.command)
        json.member("matrix", holder.matrix)
        json.member("since", Timestamp(milliseconds: holder.since).iso8601())
      }
    }
    json.newline()
    return String(decoding: json.take(), as: UTF8.self)
  }
}

/// Where the lock is, and how long to wait for it.
struct LockOptions: ParsableArguments {
  @Option(
    name: .customLong("lock-file"),
    help: ArgumentHelp("The lock file (default: $VM_LOCK_FILE, or /tmp/muster.lock).", valueName: "path"))
  var file: String?

  var lock: RunLock {
    file.map { RunLock(path: Directories.absolute($0)) } ?? RunLock()
  }
}

extension LockHolder {
  /// As in `process 4242 of ada, since 2026-11-21T04:03:55Z: muster run greeter.yaml (Greeter 1.2)`.
  var told: String {
    guard self != .unknown else { return "a process that left no word of itself" }
    let time = Timestamp(milliseconds: since).iso8601()
    return "process \(processID) of \(user), since \(time): \(command)" + (matrix.isEmpty ? "" : " (\(matrix))")
  }
}
