package import MusterHost

/// The command of a manager. Every call has a deadline, since a daemon in trouble answers none of them, not even a list;
/// and its standard input is closed, unless it is given data, since the client may wait for it for ever.
package struct ManagerClient: Sendable {
  package var words: ManagerWords
  /// A name that is looked up on PATH, or a path.
  package var executable: String
  /// Changes to this process's own environment.
  package var environment: [String: String?]
  /// How long a client that is told to end may take until it is ended by KILL.
  package var grace: Duration

  /// How much of each stream is kept: of a server with thousands of instances a list of them.
  private static let limit = 64 << 20

  package init(
    _ words: ManagerWords, executable: String? = nil, environment: [String: String?] = [:],
    grace: Duration = .seconds(2)
  ) {
    self.words = words
    self.executable = executable ?? words.tool
    self.environment = environment
    self.grace = grace
  }

  package var isInstalled: Bool { executable.hasPrefix("/") || HostFacts.tool(executable) != nil }

  package func command(_ arguments: [String], input: [UInt8] = []) -> HostCommand {
    HostCommand(executable, arguments, environment: environment, input: input)
  }

  /// What a call answers, whatever its status is.
  /// - Throws: `Failure` when there is no such command or it does not end in time, `CancellationError`.
  package func answer(
    _ call: ManagerCall, deadline: Duration, output: (@Sendable (ProcessStream, [UInt8]) -> Void)? = nil
  ) async throws -> ProcessOutput {
    let kept = KeptOutput(limit: Self.limit)
    do {
      let command = command(call.arguments, input: call.input)
      let ending = try await command.run(deadline: deadline, grace: grace) { stream, bytes in
        kept.append(bytes, to: stream)
        output?(stream, bytes)
      }
      return kept.output(ending)
    } catch let error as HostCommandError {
      throw words.failure(of: call.arguments, error, deadline: deadline)
    }
  }

  /// What a call answers, whatever its status is.
  package func answer(_ arguments: [String], deadline: Duration) async throws -> ProcessOutput {
    try await answer(ManagerCall(arguments), deadline: deadline)
  }

  /// What a call answers that must succeed.
  /// - Throws: `Failure` when it does not, `CancellationError`.
  @discardableResult
  package func perform(_ arguments: [String], deadline: Duration) async throws -> ProcessOutput {
    let output = try await answer(arguments, deadline: deadline)
    guard output.ending.isSuccess else { throw words.failure(of: arguments, output) }
    return output
  }

  /// What a call answers, as `read` understands it.
  /// - Throws: `Failure`, for what it does not understand too; `CancellationError`.
  package func text<Value>(
    _ arguments: [String], deadline: Duration, _ read: (ProcessOutput) -> Value?
  ) async throws -> Value {
    let output = try await perform(arguments, deadline: deadline)
    guard output.stdout.count < Self.limit else {
      throw Failure(.backend, "\(words.tool) \(arguments[0]) answers with more than \(Self.limit >> 20) MiB")
    }
    guard let value = read(output) else {
      throw Failure(
        .backend, "\(words.tool) \(arguments[0]) answers with something unknown", evidence: output.text.firstLines(5),
        hint: words.restartHint)
    }
    return value
  }

  /// What a call answers as JSON.
  /// - Throws: `Failure`, for what is no JSON too; `CancellationError`.
  package func value<Value>(
    _ arguments: [String], deadline: Duration, _ read: (JSONValue) -> Value?
  ) async throws -> Value {
    try await text(arguments, deadline: deadline) { JSONValue($0.stdout).flatMap(read) }
  }
}

extension String {
  package func firstLines(_ count: Int) -> [String] {
    split(whereSeparator: \.isNewline).prefix(count).map { String($0.prefix(500)) }
  }

  /// The first two numbers of a version.
  package var versionParts: (Int, Int)? {
    let numbers = split(separator: ".").prefix(2).map { Int($0) ?? 0 }
    return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
  }
}
