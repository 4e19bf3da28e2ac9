import MusterHost
import Synchronization

/// A machine that answers on ssh, prepared by `GuestPreparation`.
///
/// A script is one round trip. It ends when its own process does: all that this one wrote is handed on, while what it left
/// in the background lives on and is not waited for.
package final class SSHGuest: Guest {
  private let connection: SSHConnection
  private let exchanges = Mutex<[SSHExchange]>([])
  private let counter = Mutex(0)

  /// How long the ending of a script in the machine may take before it is given up.
  private let endingDeadline: Duration

  /// - Parameters:
  ///   - address: What of the host leads to the machine; Muster's backends forward a port of 127.0.0.1.
  ///   - controlPath: Where the socket of the shared connection goes, a path of at most 86 bytes in a folder that only
  ///     this user can enter. Files that begin with this name lie beside it while commands run.
  ///   - endingDeadline: How long the ending of a script in the machine may take, scaled for a slow one.
  package init(
    address: String = "127.0.0.1", port: UInt16, user: String = "root", identity: GuestIdentity, controlPath: String,
    endingDeadline: Duration = .seconds(30)
  ) {
    connection = SSHConnection(address: address, port: port, user: user, identity: identity, controlPath: controlPath)
    self.endingDeadline = endingDeadline
  }

  /// Asks once whether the machine lets Muster in; `nil` when it does. The connection stays for what comes next.
  package func probe(deadline: Duration) async -> GuestError? {
    do {
      _ = try await ask("exit 0", deadline: deadline)
      return nil
    } catch let error as GuestError {
      return error
    } catch {
      return GuestError(.unreachable, "the machine was not asked to the end: \(error)")
    }
  }

  /// The id of the machine's present boot, which no other boot has.
  /// - Throws: `GuestError`, `CancellationError`.
  package func bootID(deadline: Duration = .seconds(60)) async throws -> String {
    let id = try await ask("cat /proc/sys/kernel/random/boot_id", deadline: deadline).trimmed
    guard !id.isEmpty else { throw GuestError(.circumstances, "the machine has no boot id") }
    return id
  }

  /// Ends all connections to the machine; no process of ssh is left. The next command makes a new one.
  package func close() async {
    let connection = connection
    let open = exchanges.withLock { exchanges in
      defer { exchanges = [] }
      return exchanges
    }
    await uncancelled {
      for exchange in open { await exchange.end() }
      await connection.end()
    }
  }

  package func run(
    _ command: GuestCommand, deadline: Duration?,
    output: @escaping @Sendable (GuestStream, [UInt8]) async throws -> Void
  ) async throws -> GuestEnding {
    try command.check()
    let job = GuestJob(running: command)
    let script = Array(command.script.utf8)
    let exchange = try start(job, feed: { input in _ = await input.write(script) }, output: output)
    let finding = await finding(of: exchange, deadline: deadline)
    switch finding {
    case .report(.success(let word)):
      return try command.ending(word)
    case .report(.failure(let error)):
      // An error of the reader: the script may still run.
      if !(error is GuestError) { await end(job, exchange) }
      throw error
    case .deadline:
      await end(job, exchange)
      return .timedOut
    case .cancelled:
      await end(job, exchange)
      throw CancellationError()
    }
  }

  // MARK: Jobs

  enum Finding: Sendable {
    case report(Result<String, any Error>)
    case deadline
    case cancelled
  }

  /// Runs a job of Muster's own, and returns its last word and the end of what it wrote on its standard error.
  /// - Parameter isEnding: Whether it is the job that ends another, and is not ended itself.
  func perform(
    _ job: GuestJob, deadline: Duration?, isEnding: Bool = false,
    feed: (@Sendable (ProcessInput) async throws -> Void)? = nil,
    stdout: (@Sendable ([UInt8]) async throws -> Void)? = nil
  ) async throws -> (word: String, errorText: String) {
    let kept = Mutex<[UInt8]>([])
    let exchange = try start(job, feed: feed) { stream, bytes in
      if stream == .stdout {
        try await stdout?(bytes)
      } else {
        kept.withLock { $0 = Array(($0 + bytes).suffix(4096)) }
      }
    }
    let finding = await finding(of: exchange, deadline: deadline)
    if case .report(.success(let word)) = finding {
      return (word, kept.withLock { String(decoding: $0, as: UTF8.self) }.trimmed)
    }
    switch finding {
    case .report(.failure(let error)) where error is GuestError || isEnding:
      // There is no connection any more to end it by.
      throw error
    default:
      if isEnding { await uncancelled { await exchange.end() } } else { await end(job, exchange) }
    }
    switch finding {
    case .report(let result): return (try result.get(), "")
    case .deadline: throw GuestError(.transfer, "it took longer than \(deadline?.human ?? "")")
    case .cancelled: throw CancellationError()
    }
  }

  private func start(
    _ job: GuestJob, feed: (@Sendable (ProcessInput) async throws -> Void)?, output: @escaping SSHExchange.Output
  ) throws(GuestError) -> SSHExchange {
    try checkControlPath()
    let log = nextLog()
    var command = connection.command(GuestJob.remoteCommand, log: log)
    command.input = job.header
    let exchange = SSHExchange(job: job)
    exchanges.withLock { exchanges in
      exchanges.removeAll { $0.hasEnded }
      exchanges.append(exchange)
    }
    exchange.start(command, log: log, feed: feed, output: output)
    return exchange
  }

  private func finding(of exchange: SSHExchange, deadline: Duration?) async -> Finding {
    await withTaskGroup(of: Finding.self) { group in
      group.addTask {
        await exchange.report.value().map { .report($0) } ?? .cancelled
      }
      if let deadline {
        group.addTask {
          do {
            try await Task.sleep(for: deadline, clock: .awake)
            return .deadline
          } catch {
            return .cancelled
          }
        }
      }
      let first = await group.next() ?? .cancelled
      group.cancelAll()
      return first
    }
  }

  /// Ends what a job started in the machine, and its connection, whether or not the task is cancelled.
  private func end(_ job: GuestJob, _ exchange: SSHExchange) async {
    await uncancelled { [self] in
      _ = try? await perform(GuestJob(ending: job.id), deadline: endingDeadline, isEnding: true)
      // The job tidies up and says its last word once its script is gone.
      if case .deadline = await finding(of: exchange, deadline: .seconds(2)) { await exchange.end() }
    }
  }

  /// The output of a constant command that no person wrote.
  private func ask(_ remote: String, deadline: Duration) async throws -> String {
    try checkControlPath()
    let log = nextLog()
    defer { try? FileSystem.remove(log) }
    let command = connection.command(remote, connectionTimeout: deadline, log: log)
    do {
      let output = try await command.run(deadline: deadline, grace: .milliseconds(200), limit: 1 << 16)
      if output.ending.isSuccess { return output.text }
      let said = (try? FileSystem.readText(log, limit: 1 << 16))?.trimmed ?? ""
      throw GuestError(.unreachable, "the machine cannot be reached: \(said.isEmpty ? "\(output.ending)" : said)")
    } catch HostCommandError.timedOut {
      // A shared connection that no longer answers must not be asked again.
      let connection = connection
      await uncancelled { await connection.end() }
      throw GuestError(.unreachable, "the machine did not answer within \(deadline.human)")
    } catch let error as HostCommandError {
      throw GuestError(.host, "\(error)")
    }
  }

  private func checkControlPath() throws(GuestError) {
    guard connection.controlPath.utf8.count <= SSHConnection.longestControlPath else {
      throw GuestError(.host, "the path '\(connection.controlPath)' is too long for a socket")
    }
  }

  private func nextLog() -> String {
    let number = counter.withLock { counter in
      counter += 1
      return counter
    }
    return "\(connection.controlPath).\(number).log"
  }
}

extension GuestCommand {
  /// Variables that a shell does not let itself be given.
  private static let readOnly: Set = ["UID", "EUID", "PPID", "GROUPS", "BASHOPTS", "SHELLOPTS", "BASH_VERSINFO"]

  /// - Throws: `GuestError` for what no machine can do.
  fileprivate func check() throws(GuestError) {
    if let user, !ShellText.isUserName(user) {
      throw GuestError(.circumstances, "'\(user)' cannot be the name of a user")
    }
    for variable in environment {
      guard ShellText.isVariableName(variable.name) else {
        throw GuestError(.circumstances, "'\(variable.name)' cannot be the name of an environment variable")
      }
      guard !Self.readOnly.contains(variable.name) else {
        throw GuestError(.circumstances, "the variable '\(variable.name)' belongs to the shell and cannot be set")
      }
    }
    let texts = [script, directory ?? ""] + shell + environment.map(\.value)
    if texts.contains(where: { $0.utf8.contains(0) }) {
      throw GuestError(.circumstances, "a script, folder or variable contains a NUL byte")
    }
  }

  /// What the last word of a job says of the script.
  fileprivate func ending(_ word: String) throws(GuestError) -> GuestEnding {
    let parts = word.split(separator: " ")
    let number = parts.count == 2 ? Int(parts[1]) : nil
    switch (parts.first, number) {
    case ("exit", .some(let status)): return .exited(status)
    case ("signal", .some(let signal)): return .signaled(signal)
    case ("no-user", _): throw GuestError(.circumstances, "the machine has no user '\(user ?? "")'")
    case ("no-change", _):
      throw GuestError(
        .circumstances,
        "the machine cannot become the user '\(user ?? "root")': \(parts.dropFirst().joined(separator: " "))")
    case ("no-folder", _):
      throw GuestError(
        .circumstances,
        "the folder '\(directory ?? "")' does not exist in the machine, or \(user ?? "root") cannot enter it")
    case ("no-shell", _):
      throw GuestError(.circumstances, "the machine has no '\(shell.first ?? "sh")' to run the script with")
    case ("incomplete", _):
      throw GuestError(.circumstances, "the machine could not store the script; its disk may be full")
    default: throw GuestError(.unreachable, "the machine answered with something unknown: '\(word)'")
    }
  }
}
