import Subprocess
import SystemPackage

/// A command on this host: what to start, and nothing of how it is watched.
package struct HostCommand: Sendable, Hashable {
  /// A name that is looked up on PATH, or a path if it contains a slash.
  package var executable: String
  package var arguments: [String]
  /// Changes to this process's own environment; `nil` removes a variable.
  package var environment: [String: String?]
  /// The folder it starts in; `nil` for this process's own.
  package var directory: String?
  /// Bytes for its standard input, which is then closed.
  package var input: [UInt8]

  package init(
    _ executable: String, _ arguments: [String] = [], environment: [String: String?] = [:],
    directory: String? = nil, input: [UInt8] = []
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
    self.input = input
  }
}

/// How a process ended.
package enum ProcessEnding: Sendable, Hashable, CustomStringConvertible {
  case exited(Int32)
  case signaled(Int32)

  package var isSuccess: Bool { self == .exited(0) }

  package var description: String {
    switch self {
    case .exited(let status): "exit status \(status)"
    case .signaled(let signal): "signal \(signal)"
    }
  }
}

package enum ProcessStream: String, Sendable, Hashable, Codable {
  case stdout
  case stderr
}

/// What a finished process left: its ending and the first bytes of each stream.
package struct ProcessOutput: Sendable {
  package var ending: ProcessEnding
  package var stdout: [UInt8]
  package var stderr: [UInt8]

  /// Standard output as text, less one newline at its end.
  package var text: String { Self.text(of: stdout) }
  /// Standard error as text, less one newline at its end.
  package var errorText: String { Self.text(of: stderr) }

  private static func text(of bytes: [UInt8]) -> String {
    String(decoding: bytes.last == 0x0A ? bytes.dropLast() : bytes[...], as: UTF8.self)
  }
}

/// Why a host command gave no ending.
package enum HostCommandError: Error, Sendable, CustomStringConvertible {
  /// No such executable on PATH.
  case notFound(String)
  /// It did not end in time, and was ended with its process group.
  case timedOut(String, after: Duration)
  /// It could not be started or its streams could not be read.
  case failed(String, reason: String)

  package var description: String {
    switch self {
    case .notFound(let name): "'\(name)' is not installed"
    case .timedOut(let name, let time): "'\(name)' did not end within \(time)"
    case .failed(let name, let reason): "'\(name)' could not be run: \(reason)"
    }
  }
}

extension HostCommand {
  /// Runs the command in a process group of its own, keeping at most `limit` bytes of each stream (the rest is read
  /// and dropped).
  ///
  /// Cancelling the task ends the process group: TERM, and KILL after `grace`; then `CancellationError` is thrown.
  /// - Throws: `HostCommandError`, or `CancellationError`. An exit status other than 0 is not an error.
  package func run(
    deadline: Duration? = nil, grace: Duration = .seconds(2), limit: Int = 1 << 20
  ) async throws -> ProcessOutput {
    var stdout: [UInt8] = []
    var stderr: [UInt8] = []
    let kept = KeptOutput(limit: limit)
    let ending = try await run(deadline: deadline, grace: grace) { stream, bytes in
      await kept.append(bytes, to: stream)
    }
    (stdout, stderr) = await (kept.stdout, kept.stderr)
    return ProcessOutput(ending: ending, stdout: stdout, stderr: stderr)
  }

  /// Runs the command in a process group of its own and hands on its output as it comes. `output` is awaited before
  /// more is read, so a slow reader slows the process and costs no memory. It may be called for both streams at once.
  package func run(
    deadline: Duration? = nil, grace: Duration = .seconds(2),
    output: @escaping @Sendable (ProcessStream, [UInt8]) async throws -> Void
  ) async throws -> ProcessEnding {
    try await withDeadline(deadline, of: executable) {
      try await execute(grace: grace, output: output)
    }
  }

  private func execute(
    grace: Duration, output: @escaping @Sendable (ProcessStream, [UInt8]) async throws -> Void
  ) async throws -> ProcessEnding {
    do {
      let result = try await Subprocess.run(
        configuration(grace: grace), input: .array(input), output: .sequence, error: .sequence
      ) { execution in
        try await withThrowingTaskGroup(of: Void.self) { group in
          let (out, err) = (execution.standardOutput, execution.standardError)
          group.addTask {
            for try await buffer in out { try await output(.stdout, buffer.array) }
          }
          group.addTask {
            for try await buffer in err { try await output(.stderr, buffer.array) }
          }
          try await group.waitForAll()
        }
      }
      try Task.checkCancellation()
      return ProcessEnding(result.terminationStatus)
    } catch let error as SubprocessError {
      // A process that was ended because of a cancellation may also be told as a failed read.
      try Task.checkCancellation()
      throw hostCommandError(error)
    }
  }

  func hostCommandError(_ error: SubprocessError) -> HostCommandError {
    error.code == .executableNotFound
      ? .notFound(executable) : .failed(executable, reason: "\(error)")
  }

  func configuration(grace: Duration) -> Configuration {
    var options = PlatformOptions()
    options.processGroupID = 0
    options.teardownSequence = [
      .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: grace)
    ]
    let changes = environment.reduce(into: [Environment.Key: String?]()) { changes, change in
      if let key = Environment.Key(rawValue: change.key) { changes[key] = .some(change.value) }
    }
    return Configuration(
      executable: executable.contains("/") ? .path(FilePath(executable)) : .name(executable),
      arguments: Arguments(arguments), environment: .inherit.updating(changes),
      workingDirectory: directory.map { FilePath($0) }, platformOptions: options)
  }
}

/// Runs `body`, cancelling it when `deadline` has passed.
private func withDeadline<Result: Sendable>(
  _ deadline: Duration?, of name: String, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  guard let deadline else { return try await body() }
  return try await withThrowingTaskGroup(of: Result?.self) { group in
    group.addTask { try await body() }
    group.addTask {
      try await Task.sleep(for: deadline, clock: .continuous)
      return nil
    }
    defer { group.cancelAll() }
    if let result = try await group.next() ?? nil { return result }
    group.cancelAll()
    // The process is gone only when its task has ended.
    while let _ = try? await group.next() {}
    try Task.checkCancellation()
    throw HostCommandError.timedOut(name, after: deadline)
  }
}

private actor KeptOutput {
  let limit: Int
  var stdout: [UInt8] = []
  var stderr: [UInt8] = []

  init(limit: Int) {
    self.limit = limit
  }

  func append(_ bytes: [UInt8], to stream: ProcessStream) {
    switch stream {
    case .stdout: stdout += bytes.prefix(limit - stdout.count)
    case .stderr: stderr += bytes.prefix(limit - stderr.count)
    }
  }
}

extension ProcessEnding {
  init(_ status: TerminationStatus) {
    switch status {
    case .exited(let code): self = .exited(code)
    case .signaled(let code): self = .signaled(code)
    }
  }
}

extension SubprocessOutputSequence.Buffer {
  fileprivate var array: [UInt8] {
    unsafe withUnsafeBytes { unsafe Array($0) }
  }
}
