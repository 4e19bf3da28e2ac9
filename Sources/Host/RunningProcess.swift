import Subprocess
import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A process that outlives the task that started it, such as an emulator: it ends by itself or by `terminate`.
package final class RunningProcess: Sendable {
  package let processID: Int32
  private let end: Promise<ProcessEnding>

  private init(processID: Int32, end: Promise<ProcessEnding>) {
    self.processID = processID
    self.end = end
  }

  /// Starts a command in a process group of its own. Its standard input is empty; both of its output streams are
  /// appended to the file `log`, which is made if it is missing.
  /// - Throws: `HostCommandError` when it cannot be started, `Failure` when the log cannot be written.
  package static func start(_ command: HostCommand, log: String) async throws -> RunningProcess {
    let file: FileDescriptor
    do {
      file = try FileDescriptor.open(
        FilePath(log), .writeOnly, options: [.append, .create, .closeOnExec],
        permissions: FilePermissions(rawValue: 0o644))
    } catch {
      throw Failure(error, "write", log)
    }
    let end = Promise<ProcessEnding>()
    do {
      let processID = try await withCheckedThrowingContinuation { started in
        // A task of its own: the process is not ended when the task that started it is cancelled.
        Task { await watch(command, output: file, started: started, end: end) }
      }
      return RunningProcess(processID: processID, end: end)
    } catch let error as SubprocessError {
      throw command.hostCommandError(error)
    }
  }

  private static func watch(
    _ command: HostCommand, output file: FileDescriptor, started: CheckedContinuation<Int32, any Error>,
    end: Promise<ProcessEnding>
  ) async {
    var processID: Int32?
    do {
      let result = try await Subprocess.run(
        command.configuration(grace: .seconds(5)), input: .none,
        output: .fileDescriptor(file, closeAfterSpawningProcess: true), error: .combinedWithOutput
      ) { execution in
        processID = execution.processIdentifier.value
        started.resume(returning: execution.processIdentifier.value)
      }
      end.keep(ProcessEnding(result.terminationStatus))
    } catch {
      guard let processID else { return started.resume(throwing: error) }
      // It runs but cannot be watched: nobody could tell any more when it ends.
      let group = ProcessGroup(id: processID)
      group.send(SIGKILL)
      end.keep(.signaled(SIGKILL))
    }
  }

  /// How the process ended, if it has.
  package var ended: ProcessEnding? { end.current }

  /// Waits until the process has ended; `nil` when the waiting task is cancelled first. Many may wait.
  package func ending() async -> ProcessEnding? {
    await end.value()
  }

  /// Ends the process group: TERM, and KILL after `grace`. Returns when the process has been reaped, cancelled or not;
  /// at once if it has ended already.
  @discardableResult
  package func terminate(grace: Duration = .seconds(5)) async -> ProcessEnding {
    let (processID, end) = (processID, end)
    return await uncancelled {
      let group = ProcessGroup(id: processID)
      if let ending = end.current { return ending }
      group.send(SIGTERM)
      let killing = Task {
        try await Task.sleep(for: grace)
        if end.current == nil { group.send(SIGKILL) }
      }
      let ending = await end.value()
      killing.cancel()
      await group.end(grace: .zero)
      return ending ?? .signaled(SIGKILL)
    }
  }
}
