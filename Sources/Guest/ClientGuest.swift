package import MusterHost
import Synchronization

/// What the client of a virtual machine manager can do with a machine: all that a `ClientGuest` asks of it.
package struct GuestClient: Sendable {
  /// The command that writes its standard input to a new file in the machine, at an absolute path.
  package var write: @Sendable (_ path: String) -> HostCommand
  /// The command that executes words in the machine, as root and with standard input closed, and hands on both of its
  /// output streams. Its exit status means nothing: that of the words may look like the client's own.
  package var execute: @Sendable (_ words: [String]) -> HostCommand

  package init(
    write: @escaping @Sendable (_ path: String) -> HostCommand,
    execute: @escaping @Sendable (_ words: [String]) -> HostCommand
  ) {
    self.write = write
    self.execute = execute
  }
}

/// A machine that is reached by its manager's client, and not by a connection of Muster's own.
///
/// A script is two calls of the client: one brings it into the machine, one executes it. How it ended is told by the
/// job's own markers. It ends when its own process does; what it left in the background lives on, and is not waited for.
package final class ClientGuest: Guest {
  private let runner: JobRunner
  private let knownBoot: KnownBoot

  /// - Parameters:
  ///   - endingDeadline: How long the ending of a script in the machine may take, scaled for a slow one.
  ///   - death: Kept when the machine is dead: from then on no script in it is waited for, so that it ends in order.
  ///   - lost: Called when the machine could not be reached.
  package init(
    _ client: GuestClient, endingDeadline: Duration = .seconds(30), death: Promise<Void> = Promise(),
    lost: @escaping @Sendable () -> Void = {}
  ) {
    knownBoot = KnownBoot()
    runner = JobRunner(
      carrier: ClientCarrier(client: client, boot: knownBoot, lost: lost), endingDeadline: endingDeadline, death: death)
  }

  /// The boot that scripts are meant for, by its id; `nil` for any. A client may start a machine that has died, and a script
  /// must not pass in what came up.
  package var boot: String? {
    get { knownBoot.id.withLock { $0 } }
    set { knownBoot.id.withLock { $0 = newValue } }
  }

  /// What is thrown by a script that was meant for another boot.
  package static let hasRestarted = GuestError(.unreachable, "the machine has restarted by itself")

  /// Asks once whether the machine executes anything; `nil` when it does.
  package func probe(deadline: Duration) async -> GuestError? {
    do {
      // What does no harm need not be ended in a machine that may not answer to that either.
      _ = try await runner.perform(GuestJob("finish ready"), deadline: deadline, isEnded: false)
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

  /// The id of the machine's present boot, which no other boot has.
  /// - Throws: `GuestError`, `CancellationError`.
  package func bootID(deadline: Duration = .seconds(60)) async throws -> String {
    let job = GuestJob("read -r boot </proc/sys/kernel/random/boot_id\nfinish \"boot $boot\"")
    let id = try await runner.perform(job, deadline: deadline, isEnded: false).word.dropFirst("boot ".count)
    guard !id.isEmpty else { throw GuestError(.circumstances, "the machine has no boot id") }
    return String(id)
  }

  /// Ends all calls of the client that still run.
  package func close() async {
    await runner.close()
  }

  package func run(
    _ command: GuestCommand, deadline: Duration?,
    output: @escaping @Sendable (GuestStream, [UInt8]) async throws -> Void
  ) async throws -> GuestEnding {
    try await runner.run(command, deadline: deadline, output: output)
  }

  package func upload(
    _ local: String, to path: String, mode: UInt16?, owner: String?, deadline: Duration?
  ) async throws {
    try await runner.upload(local, to: path, mode: mode, owner: owner, deadline: deadline)
  }

  package func download(_ path: String, into folder: String, deadline: Duration?) async throws -> [String] {
    try await runner.download(path, into: folder, deadline: deadline)
  }
}

private final class KnownBoot: Sendable {
  let id = Mutex<String?>(nil)
}

/// Brings jobs into a machine as files: the client's standard input cannot be relied on while something is executed.
private struct ClientCarrier: JobCarrier {
  let client: GuestClient
  let boot: KnownBoot
  let lost: @Sendable () -> Void

  /// How much of what the client says is kept.
  private static let mostSaid = 4096
  /// How long a script may take to come into the machine; what an upload brings has its own time.
  private static let writing = Duration.seconds(300)
  /// Becomes the job `$0` if the boot is `$1`.
  private static let inBoot = """
    read -r boot </proc/sys/kernel/random/boot_id
    [ "$boot" = "$1" ] || { rm -f "$0"; echo "\(ClientGuest.hasRestarted.message)" >&2; exit 1; }
    exec sh "$0"
    """

  func carriage(of job: GuestJob, feed: JobFeed?) throws(GuestError) -> JobCarriage {
    let (client, boot, lost) = (client, boot.id.withLock { $0 }, lost)
    // What an upload brings is part of the file. /tmp would be memory in many distros.
    let path = "/var/tmp/muster-\(job.id)"
    return JobCarriage(
      run: { output in
        var writing = client.write(path)
        writing.input = Array(GuestJob.fileHead.utf8) + job.bytes
        let said = LastSaid(limit: Self.mostSaid)
        let written: ProcessEnding
        do {
          written = try await writing.run(deadline: feed == nil ? Self.writing : nil, feed: feed) { stream, bytes in
            if stream == .stderr { said.append(bytes) }
          }
        } catch HostCommandError.timedOut {
          lost()
          throw GuestError(
            .unreachable, "the machine takes no file: its manager did not answer within \(Self.writing.human)")
        }
        guard written.isSuccess else {
          lost()
          throw GuestError(
            .unreachable, "the machine takes no file: \(said.text ?? "the client ended with \(written)")")
        }
        let words = boot.map { ["sh", "-c", Self.inBoot, path, $0] } ?? ["sh", path]
        let ending = try await client.execute(words).run { stream, bytes in
          try await output(GuestStream(stream), bytes)
        }
        return { noise, hasBegun in
          lost()
          if !hasBegun, noise.contains(ClientGuest.hasRestarted.message) { return ClientGuest.hasRestarted }
          let detail = noise.isEmpty ? "the client ended with \(ending)" : noise
          return GuestError(
            .unreachable, hasBegun ? "the machine was lost: \(detail)" : "the machine cannot be reached: \(detail)")
        }
      })
  }
}
