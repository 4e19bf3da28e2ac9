import Subprocess
import Synchronization
import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A process of this very program that outlives this process, and learns of its end: in a session of its own, in an
/// environment with nothing by which others look for what a job has left, and with the read end of a pipe as its standard
/// input, of which this process alone has the other end.
package final class Companion: Sendable {
  private let process: Promise<ProcessEnding>
  private let pipe: Mutex<FileDescriptor?>

  private init(process: Promise<ProcessEnding>, pipe: FileDescriptor) {
    self.process = process
    self.pipe = Mutex(pipe)
  }

  /// What of this process's environment it gets.
  private static let variables = [
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TMPDIR", "XDG_STATE_HOME", "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "MULTIPASS_SERVER_ADDRESS", "LIMA_HOME",
    "LXD_DIR", "LXD_SOCKET", "LXD_CONF", "INCUS_DIR", "INCUS_SOCKET", "INCUS_CONF",
  ]

  /// A command in the environment that a companion has.
  package static func command(_ executable: String, _ arguments: [String]) -> HostCommand {
    let environment = variables.compactMap { name in HostFacts.environment(name).map { "\(name)=\($0)" } }
    return HostCommand("env", ["-i"] + environment + [executable] + arguments)
  }

  /// The word that sends it away.
  package static let farewell = UInt8(ascii: "q")

  /// Starts it.
  /// - Parameters:
  ///   - executable: The program, where this process is not one of its own.
  ///   - variable: A variable of its environment beyond those of this process, with the value 1.
  ///   - locks: What it shares: one as its standard output, one as its standard error. A lock is held until both
  ///     processes have let it go.
  /// - Throws: `Failure`.
  package static func start(
    _ arguments: [String], executable: String = HostFacts.ownExecutable, variable: String,
    sharing locks: (HeldLock, HeldLock)
  ) async throws -> Companion {
    let end = Promise<ProcessEnding>()
    do {
      let ends = try pipe()
      guard let first = locks.0.descriptor, let second = locks.1.descriptor else { throw Errno.badFileDescriptor }
      var options = PlatformOptions()
      options.createSession = true
      var environment: [Environment.Key: String] = [:]
      for name in variables {
        if let key = Environment.Key(rawValue: name) { environment[key] = HostFacts.environment(name) }
      }
      if let key = Environment.Key(rawValue: variable) { environment[key] = "1" }
      let configuration = Configuration(
        executable: .path(FilePath(executable)),
        arguments: Arguments(executablePathOverride: "muster", remainingValues: arguments),
        environment: .custom(environment), workingDirectory: "/", platformOptions: options)
      try await withCheckedThrowingContinuation { started in
        Task { [configuration] in
          do {
            let result = try await Subprocess.run(
              configuration, input: .fileDescriptor(ends.read, closeAfterSpawningProcess: true),
              output: .fileDescriptor(first, closeAfterSpawningProcess: false),
              error: .fileDescriptor(second, closeAfterSpawningProcess: false)
            ) { _ in started.resume() }
            end.keep(ProcessEnding(result.terminationStatus))
          } catch {
            if end.current == nil { started.resume(throwing: error) }
          }
        }
      }
      return Companion(process: end, pipe: ends.write)
    } catch {
      throw Failure(.host, "the guardian of this run cannot be started: \(error)")
    }
  }

  /// A pipe that no other child inherits.
  private static func pipe() throws -> (read: FileDescriptor, write: FileDescriptor) {
    let ends = try FileDescriptor.pipe()
    for end in [ends.readEnd, ends.writeEnd] where fcntl(end.rawValue, F_SETFD, FD_CLOEXEC) != 0 {
      throw Errno(rawValue: errno)
    }
    return (ends.readEnd, ends.writeEnd)
  }

  package var isAlive: Bool { process.current == nil }

  /// Sends it away, and returns when it has ended; at once if it has already.
  package func dismiss() async {
    pipe.withLock { pipe in
      guard let open = pipe else { return }
      _ = try? open.writeAll([Self.farewell])
      try? open.close()
      pipe = nil
    }
    _ = await uncancelled { [process] in await process.value() }
  }

  /// Reads, in the companion, the file of the second lock that it shares: also when somebody has removed it.
  package static func sharedText(limit: Int = 16 << 20) -> String {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count < limit {
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe pread(2, $0.baseAddress, $0.count, off_t(bytes.count)) }
      if count < 0, errno == EINTR { continue }
      if count <= 0 { break }
      bytes += chunk.prefix(count)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Waits, in the companion, until the process that started it has ended or sends it away.
  /// - Returns: Whether it was sent away.
  package static func waitForFarewell() -> Bool {
    while true {
      var word: UInt8 = 0
      let count = unsafe read(0, &word, 1)
      if count == 1 { return word == farewell }
      if count < 0, errno == EINTR { continue }
      return false
    }
  }
}
