import MusterGuest
import MusterHost

/// Why there is no machine, or why one could not be asked. What a command in the machine does by itself is never one of these:
/// that is a `CommandFailed`.
public struct MachineError: Error, Sendable, CustomStringConvertible {
  /// What happened.
  public var message: String
  /// The lines that prove it, from the machine's console or a tool's output.
  public var evidence: [String]
  /// What to do next.
  public var hint: String?
  /// The folder with the console and the backend's own messages; `nil` where nothing was launched.
  public var logs: String?

  init(_ failure: Failure, logs: String? = nil) {
    message = failure.message
    evidence = failure.evidence
    hint = failure.hint
    self.logs = logs
  }

  init(_ error: any Error, logs: String? = nil) {
    self.init(
      error as? Failure ?? Failure(.guest, (error as? GuestError)?.message ?? "\(error)"), logs: logs)
  }

  public var description: String {
    var lines = [hint.map { "\(message); \($0)" } ?? message] + evidence.map { "  \($0)" }
    if let logs { lines.append("  logs: \(logs)") }
    return lines.joined(separator: "\n")
  }
}

/// A command in a machine that did not end with status 0.
public struct CommandFailed: Error, Sendable, CustomStringConvertible {
  /// The script that was run.
  public var script: String
  public var result: CommandResult

  public var description: String {
    let output = (result.standardError.isEmpty ? result.standardOutput : result.standardError)
      .split(separator: "\n").suffix(10).map { "\n  \($0)" }.joined()
    return "'\(script.split(separator: "\n").first ?? "")' ended with \(result.ending)\(output)"
  }
}
