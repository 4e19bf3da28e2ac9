import MusterHost

/// How one talks to a machine once it is up.
package protocol Guest: Sendable {
  /// Runs a script in the machine and hands on its output as it comes; `output` is awaited before more is read, and
  /// may be called for both streams at once.
  ///
  /// Neither the script nor the environment is ever part of a command line, in the machine or on the host. Standard
  /// input is empty. The script and all it started are ended at the deadline, and when the task is cancelled.
  /// - Throws: `GuestError` when the machine could not be asked; `CancellationError`.
  func run(
    _ command: GuestCommand, deadline: Duration?,
    output: @escaping @Sendable (GuestStream, [UInt8]) async throws -> Void
  ) async throws -> GuestEnding

  /// Puts a file or folder of the host at `path` (absolute) in the machine, as root. A path that ends in `/` is the
  /// folder to put it in; missing parents are made. `mode` is for files, folders get the matching search bits; `nil`
  /// keeps the host's. `owner` is `user` or `user:group`; `nil` for root.
  func upload(
    _ local: String, to path: String, mode: UInt16?, owner: String?, deadline: Duration?
  ) async throws

  /// Puts what `path` (absolute, the last part may be a glob) names in the machine into `folder` of the host, and
  /// returns the relative paths of the files; empty when nothing matches.
  func download(_ path: String, into folder: String, deadline: Duration?) async throws -> [String]
}

/// A script for a machine, and the circumstances it runs in.
package struct GuestCommand: Sendable, Hashable {
  package var script: String
  /// The interpreter, with arguments; it gets the script as a file.
  package var shell: [String]
  /// The user; `nil` for root.
  package var user: String?
  /// The folder; `nil` for the user's home.
  package var directory: String?
  package var environment: [Variable]

  package struct Variable: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  package init(
    _ script: String, shell: [String] = ["sh", "-e"], user: String? = nil, directory: String? = nil,
    environment: [Variable] = []
  ) {
    self.script = script
    self.shell = shell
    self.user = user
    self.directory = directory
    self.environment = environment
  }
}

package enum GuestStream: String, Sendable, Hashable, Codable {
  case stdout
  case stderr

  init(_ stream: ProcessStream) {
    self = stream == .stdout ? .stdout : .stderr
  }
}

package enum GuestEnding: Sendable, Hashable {
  case exited(Int)
  case signaled(Int)
  /// It was ended because its deadline had passed.
  case timedOut
}

/// Why a machine could not be asked: never a judgement on what was asked of it.
package struct GuestError: Error, Sendable, Hashable, CustomStringConvertible {
  package enum Code: Sendable, Hashable {
    /// No connection could be made, or it broke.
    case unreachable
    /// A file could not be moved in or out; the message says which and why.
    case transfer
    /// The user or the folder a script should run in does not exist in the machine.
    case circumstances
    /// The host did not do its part: ssh missing, disk full.
    case host
  }

  package var code: Code
  /// A lowercase fragment.
  package var message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }
}
