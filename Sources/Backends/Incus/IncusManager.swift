package import MusterCatalog
package import MusterGuest
package import MusterHost
package import MusterMachines
package import MusterManagers

/// Incus or LXD. The server fetches the images and verifies them.
package struct IncusManager: Manager {
  package var client: ManagerClient
  let dialect: IncusDialect
  let settings: IncusSettings
  let place: IncusPlace

  init(
    _ dialect: IncusDialect, settings: IncusSettings, place: IncusPlace? = nil, executable: String? = nil,
    environment: [String: String?] = [:], grace: Duration = .seconds(2)
  ) {
    let place = place ?? IncusPlace(settings, dialect)
    let client = ManagerClient(
      Self.words(dialect, project: place.project), executable: executable, environment: environment, grace: grace)
    self.init(dialect, settings: settings, place: place, client: client)
  }

  init(_ dialect: IncusDialect, settings: IncusSettings, place: IncusPlace, client: ManagerClient) {
    self.client = client
    self.dialect = dialect
    self.settings = settings
    self.place = place
  }

  package var nameLimit: Int { 63 }

  // MARK: - What it has

  /// The answer to a question of the server's own interface.
  func query<Value>(
    _ path: String, _ parameters: String = "", deadline: Duration, _ read: (JSONValue) -> Value?
  ) async throws -> Value {
    let address = "\(place.remote):/1.0\(path)?project=\(place.project)\(parameters)"
    return try await client.text(["query", address], deadline: deadline) { output in
      // Nothing at all is said of an empty mapping.
      read(output.text.isEmpty ? .null : JSONValue(output.stdout) ?? .string(output.text))
    }
  }

  package func status(_ patience: ManagerPatience) async throws -> BackendStatus {
    let answer = try await query("", deadline: patience.question) { $0["auth"] == nil ? nil : $0 }
    // It tells others no more of itself.
    guard answer["auth"]?.string == "trusted", let server = answer["environment"],
      let version = server["server_version"]?.string
    else { return BackendStatus(problem: untrusted) }
    var status = BackendStatus(version: "\(dialect.title) \(version)")
    if settings.instance == .container {
      status.remarks.append("its machines are containers, which share the kernel")
    } else if server["driver"]?.string?.contains("qemu") != true {
      status.problem = Self.noVirtualMachines(dialect)
      return status
    }
    let devices = try await query("/profiles/default", deadline: patience.question) { $0["devices"] }
    guard case .object(let members) = devices else { return status }
    if !members.values.contains(where: { $0["type"]?.string == "disk" && $0["path"]?.string == "/" }) {
      status.problem = Failure(
        .host, "\(dialect.title) has no storage for machines: the profile 'default' has no root disk",
        hint: Self.diskHint(dialect, project: place.project))
    } else if !members.values.contains(where: { $0["type"]?.string == "nic" }) {
      status.remarks.append("its machines have no network: the profile 'default' has none")
    }
    return status
  }

  private var untrusted: Failure {
    Failure(
      .host, "\(dialect.title) of '\(place.remote)' does not trust this user",
      hint: "get a token there ('\(dialect.tool) config trust add'), and give it to "
        + "'\(dialect.tool) remote add \(place.remote)-trusted'")
  }

  package func argument(for image: ImageDescription) -> String? {
    IncusImage(dialect: dialect, place: place).argument(for: image)
  }

  package var images: String { IncusImage.all }

  /// The key that an instance of Muster's bears from its creation on, with its name; a copy of it has another name.
  private static let (nameKey, hostKey) = ("user.muster", "user.muster.host")

  package func instances(deadline: Duration) async throws -> [ManagedInstance] {
    try await query("/instances", "&recursion=1", deadline: deadline) { json in
      guard let list = json.array else { return nil }
      let instances = list.compactMap { entry in entry["name"]?.string.map { Self.instance($0, entry) } }
      return instances.count == list.count ? instances : nil
    }
  }

  private static func instance(_ name: String, _ json: JSONValue) -> ManagedInstance {
    let status = json["status"]?.string ?? ""
    let config = json["config"]
    // A server may be shared by many hosts, each with runs of its own.
    let isOwn = config?[nameKey]?.string == name && config?[hostKey]?.string == HostFacts.hostID
    let state: ManagedInstance.State =
      switch status {
      case "Stopped": .stopped(status)
      case "Error": .troubled(status)
      default: .alive
      }
    // Of those on a member of a cluster that cannot be reached it tells no configuration.
    var isUnreadable = status == "Error"
    if case .object(let keys)? = config, !keys.isEmpty { isUnreadable = false }
    return ManagedInstance(
      name: name, state: state, identity: config?["volatile.uuid"]?.string, isForeign: !isOwn,
      isUnreadable: isUnreadable)
  }

  /// While something is done to an instance, nothing else can be; and one that is being created is in the list only once its
  /// image is there.
  package func whereabouts(of machine: ManagedName, deadline: Duration) async throws -> Whereabouts {
    let isBusy = try await query("/operations", "&recursion=1", deadline: deadline) { json -> Bool? in
      guard case .object(let states) = json else { return json == .null ? false : nil }
      return states.values.flatMap { $0.array ?? [] }.contains { Self.isTask($0, of: machine.name.text) }
    }
    if isBusy { return .preparing }
    return try await instances(deadline: deadline).contains(where: machine.fits) ? .existing : .none
  }

  private static func isTask(_ operation: JSONValue, of name: String) -> Bool {
    guard operation["class"]?.string == "task", case .object(let resources)? = operation["resources"],
      ["Running", "Pending", "Cancelling"].contains(operation["status"]?.string ?? "")
    else { return false }
    return resources.values.flatMap { $0.array ?? [] }.contains { resource in
      let path = (resource.string ?? "").prefix { $0 != "?" }
      return path.hasSuffix("/instances/\(name)") || path.hasSuffix("/containers/\(name)")
    }
  }

  // MARK: - What it is told

  private var project: [String] { ["--project", place.project] }
  private func path(of name: MachineName) -> String { "\(place.remote):\(name)" }

  package func creation(_ request: LaunchRequest, image: String) -> ManagerCall {
    let name = request.name.text
    var arguments = ["launch", image, path(of: request.name)] + project
    if settings.instance == .virtualMachine { arguments.append("--vm") }
    if let target = settings.target { arguments += ["--target", target] }
    var config = [
      "limits.cpu=\(request.cpus)", "limits.memory=\(request.memory >> 20)MiB", "\(Self.nameKey)=\(name)",
      "\(Self.hostKey)=\(HostFacts.hostID)", "cloud-init.user-data=\(GuestPreparation.managedUserData)",
    ]
    switch settings.instance {
    // The systemd of newer distros confines its own services by namespaces.
    case .container: config.append("security.nesting=true")
    // The boot loaders of most distros are not signed for it.
    case .virtualMachine: config.append("security.secureboot=false")
    }
    arguments += config.flatMap { ["--config", $0] }
    arguments += ["--device", "root,size=\(request.disk >> 20)MiB"]
    return ManagerCall(arguments)
  }

  package func activities(of name: MachineName) -> @Sendable (ProcessStream, [UInt8]) -> [String] {
    { stream, bytes in
      guard stream == .stdout else { return [] }
      return String(decoding: bytes, as: UTF8.self).split { $0 == "\r" || $0.isNewline }.compactMap { line in
        var text = line[...]
        while text.last?.isWhitespace == true { text.removeLast() }
        let words = ["Retrieving image", "Unpacking", "Remapping", "Transferring"]
        guard words.contains(where: text.hasPrefix) else { return nil }
        return text.prefix(1).lowercased() + text.dropFirst()
      }
    }
  }

  package var settling: String? { Self.settlingScript }
  package var preparation: String? { GuestPreparation.managedScript }

  /// Commands are executed from the first moment of a boot: before its services, and before it has an address.
  private static let settlingScript = """
    read -r first </proc/1/comm
    while [ "$first" = systemd ]; do
      case $(systemctl is-system-running --wait 2>/dev/null) in
        running | degraded | maintenance) break ;;
      esac
      sleep 0.1 || sleep 1
    done
    cards=0
    for card in /sys/class/net/*; do
      [ "${card##*/}" = lo ] || cards=1
    done
    count=0
    while [ $cards = 1 ] && [ $count -lt 100 ]; do
      grep -q '^[^[:space:]]*[[:space:]]00000000[[:space:]]' /proc/net/route && break
      count=$((count + 1))
      sleep 0.1 || sleep 1
    done
    exit 0
    """

  package func deletion(of name: MachineName) -> [String] { ["delete", "--force", path(of: name)] + project }

  package func restart(of name: MachineName, seconds: Int) -> [[String]] {
    [["restart", "--timeout", "\(seconds)", path(of: name)] + project]
  }

  package func start(of name: MachineName, seconds: Int) -> [String] { ["start", path(of: name)] + project }

  package func stops(of name: MachineName) -> (inOrder: [String], byForce: [String]) {
    (
      ["stop", "--timeout", "60", path(of: name)] + project, ["stop", "--force", path(of: name)] + project
    )
  }

  package func guest(of name: MachineName) -> GuestClient {
    // A status of 1 is the client's own, or the command's: what counts is what the job says by itself.
    let execution = ["exec", path(of: name)] + project + ["-T", "-n", "--cwd", "/", "--"]
    let push = ["file", "push", "--quiet"] + project + ["--mode", "0600", "--uid", "0", "--gid", "0", "-"]
    // The output of what ends within a moment may be lost on a busy host (seen with LXD 5.0), so there is one more process
    // that lives longer. What the job says comes at once all the same.
    let lasting = ["sh", "-c", "{ sleep 0.5 || sleep 1; } </dev/null >/dev/null 2>&1 & \"$@\"; wait", "sh"]
    return GuestClient(
      write: { [client] in client.command(push + ["\(path(of: name))\($0)"]) },
      execute: { [client] in client.command(execution + lasting + $0) })
  }

  package func entrance(of name: MachineName) -> String {
    let project = place.project == "default" ? "" : " --project \(place.project)"
    return
      "\(dialect.tool) start \(path(of: name))\(project)' and '\(dialect.tool) exec \(path(of: name))\(project) -- sh"
  }
}
