import MusterHost

/// Muster's own keys: the one that opens every machine it prepares, and the one that every machine proves itself with.
///
/// They are made once and kept in the cache, so that a person's keys, agent and `known_hosts` are never touched, and so
/// that no machine has to make keys while it boots.
package struct GuestIdentity: Sendable, Hashable {
  /// The path of the private key that is root's in machines.
  package var privateKeyPath: String
  /// Its public key, as `authorized_keys` has it: one line without its end.
  package var publicKey: String
  /// The machines' private host key, ed25519, as its file has it.
  package var hostPrivateKey: String
  /// The machines' public host key: one line without its end.
  package var hostPublicKey: String
  /// The path of a `known_hosts` file that knows the host key by `hostAlias`.
  package var knownHostsPath: String

  /// What every machine is called in `known_hosts`.
  package static let hostAlias = "muster-guest"

  package init(
    privateKeyPath: String, publicKey: String, hostPrivateKey: String, hostPublicKey: String, knownHostsPath: String
  ) {
    self.privateKeyPath = privateKeyPath
    self.publicKey = publicKey
    self.hostPrivateKey = hostPrivateKey
    self.hostPublicKey = hostPublicKey
    self.knownHostsPath = knownHostsPath
  }

  /// Reads the keys of a folder, and makes both on the first use; safe when two processes do it at once.
  /// - Throws: `Failure`, `CancellationError`.
  package static func load(in folder: String) async throws -> GuestIdentity {
    if try FileSystem.information(folder) == nil { try await create(folder) }
    do throws(Failure) {
      // OpenSSH refuses a private key that others can read.
      for name in [userKey, hostKey] { try FileSystem.setMode(0o600, of: "\(folder)/\(name)") }
      return GuestIdentity(
        privateKeyPath: "\(folder)/\(userKey)",
        publicKey: try line("\(folder)/\(userKey).pub"),
        hostPrivateKey: try FileSystem.readText("\(folder)/\(hostKey)"),
        hostPublicKey: try line("\(folder)/\(hostKey).pub"),
        knownHostsPath: try existing("\(folder)/\(knownHosts)"))
    } catch {
      throw Failure(
        .host, "the keys to machines are damaged: \(error.message)",
        hint: "remove the folder '\(folder)'; new keys are made, and images that know the old ones are built again")
    }
  }

  private static let userKey = "id_ed25519"
  private static let hostKey = "host_ed25519"
  private static let knownHosts = "known_hosts"

  private static func create(_ folder: String) async throws {
    var parts = folder.split(separator: "/")
    parts.removeLast()
    let parent = "/" + parts.joined(separator: "/")
    try FileSystem.createFolder(parent)
    let temporary = try FileSystem.createTemporaryFolder("identity", in: parent)
    do {
      for name in [userKey, hostKey] {
        try await makeKey("\(temporary)/\(name)")
      }
      try FileSystem.write(
        "\(hostAlias) \(try line("\(temporary)/\(hostKey).pub"))\n", to: "\(temporary)/\(knownHosts)")
      try FileSystem.move(temporary, to: folder)
    } catch {
      try? FileSystem.removeTree(temporary)
      // Another process may have been faster; its keys are the ones.
      if FileSystem.isFolder(folder) { return }
      throw error
    }
  }

  /// Makes a pair of keys, the private one at `path`.
  static func makeKey(_ path: String) async throws {
    let output: ProcessOutput
    do {
      output = try await HostCommand("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "muster", "-f", path])
        .run(deadline: .seconds(60))
    } catch let error as HostCommandError {
      throw Failure(.host, "\(error)", hint: "install OpenSSH's client (openssh-client, openssh-clients or openssh)")
    }
    guard output.ending.isSuccess else {
      throw Failure(.host, "ssh-keygen failed with \(output.ending)", evidence: [output.errorText])
    }
  }

  static func line(_ path: String) throws(Failure) -> String {
    let text = try FileSystem.readText(path, limit: 1 << 16)
    guard let line = text.split(separator: "\n").first, line.hasPrefix("ssh-ed25519 ") else {
      throw Failure(.host, "'\(path)' holds no ed25519 key")
    }
    return String(line)
  }

  private static func existing(_ path: String) throws(Failure) -> String {
    guard FileSystem.isFile(path) else { throw Failure(.host, "'\(path)' is missing") }
    return path
  }
}
