import MusterHost

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
