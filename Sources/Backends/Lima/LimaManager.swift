package import MusterCatalog
package import MusterGuest
package import MusterHost
package import MusterMachines
package import MusterManagers

/// Lima. It has no daemon: each machine has a host agent of its own, which outlives the client that started it.
package struct LimaManager: Manager {
  package var client: ManagerClient
  package let nameLimit: Int
  /// The folder of all its instances.
  private let home: String

  package init(executable: String? = nil, environment: [String: String?] = [:], grace: Duration = .seconds(2)) {
    client = ManagerClient(Self.words, executable: executable, environment: environment, grace: grace)
    home =
      (environment["LIMA_HOME"] ?? nil) ?? HostFacts.environment("LIMA_HOME") ?? "\(Directories.home() ?? "")/.lima"
    // The path of a socket of ssh's, for a moment with 17 characters more, must fit.
    let room = Self.longestSocket - "\(home)//ssh.sock.1234567890123456".utf8.count
    // Its host name is `lima-` and the name.
    nameLimit = max(Self.shortestName, min(58, room))
  }

  #if canImport(Darwin)
    private static let longestSocket = 103
  #else
    private static let longestSocket = 107
  #endif
  /// A name of Muster's with nothing of the test in it.
  private static let shortestName = 33

  // MARK: - What it has

  /// The first major version with `template:` in front of the names of templates.
  private static let oldest = (2, 0)

  package func status(_ patience: ManagerPatience) async throws -> BackendStatus {
    let version = try await client.text(["--version"], deadline: patience.question) { output in
      let words = output.text.split(separator: " ")
      return words.count == 3 && words[1] == "version" ? String(words[2]) : nil
    }
    var status = BackendStatus(version: "Lima \(version)")
    if let parts = version.versionParts, parts < Self.oldest {
      status.problem = Failure(.host, "Lima \(version) is too old", hint: "run '\(client.words.update)'")
    } else if "\(home)//ssh.sock.1234567890123456".utf8.count + Self.shortestName > Self.longestSocket {
      status.problem = Failure(
        .host, "the path of Lima's folder '\(home)' is too long for sockets", hint: "set LIMA_HOME to a short one")
    }
    return status
  }

  package func argument(for image: ImageDescription) -> String? { LimaImage.argument(for: image) }

  package let images = LimaImage.all

  /// What a machine's `message` says when it is Muster's. A clone has another name, and the same message.
  private static func message(_ name: String) -> String { "muster: \(name)" }

  package func instances(deadline: Duration) async throws -> [ManagedInstance] {
    try await client.text(["list", "--json"], deadline: deadline) { output in
      // An object in each line; nothing at all when there is none.
      let lines = output.text.split(whereSeparator: \.isNewline)
      let instances = lines.compactMap { line in
        JSONValue(line.utf8).flatMap { json in json["name"]?.string.map { Self.instance($0, json) } }
      }
      return instances.count == lines.count ? instances : nil
    }
  }

  private static func instance(_ name: String, _ json: JSONValue) -> ManagedInstance {
    let status = json["status"]?.string ?? ""
    let message = json["message"]?.string ?? ""
    // Of one whose configuration cannot be read nothing is known but the name.
    let isUnreadable = message.isEmpty && (status == "Broken" || status.isEmpty)
    let state: ManagedInstance.State =
      switch status {
      case "Stopped": .stopped(status)
      // Also for a moment when the host agent is slow to answer.
      case "Broken": .troubled(status)
      default: .alive
      }
    return ManagedInstance(name: name, state: state, isForeign: !isUnreadable && message != self.message(name))
  }

  // MARK: - What it is told

  package func creation(_ request: LaunchRequest, image: String) -> ManagerCall {
    let seconds = max(1, Int(request.deadline.seconds.rounded(.up)))
    // By default none reaches another; this network needs no rights.
    let network = request.network == nil ? [] : ["--network=lima:user-v2"]
    return ManagerCall(
      [
        "start", "--tty=false", "--name=\(request.name)", "--cpus=\(request.cpus)",
        "--memory=\(Self.gibibytes(request.memory))", "--disk=\(Self.gibibytes(request.disk))", "--mount-none",
        "--timeout=\(seconds)s", "--set", ".message=\"\(Self.message(request.name.text))\"",
      ] + network + [image])
  }

  /// As a decimal number with three digits behind the point, where they are needed.
  private static func gibibytes(_ bytes: Int64) -> String {
    let thousandths = (bytes >> 20) * 1000 / 1024
    let rest = thousandths % 1000
    guard rest != 0 else { return "\(thousandths / 1000)" }
    var digits = String(repeating: "0", count: 3 - String(rest).count) + String(rest)
    while digits.hasSuffix("0") { digits.removeLast() }
    return "\(thousandths / 1000).\(digits)"
  }

  package func activities(of name: MachineName) -> @Sendable (ProcessStream, [UInt8]) -> [String] {
    { stream, bytes in
      guard stream == .stderr else { return [] }
      return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).compactMap { line in
        guard let (level, text) = LimaLog.message(String(line)), level == "info", !text.hasPrefix("READY") else {
          return nil
        }
        return text.prefix(1).lowercased() + text.dropFirst()
      }
    }
  }

  package let preparation: String? = GuestPreparation.managedScript

  package func deletion(of name: MachineName) -> [String] { ["delete", "--force", name.text] }

  package func restart(of name: MachineName, seconds: Int) -> [[String]] {
    [["stop", name.text], start(of: name, seconds: seconds)]
  }

  package func start(of name: MachineName, seconds: Int) -> [String] {
    ["start", "--tty=false", "--timeout=\(seconds)s", name.text]
  }

  /// Without a name it would stop the instance `default`.
  package func stops(of name: MachineName) -> (inOrder: [String], byForce: [String]) {
    (["stop", name.text], ["stop", "--force", name.text])
  }

  package func guest(of name: MachineName) -> GuestClient {
    // A status of 255 is ssh's own, or the command's: what counts is what the job says by itself.
    let prefix = ["shell", "--workdir", "/", name.text, "--", "sudo", "-H"]
    return GuestClient(
      write: { [client] in client.command(prefix + ["sh", "-c", "umask 077; cat >\"$0\"", $0]) },
      execute: { [client] in client.command(prefix + $0) })
  }

  package func entrance(of name: MachineName) -> String { "limactl shell \(name)" }
}
