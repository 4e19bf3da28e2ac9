import MusterGuest
import MusterHost
import MusterTestSupport
import Testing

/// A real sshd on a port of 127.0.0.1, with the user that runs the tests as the machine's.
struct SSHServer: Sendable {
  let folder: TestFolder
  let identity: GuestIdentity
  let port: UInt16
  let process: RunningProcess

  /// The shell and tools that the machine has.
  enum Tools: String, CaseIterable, Sendable {
    case host, bash, busybox
  }

  /// Runs `body` with a server and a guest for it, and ends both.
  static func with(
    tools: Tools = .host, _ body: (SSHServer, SSHGuest) async throws -> Void
  ) async throws {
    let server = try await start(tools)
    let guest = server.guest("control")
    let result: Result<Void, any Error>
    do {
      result = .success(try await body(server, guest))
    } catch {
      result = .failure(error)
    }
    await guest.close()
    #expect(try await server.clients().isEmpty, "a process of ssh is left")
    #expect(try FileSystem.names(in: server.folder.path).filter { $0.hasPrefix("control") } == [])
    await server.process.terminate(grace: .seconds(1))
    try result.get()
  }

  func guest(
    _ name: String, endingDeadline: Duration = .seconds(30), lanes: Lanes? = nil, death: Promise<Void> = Promise()
  ) -> SSHGuest {
    SSHGuest(
      port: port, user: HostFacts.userName, identity: identity, controlPath: folder / name,
      endingDeadline: endingDeadline, lanes: lanes, death: death)
  }

  /// The process ids of all ssh clients of this server's guests.
  func clients() async throws -> [Int32] {
    try processes { $0.first?.hasSuffix("ssh") == true && $0.joined(separator: " ").contains(folder.path) }
  }

  /// The process ids of the server's sessions.
  func sessions() throws -> [Int32] {
    try children(of: process.processID)
  }

  private static func start(_ tools: Tools) async throws -> SSHServer {
    let folder = try TestFolder()
    let identity = try await GuestIdentity.load(in: folder / "identity")
    if HostFacts.isRoot { try FileSystem.createFolder("/run/sshd") }
    var path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    if tools != .host {
      try FileSystem.createFolder(folder / "tools")
      // Other users need the tools too.
      try FileSystem.setMode(0o711, of: folder.path)
      let script = tools == .bash ? "ln -s $(command -v bash) sh" : "busybox --install -s . && ln -sf /bin/su su"
      let made = try await HostCommand("sh", ["-c", script], directory: folder / "tools").run()
      try #require(made.ending.isSuccess, "\(tools) is missing: \(made.errorText)")
      path = tools == .bash ? "\(folder / "tools"):\(path)" : folder / "tools"
    }
    for _ in 0..<20 {
      let port = UInt16.random(in: 20_000..<60_000)
      let settings = """
        ListenAddress 127.0.0.1
        Port \(port)
        HostKey \(folder / "identity/host_ed25519")
        AuthorizedKeysFile \(folder / "identity/id_ed25519.pub")
        PidFile none
        StrictModes no
        UsePAM no
        PasswordAuthentication no
        MaxSessions 100
        SetEnv PATH=\(path)

        """
      try FileSystem.write(settings, to: folder / "sshd_config")
      let process = try await RunningProcess.start(
        HostCommand("/usr/sbin/sshd", ["-D", "-e", "-f", folder / "sshd_config"]), log: folder / "sshd.log")
      let server = SSHServer(folder: folder, identity: identity, port: port, process: process)
      while process.ended == nil {
        if try FileSystem.readText(folder / "sshd.log").contains("Server listening") { return server }
        try await Task.sleep(for: .milliseconds(5))
      }
      // The port was taken.
      let log = try FileSystem.readText(folder / "sshd.log")
      try #require(log.contains("Address already in use"), "\(log)")
      try FileSystem.remove(folder / "sshd.log")
    }
    throw Failure(.host, "no port is free")
  }
}

extension SSHGuest {
  func expectAnswer() async throws {
    if let error = await probe(deadline: .seconds(60)) { throw error }
  }

  /// Without a deadline, unless it is given one.
  func result(
    _ script: String, shell: [String] = ["sh", "-e"], user: String? = nil, directory: String? = nil,
    environment: [GuestCommand.Variable] = [], deadline: Duration? = nil
  ) async throws -> ScriptResult {
    try await (self as any Guest).result(
      script, shell: shell, user: user, directory: directory, environment: environment, deadline: deadline)
  }
}

func children(of parent: Int32) throws -> [Int32] {
  try FileSystem.names(in: "/proc").compactMap { Int32($0) }.filter { id in
    guard let stat = try? FileSystem.readText("/proc/\(id)/stat") else { return false }
    let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
    return fields.count > 1 && fields[0] != "Z" && Int32(fields[1]) == parent
  }
}
