import MusterHost
import Synchronization

/// The system's OpenSSH, with Muster's own keys and none of a person's configuration. The first command opens a
/// connection that stays and that later ones share.
struct SSHConnection: Sendable {
  let address: String
  let port: UInt16
  let user: String
  let identity: GuestIdentity
  /// The socket of the shared connection.
  let controlPath: String

  /// What `sun_path` of macOS holds with its NUL, less what ssh appends to the name while it makes the socket.
  static let longestControlPath = 103 - 17

  /// - Parameter connectionTimeout: How long a new connection may take until it is authenticated.
  func command(
    _ remote: String, connectionTimeout: Duration = .seconds(60), log: String? = nil
  ) -> HostCommand {
    let seconds = max(1, Int(connectionTimeout.seconds.rounded(.up)))
    var arguments = ["-F", "none", "-T", "-x", "-a", "-l", user, "-p", "\(port)"]
    if let log { arguments += ["-E", log] }
    for option in options + ["ConnectTimeout=\(seconds)"] { arguments += ["-o", option] }
    return HostCommand("ssh", arguments + ["--", address, remote])
  }

  private var options: [String] {
    [
      "BatchMode=yes", "PreferredAuthentications=publickey", "IdentitiesOnly=yes", "IdentityAgent=none",
      "IdentityFile=\(Self.quoted(identity.privateKeyPath))", "StrictHostKeyChecking=yes", "UpdateHostKeys=no",
      "UserKnownHostsFile=\(Self.quoted(identity.knownHostsPath))", "GlobalKnownHostsFile=/dev/null",
      "HostKeyAlias=\(GuestIdentity.hostAlias)", "HostKeyAlgorithms=ssh-ed25519", "CheckHostIP=no",
      // The default exchange is hybrid and costs an emulated CPU a tenth of a second for a link that is local.
      "KexAlgorithms=^curve25519-sha256", "Compression=no", "ForwardAgent=no", "ForwardX11=no",
      "ClearAllForwardings=yes", "LogLevel=ERROR", "ConnectionAttempts=1",
      // A machine at full load under emulation may not answer for a minute; a dead one never does.
      "ServerAliveInterval=15", "ServerAliveCountMax=10", "TCPKeepAlive=yes",
      "ControlMaster=auto", "ControlPath=\(Self.quoted(controlPath))", "ControlPersist=600",
    ]
  }

  /// A path as a value of ssh's configuration, where `%` begins a token.
  private static func quoted(_ path: String) -> String {
    "\"\(path.replacing("%", with: "%%"))\""
  }

  /// Ends the shared connection, and with it all commands that use it; returns when its process is gone.
  func end() async {
    let check = command("true").controlling("check")
    guard FileSystem.exists(controlPath), let output = try? await check.run(deadline: .seconds(30)) else { return }
    let text = String(decoding: output.stdout + output.stderr, as: UTF8.self)
    // `Master running (pid=1234)`
    let process = text.split(separator: "pid=").dropFirst().first.flatMap { Int32($0.prefix { $0.isNumber }) }
    _ = try? await command("true").controlling("exit").run(deadline: .seconds(30))
    if let process { await ForeignProcess(id: process).end(grace: .seconds(2)) }
    try? FileSystem.remove(controlPath)
  }
}

extension HostCommand {
  /// The same connection's options with a request to the process that holds it, in place of a command.
  fileprivate func controlling(_ request: String) -> HostCommand {
    var command = self
    command.arguments = ["-O", request] + arguments.dropLast()
    return command
  }
}

/// One job on its way: what it writes is handed on, and its last word is kept.
final class SSHExchange: Sendable {
  typealias Output = @Sendable (GuestStream, [UInt8]) async throws -> Void

  /// How the job came to its end, or why it did not.
  let report = Promise<Result<String, any Error>>()
  private let streams: Mutex<[GuestStream: MarkedStream]>
  private let handedOn = Mutex<[GuestStream: String]>([:])
  private let ended = Promise<Void>()
  private let task = Mutex<Task<Void, Never>?>(nil)

  init(job: GuestJob) {
    streams = Mutex([.stdout: MarkedStream(number: job.number), .stderr: MarkedStream(number: job.number)])
  }

  /// Starts ssh in a task of its own, which is not cancelled with the caller's. It goes on after the job's end for as long
  /// as something that the job left in the background has its streams, so that this is not ended by a broken pipe.
  func start(
    _ command: HostCommand, log: String, feed: (@Sendable (ProcessInput) async throws -> Void)?,
    output: @escaping Output
  ) {
    let work = Task {
      do {
        let ending = try await command.run(feed: feed) { stream, bytes in
          try await self.take(bytes, from: stream == .stdout ? .stdout : .stderr, output: output)
        }
        for stream in [GuestStream.stdout, .stderr] {
          let rest = streams.withLock { $0[stream]?.finish() ?? [] }
          if !rest.isEmpty, report.current == nil { try await output(stream, rest) }
        }
        report.keep(.failure(error(for: ending, log: log)))
      } catch let error as HostCommandError {
        report.keep(.failure(GuestError(.host, "\(error)")))
      } catch {
        report.keep(.failure(error))
      }
      try? FileSystem.remove(log)
      ended.keep(())
    }
    task.withLock { $0 = work }
  }

  private func take(_ bytes: [UInt8], from stream: GuestStream, output: Output) async throws {
    if report.current != nil { return }
    let own = streams.withLock { $0[stream]?.take(bytes) ?? [] }
    if !own.isEmpty { try await output(stream, own) }
    // Only what has been handed on counts: the other stream may be at its end already.
    let word = handedOn.withLock { words in
      words[stream] = streams.withLock { $0[stream]?.word }
      return words[.stdout] == nil ? nil : words[.stderr]
    }
    if let word { report.keep(.success(word)) }
  }

  /// ssh has ended and the job has not said how.
  private func error(for ending: ProcessEnding, log: String) -> GuestError {
    let said = (try? FileSystem.readText(log, limit: 1 << 16))?.trimmed ?? ""
    let noise = streams.withLock { String(decoding: $0[.stderr]?.noise ?? [], as: UTF8.self) }.trimmed
    let begun = streams.withLock { $0[.stderr]?.hasBegun == true }
    let reason = [said, noise].filter { !$0.isEmpty }.joined(separator: "; ")
    let detail = reason.isEmpty ? "ssh ended with \(ending)" : reason
    if begun { return GuestError(.unreachable, "the connection to the machine was lost: \(detail)") }
    if ending == .exited(255) { return GuestError(.unreachable, "the machine cannot be reached: \(detail)") }
    return GuestError(.circumstances, "the machine could not take a script: \(detail)")
  }

  var hasEnded: Bool { ended.current != nil }

  /// Ends ssh if it still runs, and returns when it is gone.
  func end() async {
    let work = task.withLock { $0 }
    work?.cancel()
    await work?.value
  }
}

extension String {
  /// Without the white space at both ends.
  var trimmed: String {
    var text = self[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
