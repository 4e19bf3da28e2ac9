import MusterGuest
import MusterHost

/// The command `multipass`. Every call has a deadline, since a daemon in trouble answers none of them, not even `list`;
/// and its standard input is closed, unless it is given data, since the client may wait for it for ever.
struct MultipassClient: Sendable {
  /// A name that is looked up on PATH, or a path.
  var executable = "multipass"
  /// Changes to this process's own environment.
  var environment: [String: String?] = [:]
  /// How long a client that is told to end may take until it is ended by KILL.
  var grace = Duration.seconds(2)

  /// How much of each stream is kept.
  private static let limit = 4 << 20

  var isInstalled: Bool { executable.hasPrefix("/") || HostFacts.tool(executable) != nil }

  func command(_ arguments: [String], input: [UInt8] = []) -> HostCommand {
    HostCommand(executable, arguments, environment: environment, input: input)
  }

  /// What a call answers, whatever its status is.
  /// - Throws: `Failure` when there is no such command or it does not end in time, `CancellationError`.
  func answer(
    _ arguments: [String], input: [UInt8] = [], deadline: Duration,
    output: (@Sendable (ProcessStream, [UInt8]) -> Void)? = nil
  ) async throws -> ProcessOutput {
    let kept = KeptOutput(limit: Self.limit)
    do {
      let ending = try await command(arguments, input: input).run(deadline: deadline, grace: grace) { stream, bytes in
        kept.append(bytes, to: stream)
        output?(stream, bytes)
      }
      return kept.output(ending)
    } catch let error as HostCommandError {
      throw MultipassTrouble.failure(of: arguments, error, deadline: deadline)
    }
  }

  /// What a call answers that must succeed.
  /// - Throws: `Failure` when it does not, `CancellationError`.
  @discardableResult
  func perform(_ arguments: [String], deadline: Duration) async throws -> ProcessOutput {
    let output = try await answer(arguments, deadline: deadline)
    guard output.ending.isSuccess else { throw MultipassTrouble.failure(of: arguments, output) }
    return output
  }

  /// What a call answers as JSON.
  /// - Throws: `Failure`, for what is no JSON too; `CancellationError`.
  private func value<Value>(
    _ arguments: [String], deadline: Duration, _ read: (JSONValue) -> Value?
  ) async throws -> Value {
    let output = try await perform(arguments, deadline: deadline)
    guard let json = JSONValue(output.stdout), let value = read(json) else {
      throw Failure(
        .backend, "multipass \(arguments[0]) answers with something unknown", evidence: output.text.firstLines(5),
        hint: MultipassTrouble.restartHint)
    }
    return value
  }

  /// The versions of the client and of its daemon; without the second, the daemon does not tell.
  func versions(deadline: Duration) async throws -> (client: String, daemon: String?) {
    try await value(["version", "--format", "json"], deadline: deadline) { json in
      json["multipass"]?.string.map { ($0, json["multipassd"]?.string) }
    }
  }

  /// An instance, of Muster or of anybody.
  struct Instance: Sendable, Hashable {
    var name: String
    /// `Running`, `Stopped`, `Deleted`, `Starting`, …
    var state: String
  }

  /// All instances but those that are still being prepared.
  func instances(deadline: Duration) async throws -> [Instance] {
    // Asking for addresses would log in to each.
    try await value(["list", "--no-ipv4", "--format", "json"], deadline: deadline) { json in
      guard let list = json["list"]?.array else { return nil }
      let instances = list.compactMap { entry in
        entry["name"]?.string.map { Instance(name: $0, state: entry["state"]?.string ?? "Unknown") }
      }
      return instances.count == list.count ? instances : nil
    }
  }

  /// Where a name is in the daemon's books.
  enum Whereabouts: Sendable, Hashable {
    /// It is being made, and nothing can be done to it yet: `list` does not know it.
    case preparing
    case existing
    /// There is none; or what asked for it has not come to the daemon yet.
    case none
  }

  /// Asks where a name is by changing a setting of it: no other question tells what is being prepared from what is not
  /// there. Only an instance that is stopped is changed; it is Muster's, and about to be deleted.
  /// - Throws: `Failure` for any answer that leaves it open, `CancellationError`.
  func whereabouts(of name: String, deadline: Duration) async throws -> Whereabouts {
    let arguments = ["set", "local.\(name).cpus=1"]
    let output = try await answer(arguments, deadline: deadline)
    if output.ending.isSuccess { return .existing }
    let text = output.errorText
    if text.contains("is being prepared") { return .preparing }
    if text.contains("reason: No such instance") { return .none }
    if text.contains("reason: Instance is deleted") || text.contains("reason: Instance must be stopped") {
      return .existing
    }
    throw MultipassTrouble.failure(of: arguments, output)
  }

  /// How a `ClientGuest` reaches an instance.
  func guest(of name: String) -> GuestClient {
    GuestClient(
      write: { command(["transfer", "-", "\(name):\($0)"]) },
      // Without -n it would look for this host's working folder in the machine.
      execute: { command(["exec", "-n", name, "--", "sudo", "-H"] + $0) })
  }
}

extension String {
  func firstLines(_ count: Int) -> [String] {
    split(whereSeparator: \.isNewline).prefix(count).map { String($0.prefix(200)) }
  }
}
