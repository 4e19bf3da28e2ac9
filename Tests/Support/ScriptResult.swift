package import MusterGuest
import Synchronization

/// What a script left: its ending and its streams.
package struct ScriptResult: Sendable {
  package var ending: GuestEnding
  package var stdout: [UInt8]
  package var stderr: [UInt8]
  package var text: String { String(decoding: stdout, as: UTF8.self) }
  package var errorText: String { String(decoding: stderr, as: UTF8.self) }
}

extension Guest {
  package func result(
    _ script: String, shell: [String] = ["sh", "-e"], user: String? = nil, directory: String? = nil,
    environment: [GuestCommand.Variable] = [], deadline: Duration? = .seconds(60)
  ) async throws -> ScriptResult {
    let streams = Mutex<[GuestStream: [UInt8]]>([:])
    let command = GuestCommand(
      script, shell: shell, user: user, directory: directory, environment: environment)
    let ending = try await run(command, deadline: deadline) { stream, bytes in
      streams.withLock { $0[stream, default: []] += bytes }
    }
    return streams.withLock { ScriptResult(ending: ending, stdout: $0[.stdout] ?? [], stderr: $0[.stderr] ?? []) }
  }
}
