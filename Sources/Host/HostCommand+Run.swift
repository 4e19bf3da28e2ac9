import Subprocess
import Synchronization
import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

extension HostCommand {
  /// Runs the command in a process group of its own, keeping at most `limit` bytes of each stream (the rest is read
  /// and dropped).
  ///
  /// It has ended when its own process has: what it left in the background lives on, and output that such processes
  /// write later is not waited for. At the deadline, and when the task is cancelled, the whole process group is ended:
  /// TERM, and KILL after `grace`.
  /// - Throws: `HostCommandError`, or `CancellationError`. An exit status other than 0 is not an error.
  package func run(
    deadline: Duration? = nil, grace: Duration = .seconds(2), limit: Int = 1 << 20,
    feed: (@Sendable (ProcessInput) async throws -> Void)? = nil
  ) async throws -> ProcessOutput {
    let kept = KeptOutput(limit: limit)
    let ending = try await run(deadline: deadline, grace: grace, feed: feed) { stream, bytes in
      kept.append(bytes, to: stream)
    }
    return kept.output(ending)
  }

  /// Runs the command as `run(deadline:grace:limit:)` does and hands on its output as it comes. `output` is awaited
  /// before more is read, so a slow reader slows the process and costs no memory. It may be called for both streams at
  /// once. When it throws, the process group is ended and its error is thrown.
  /// - Parameter feed: Writes more standard input after `input`, which is closed when it returns; what it throws is
  ///   treated as what `output` throws.
  package func run(
    deadline: Duration? = nil, grace: Duration = .seconds(2),
    feed: (@Sendable (ProcessInput) async throws -> Void)? = nil,
    output: @escaping @Sendable (ProcessStream, [UInt8]) async throws -> Void
  ) async throws -> ProcessEnding {
    Signals.ignoreBrokenPipes()
    return try await withDeadline(deadline, of: executable) {
      try await execute(grace: grace, feed: feed, output: output)
    }
  }

  private func execute(
    grace: Duration, feed: (@Sendable (ProcessInput) async throws -> Void)?,
    output: @escaping @Sendable (ProcessStream, [UInt8]) async throws -> Void
  ) async throws -> ProcessEnding {
    if let inputFile {
      let file = try openInput(inputFile)
      return try await execute(
        grace: grace, input: .fileDescriptor(file, closeAfterSpawningProcess: true), feed: { _ in }, output: output)
    }
    if feed == nil, input.isEmpty {
      return try await execute(grace: grace, input: .none, feed: { _ in }, output: output)
    }
    return try await execute(
      grace: grace, input: .inputWriter,
      feed: { execution in
        let writer = ProcessInput(writer: execution.standardInputWriter)
        _ = await writer.write(input)
        try await feed?(writer)
        try? await execution.standardInputWriter.finish()
      }, output: output)
  }

  private func execute<Input: InputProtocol>(
    grace: Duration, input: Input,
    feed: @escaping @Sendable (Execution<Input, SequenceOutput, SequenceOutput>) async throws -> Void,
    output: @escaping @Sendable (ProcessStream, [UInt8]) async throws -> Void
  ) async throws -> ProcessEnding {
    let started = Mutex<ProcessGroup?>(nil)
    do {
      let result = try await Subprocess.run(
        configuration(grace: grace), input: input, output: .sequence, error: .sequence
      ) { execution in
        started.withLock { $0 = ProcessGroup(id: execution.processIdentifier.value) }
        try await withThrowingTaskGroup(of: Void.self) { group in
          let (out, err) = (execution.standardOutput, execution.standardError)
          group.addTask { try await feed(execution) }
          group.addTask {
            for try await buffer in out { try await output(.stdout, buffer.array) }
          }
          group.addTask {
            for try await buffer in err { try await output(.stderr, buffer.array) }
          }
          // Unlike waitForAll this leaves at the first error.
          while let _ = try await group.next() {}
        }
      }
      try Task.checkCancellation()
      return ProcessEnding(result.terminationStatus)
    } catch {
      // The leader of the group is reaped by now, but what it started may have ignored the TERM.
      if let group = started.withLock({ $0 }) { await uncancelled { await group.end(grace: grace) } }
      // A process that was ended because of a cancellation may also be told as a failed read.
      try Task.checkCancellation()
      if let error = error as? SubprocessError { throw hostCommandError(error) }
      throw error
    }
  }

  private func openInput(_ path: String) throws(HostCommandError) -> FileDescriptor {
    do {
      return try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
    } catch {
      throw .failed(executable, reason: "cannot read '\(path)': \(error)")
    }
  }

  func hostCommandError(_ error: SubprocessError) -> HostCommandError {
    switch error.code {
    case .failedToChangeWorkingDirectory:
      let reason = error.underlyingError.map { ": \($0)" } ?? ""
      return .failed(executable, reason: "cannot enter the folder '\(directory ?? "")'\(reason)")
    case .executableNotFound:
      // The same code tells of a file that is there but cannot be executed.
      guard executable.contains("/"), let information = try? FilePath(path).stat() else { return .notFound(executable) }
      if information.type == .directory { return .failed(executable, reason: "it is a folder") }
      if unsafe access(path, X_OK) != 0 { return .failed(executable, reason: "it is not executable") }
      return .failed(executable, reason: "the interpreter that its first line names does not exist")
    default:
      return .failed(executable, reason: error.underlyingError.map { "\($0)" } ?? "\(error)")
    }
  }

  /// The executable's path as it is seen from the folder that the process would have started in.
  private var path: String {
    guard let directory, !executable.hasPrefix("/") else { return executable }
    return "\(directory)/\(executable)"
  }

  /// Found by us where it can be: Subprocess forks once for each folder of PATH that it is not in.
  private var found: Executable {
    if executable.contains("/") { return .path(FilePath(executable)) }
    let folders = environment["PATH"] ?? HostFacts.environment("PATH")
    return HostFacts.tool(executable, in: folders).map { .path(FilePath($0)) } ?? .name(executable)
  }

  func configuration(grace: Duration) -> Configuration {
    var options = PlatformOptions()
    options.processGroupID = 0
    options.teardownSequence = [
      .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: grace)
    ]
    var marked = environment
    if let run = ProcessTable.run { marked[ProcessTable.mark] = run }
    let changes = marked.reduce(into: [Environment.Key: String?]()) { changes, change in
      if let key = Environment.Key(rawValue: change.key) { changes[key] = .some(change.value) }
    }
    return Configuration(
      executable: found,
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
      try await Task.sleep(for: deadline, clock: .awake)
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

/// The standard input of a process that runs.
package struct ProcessInput: Sendable {
  fileprivate let writer: StandardInputWriter

  /// Writes all of `bytes`, waiting while the process does not read; false when nobody reads any more, which is no
  /// error: the process's ending tells the rest.
  package func write(_ bytes: [UInt8]) async -> Bool {
    if bytes.isEmpty { return true }
    return (try? await writer.write(bytes)) == bytes.count
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
