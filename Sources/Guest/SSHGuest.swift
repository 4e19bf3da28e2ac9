package import MusterHost
import Synchronization

/// A machine that answers on ssh, prepared by `GuestPreparation`.
///
/// A script is one round trip, by a lane as long as there are any, and by ssh else. It ends when its own process does: all
/// that this one wrote is handed on, while what it left in the background lives on and is not waited for.
package final class SSHGuest: Guest {
  let carrier: SSHCarrier
  let lanes: Lanes?
  let runner: JobRunner

  /// With how few lanes left a connection is made, so that the script after the last lane's need not wait for one.
  private static let fewLanes = 3

  /// - Parameters:
  ///   - address: What of the host leads to the machine; Muster's backends forward a port of 127.0.0.1.
  ///   - controlPath: Where the socket of the shared connection goes, a path of at most 86 bytes in a folder that only
  ///     this user can enter. Files that begin with this name lie beside it while commands run.
  ///   - endingDeadline: How long the ending of a script in the machine may take, scaled for a slow one.
  ///   - lanes: The machine's, if it has any. They are used once they are armed.
  ///   - death: Kept when the machine is dead: from then on no script in it is waited for, so that it ends in order.
  ///   - areArmed: Whether all of them wait in the machine already, as they do in one that is resumed.
  package init(
    address: String = "127.0.0.1", port: UInt16, user: String = "root", identity: GuestIdentity, controlPath: String,
    endingDeadline: Duration = .seconds(30), lanes: Lanes? = nil, areArmed: Bool = false,
    death: Promise<Void> = Promise()
  ) {
    self.lanes = lanes
    if areArmed { lanes?.arm() }
    carrier = SSHCarrier(
      SSHConnection(address: address, port: port, user: user, identity: identity, controlPath: controlPath))
    runner = JobRunner(carrier: carrier, lanes: lanes, endingDeadline: endingDeadline, death: death)
  }

  /// Has the lanes wait in the machine, all or none; false when it cannot have any. From then on scripts go by them, until
  /// this is closed, as it is when the machine restarts.
  /// - Throws: `GuestError`, `CancellationError`.
  package func armLanes(deadline: Duration = .seconds(60)) async throws -> Bool {
    guard let lanes, !lanes.names.isEmpty else { return false }
    return try await arm(lanes, by: LaneAgent(lanes: lanes.names), deadline: deadline)
  }

  func arm(_ lanes: Lanes, by agent: LaneAgent, deadline: Duration) async throws -> Bool {
    if lanes.left != nil { return true }
    if lanes.areOver { return false }
    let word = try await runner.perform(agent.job, deadline: deadline).word
    guard word == "lanes \(agent.lanes.count)" else { return false }
    return await lanes.arm(within: deadline)
  }

  /// Asks once whether the machine lets Muster in; `nil` when it does. The connection stays for what comes next.
  package func probe(deadline: Duration) async -> GuestError? {
    do {
      _ = try await carrier.ask("exit 0", deadline: deadline)
      return nil
    } catch let error as GuestError {
      return error
    } catch {
      return GuestError(.unreachable, "the machine was not asked to the end: \(error)")
    }
  }

  /// Whether the machine never confirmed that it began with the last script, though that was waited for: nothing that the
  /// script does can be why.
  package var neverBegan: Bool { runner.neverBegan }

  /// Whether the machine no longer answered when the last script was to be ended: it may hang, and nobody can tell what the
  /// script would have come to.
  package var isSilent: Bool { runner.isSilent }

  /// The id of the machine's present boot, which no other boot has.
  /// - Throws: `GuestError`, `CancellationError`.
  package func bootID(deadline: Duration = .seconds(60)) async throws -> String {
    try await carrier.waitForServer()
    let id = try await carrier.ask("cat /proc/sys/kernel/random/boot_id", deadline: deadline).trimmed
    guard !id.isEmpty else { throw GuestError(.circumstances, "the machine has no boot id") }
    return id
  }

  /// Ends all connections to the machine, lanes too; no process of ssh is left. The next command makes a new one.
  package func close() async {
    lanes?.disarm()
    await runner.close()
    await carrier.close()
  }

  package func run(
    _ command: GuestCommand, deadline: Duration?,
    output: @escaping @Sendable (GuestStream, [UInt8]) async throws -> Void
  ) async throws -> GuestEnding {
    prepareForLastLane()
    return try await runner.run(command, deadline: deadline, output: output)
  }

  private func prepareForLastLane() {
    if let left = lanes?.left, left <= Self.fewLanes { carrier.connectAhead() }
  }

  package func upload(
    _ local: String, to path: String, mode: UInt16?, owner: String?, deadline: Duration?
  ) async throws {
    prepareForLastLane()
    try await runner.upload(local, to: path, mode: mode, owner: owner, deadline: deadline)
  }

  package func download(_ path: String, into folder: String, deadline: Duration?) async throws -> [String] {
    prepareForLastLane()
    return try await runner.download(path, into: folder, deadline: deadline)
  }
}

/// Brings jobs into a machine by ssh: one round trip each, with the program and what it reads on standard input.
final class SSHCarrier: JobCarrier {
  let connection: SSHConnection
  private let counter = Mutex(0)
  /// Until when the machine's server may refuse connections, since it starts anew.
  private let restart = Mutex<AwakeClock.Instant?>(nil)
  private let ahead = Mutex<(task: Task<Void, Never>, made: Promise<Void>)?>(nil)

  init(_ connection: SSHConnection) {
    self.connection = connection
  }

  func carriage(of job: GuestJob, feed: JobFeed?) throws(GuestError) -> JobCarriage {
    try checkControlPath()
    let log = nextLog()
    var command = connection.command(GuestJob.remoteCommand, log: log)
    command.input = job.bytes
    let connecting = ahead.withLock { $0?.made }
    return JobCarriage(
      run: { [self, command] output in
        _ = await connecting?.value()
        try await waitForServer()
        let ending = try await command.run(feed: feed) { stream, bytes in
          try await output(GuestStream(stream), bytes)
        }
        return { noise, hasBegun in
          let said = (try? FileSystem.readText(log, limit: 1 << 16))?.trimmed ?? ""
          let reason = [said, noise].filter { !$0.isEmpty }.joined(separator: "; ")
          let detail = reason.isEmpty ? "ssh ended with \(ending)" : reason
          if hasBegun { return GuestError(.unreachable, "the connection to the machine was lost: \(detail)") }
          if ending == .exited(255) { return GuestError(.unreachable, "the machine cannot be reached: \(detail)") }
          return GuestError(.circumstances, "the machine could not take a script: \(detail)")
        }
      },
      tidy: { try? FileSystem.remove(log) })
  }

  /// Says that the machine's server has just been told to start anew.
  func serverRestarts() {
    restart.withLock { $0 = AwakeClock.now.advanced(by: .seconds(120)) }
  }

  /// Returns when a server that starts anew lets Muster in, or has had the time to.
  func waitForServer() async throws {
    while let end = restart.withLock(\.self), AwakeClock.now < end {
      if (try? await ask("exit 0", deadline: .seconds(60))) != nil { break }
      try await Task.sleep(for: .milliseconds(100), clock: .awake)
    }
    restart.withLock { $0 = nil }
  }

  /// Makes the shared connection in the background; jobs that come meanwhile wait for it.
  func connectAhead() {
    ahead.withLock { ahead in
      if ahead != nil { return }
      let made = Promise<Void>()
      let task = Task {
        try? await waitForServer()
        _ = try? await ask("exit 0", deadline: .seconds(60))
        made.keep(())
      }
      ahead = (task, made)
    }
  }

  /// Ends the connection; no process of it is left.
  func close() async {
    let task = ahead.withLock { ahead in
      defer { ahead = nil }
      return ahead?.task
    }
    task?.cancel()
    await uncancelled { [connection] in
      await task?.value
      await connection.end()
    }
  }

  /// The output of a constant command that no person wrote.
  func ask(_ remote: String, deadline: Duration) async throws -> String {
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
