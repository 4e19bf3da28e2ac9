import MusterExecution
import MusterGuest
import MusterHost
import MusterMachines
import Synchronization

/// A fresh virtual machine that is ready, within `withMachine`. Several tasks may use it at once.
public struct Machine: Sendable {
  let machine: any MusterMachines.Machine
  /// The run whose mark the processes bear that are started for it.
  let run: RunID

  /// Its own name, which no other machine has: `muster-PREFIX-…`.
  public var name: String { machine.name.text }
  /// The folder with its console and the backend's own messages. It is removed with the machine, unless the body throws.
  public let logs: String

  /// Runs a shell script, as root unless a user is named.
  ///
  /// Neither the script nor the environment is ever part of a command line. Standard input is empty. The script and all it
  /// started are ended when its time is over, and when the task is cancelled.
  /// - Parameters:
  ///   - script: Of any length.
  ///   - shell: The interpreter with its arguments; it gets the script as a file.
  ///   - user: The user's name; `nil` for root.
  ///   - directory: The folder; `nil` for the user's home.
  ///   - environment: Variables beside `HOME`, `USER`, `PATH` and their like.
  ///   - timeout: `nil` for as long as it takes.
  ///   - checked: Whether an ending other than with status 0 is thrown.
  ///   - output: Gets all that is written as it comes, of both streams, and of both at once.
  /// - Throws: `CommandFailed`; `MachineError` when the machine could not be asked; `CancellationError`.
  @discardableResult
  public func run(
    _ script: String, shell: [String] = ["sh", "-e"], user: String? = nil, directory: String? = nil,
    environment: [String: String] = [:], timeout: Duration? = .seconds(600), checked: Bool = true,
    output: (@Sendable ([UInt8]) -> Void)? = nil
  ) async throws -> CommandResult {
    let command = GuestCommand(
      script, shell: shell, user: user, directory: directory,
      environment: environment.sorted { $0.key < $1.key }.map { GuestCommand.Variable(name: $0.key, value: $0.value) })
    let written = Mutex(CommandResult.Written())
    let ending = try await marked {
      try await machine.guest.run(command, deadline: timeout) { stream, bytes in
        written.withLock { $0.append(bytes, to: stream) }
        output?(bytes)
      }
    }
    let result = CommandResult(ending, written.withLock { $0 })
    if checked, !result.isSuccess { throw CommandFailed(script: script, result: result) }
    return result
  }

  /// Puts a file or folder of this host into the machine, as root. Missing folders are made.
  /// - Parameters:
  ///   - local: A path, relative to this process's working folder.
  ///   - path: Absolute; one that ends in `/` is the folder to put it in.
  ///   - mode: Of files; folders get the matching search bits. `nil` keeps this host's.
  ///   - owner: `user` or `user:group`; `nil` for root.
  ///   - timeout: `nil` for as long as it takes.
  /// - Throws: `MachineError`, `CancellationError`.
  public func copy(
    _ local: String, to path: String, mode: UInt16? = nil, owner: String? = nil, timeout: Duration? = .seconds(600)
  ) async throws {
    try await marked {
      try await machine.guest.upload(
        Directories.absolute(local), to: path, mode: mode, owner: owner, deadline: timeout)
    }
  }

  /// Puts what a path in the machine names into a folder of this host, which is made if it is missing.
  /// - Parameters:
  ///   - path: Absolute; its last part may be a glob.
  ///   - folder: A path, relative to this process's working folder.
  ///   - timeout: `nil` for as long as it takes.
  /// - Returns: The files, relative to the folder; empty where nothing matches.
  /// - Throws: `MachineError`, `CancellationError`.
  @discardableResult
  public func fetch(_ path: String, into folder: String, timeout: Duration? = .seconds(600)) async throws -> [String] {
    try await marked {
      let folder = Directories.absolute(folder)
      try FileSystem.createFolder(folder)
      return try await machine.guest.download(path, into: folder, deadline: timeout)
    }
  }

  /// Restarts it in order, and returns when it is ready again.
  /// - Throws: `MachineError`, `CancellationError`.
  public func reboot(timeout: Duration = .seconds(600)) async throws {
    try await marked { try await machine.reboot(deadline: timeout) }
  }

  private func marked<Result>(_ body: () async throws -> Result) async throws -> Result {
    do {
      return try await ProcessTable.$run.withValue(run.text, operation: body)
    } catch let error as CancellationError {
      throw error
    } catch {
      throw MachineError(error, logs: logs)
    }
  }
}
