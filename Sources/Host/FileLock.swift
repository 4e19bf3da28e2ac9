import Synchronization
import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A lock that the kernel holds for as long as a process has the lock file open: it is never stale.
///
/// The lock file may lie in a folder that everybody may write to, such as `/tmp`: one that exists is only opened for
/// reading, links are not followed, and a lock counts only if the file still has its name when it is locked.
package struct FileLock: Sendable, Hashable {
  package let path: String

  package init(_ path: String) {
    self.path = path
  }

  /// Takes the lock if nobody has it; `nil` if somebody has.
  /// - Throws: `Failure` when the lock file cannot be used.
  package func take() throws(Failure) -> HeldLock? {
    do {
      // Somebody may remove the file between opening and locking it; then there is another to lock.
      for _ in 0..<100 {
        guard let file = try open() else { continue }
        guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else {
          let error = Errno(rawValue: errno)
          try? file.close()
          if error == .interrupted { continue }
          if error == .wouldBlock { return nil }
          throw error
        }
        let locked = try file.stat()
        if let named = try? FilePath(path).stat(followTargetSymlink: false), named.inode == locked.inode,
          named.deviceID == locked.deviceID
        {
          return HeldLock(lock: self, file: file)
        }
        try? file.close()
      }
      throw Failure(.host, "cannot lock '\(path)': it is removed again and again")
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure(error, "lock", path)
    }
  }

  /// Whether somebody has the lock at this moment.
  package var isHeld: Bool {
    guard let file = try? FileDescriptor.open(FilePath(path), .readOnly, options: Self.options) else { return false }
    defer { try? file.close() }
    return flock(file.rawValue, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }

  /// Takes the lock, waiting for whoever has it.
  ///
  /// The lock is asked for again and again, at most four times a second: a thread that blocks in `flock` can neither
  /// be given a deadline nor be cancelled.
  /// - Parameters:
  ///   - deadline: How long to wait; `nil` for ever, zero for not at all.
  ///   - waiting: Called when the waiting begins and then about once a second with the time waited so far.
  /// - Throws: `LockTimeout`, `Failure`, `CancellationError`.
  package func take(
    deadline: Duration?, waiting: (Duration) async -> Void = { _ in }
  ) async throws -> HeldLock {
    let clock = ContinuousClock()
    let start = clock.now
    var delay = Duration.milliseconds(10)
    var nextReport = Duration.zero
    while true {
      try Task.checkCancellation()
      if let held = try take() { return held }
      let waited = clock.now - start
      if let deadline, waited >= deadline { throw LockTimeout(path: path, waited: waited) }
      if waited >= nextReport {
        await waiting(waited)
        nextReport = waited + .seconds(1)
      }
      let remaining = deadline.map { $0 - waited } ?? delay
      try await Task.sleep(for: min(delay, max(remaining, .milliseconds(1))))
      delay = min(delay * 2, .milliseconds(250))
    }
  }

  private static let options: FileDescriptor.OpenOptions = [.noFollow, .closeOnExec, .nonBlocking]

  /// Opens the lock file, or makes it; `nil` when it came or went meanwhile.
  private func open() throws -> FileDescriptor? {
    do {
      // Never with "create if missing": Linux may refuse that for another user's file in a sticky folder.
      let file = try FileDescriptor.open(FilePath(path), .readOnly, options: Self.options)
      guard try file.stat().type == .regular else {
        try? file.close()
        throw Failure(.host, "cannot lock '\(path)': it is no regular file")
      }
      return file
    } catch Errno.noSuchFileOrDirectory {
      do {
        let file = try FileDescriptor.open(
          FilePath(path), .readOnly, options: Self.options.union([.create, .exclusiveCreate]),
          permissions: FilePermissions(rawValue: 0o644))
        // Others must be able to open it whatever this user's umask is.
        fchmod(file.rawValue, 0o644)
        return file
      } catch Errno.fileExists {
        return nil
      }
    } catch Errno.tooManySymbolicLinkLevels {
      throw Failure(.host, "cannot lock '\(path)': it is a symbolic link", hint: "remove it")
    }
  }
}

/// A lock that this process has, until `release`, or until nothing refers to this any more.
package final class HeldLock: Sendable {
  package let lock: FileLock
  private let file: Mutex<FileDescriptor?>

  init(lock: FileLock, file: FileDescriptor) {
    self.lock = lock
    self.file = Mutex(file)
  }

  deinit {
    release()
  }

  package var isHeld: Bool {
    file.withLock { $0 != nil }
  }

  /// What a child may share the lock by.
  var descriptor: FileDescriptor? {
    file.withLock { $0 }
  }

  /// Leaves the lock to another process that shares it.
  package func handOver() {
    file.withLock { file in
      try? file?.close()
      file = nil
    }
  }

  /// Lets the lock go. The lock file stays: removing it would let two in.
  package func release() {
    file.withLock { file in
      guard let open = file else { return }
      // Not by closing alone: a child that is just being started has the descriptor until it executes its program.
      flock(open.rawValue, LOCK_UN)
      try? open.close()
      file = nil
    }
  }
}

/// The lock was not had in time.
package struct LockTimeout: Error, Sendable, Hashable, CustomStringConvertible {
  package var path: String
  package var waited: Duration

  package var description: String { "'\(path)' is still locked after \(waited.human)" }
}
