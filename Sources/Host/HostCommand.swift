/// A command on this host: what to start, and nothing of how it is watched.
package struct HostCommand: Sendable, Hashable {
  /// A name that is looked up on PATH, or a path if it contains a slash.
  package var executable: String
  package var arguments: [String]
  /// Changes to this process's own environment; `nil` removes a variable.
  package var environment: [String: String?]
  /// The folder it starts in; `nil` for this process's own.
  package var directory: String?
  /// Bytes for its standard input, which is then closed. It may end without having read them.
  package var input: [UInt8]
  /// The file that is its standard input instead.
  package var inputFile: String?

  package init(
    _ executable: String, _ arguments: [String] = [], environment: [String: String?] = [:],
    directory: String? = nil, input: [UInt8] = [], inputFile: String? = nil
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
    self.input = input
    self.inputFile = inputFile
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
package enum HostCommandError: Error, Sendable, Hashable, CustomStringConvertible {
  /// No such executable on PATH, or no such file.
  case notFound(String)
  /// It did not end in time, and was ended with its process group.
  case timedOut(String, after: Duration)
  /// It could not be started or its streams could not be read.
  case failed(String, reason: String)

  package var description: String {
    switch self {
    case .notFound(let name) where name.contains("/"): "'\(name)' does not exist"
    case .notFound(let name): "'\(name)' is not installed"
    case .timedOut(let name, let time): "'\(name)' did not end within \(time)"
    case .failed(let name, let reason): "'\(name)' could not be run: \(reason)"
    }
  }
}
