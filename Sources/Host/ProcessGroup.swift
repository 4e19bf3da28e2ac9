#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The processes that a command started in a group of its own.
struct ProcessGroup: Sendable {
  /// The process id of the leader.
  let id: Int32

  /// Whether a process of the group is left. A leader that was not waited for counts.
  var isAlive: Bool {
    kill(-id, 0) == 0 || errno == EPERM
  }

  func send(_ signal: Int32) {
    _ = kill(-id, signal)
  }

  /// Waits until the group is empty, for `grace` at most, and ends by KILL what is left then.
  ///
  /// The leader must have been sent TERM and must have been waited for. Nothing tells when the others end, since they
  /// are no children of this process: they are asked for.
  func end(grace: Duration) async {
    if await isEmpty(within: grace) { return }
    send(SIGKILL)
    _ = await isEmpty(within: .seconds(1))
  }

  private func isEmpty(within time: Duration) async -> Bool {
    let deadline = ContinuousClock.now + time
    var delay = Duration.milliseconds(2)
    while isAlive {
      if ContinuousClock.now >= deadline { return false }
      try? await Task.sleep(for: delay)
      delay = min(delay * 2, .milliseconds(50))
    }
    return true
  }
}

/// A process that is no child of this one, known by its id.
package struct ForeignProcess: Sendable {
  package let id: Int32

  package init(id: Int32) {
    self.id = id
  }

  /// Whether it runs. On Linux one that is dead but not waited for counts as gone: in a container the first process may
  /// never wait for those it inherits.
  package var isAlive: Bool {
    guard kill(id, 0) == 0 || errno == EPERM else { return false }
    #if canImport(Darwin)
      return true
    #else
      // `<id> (<name>) <state> …`, where the name may hold anything.
      guard let status = try? FileSystem.readText("/proc/\(id)/stat"), let state = status.split(separator: ")").last
      else {
        return kill(id, 0) == 0 || errno == EPERM
      }
      return !state.hasPrefix(" Z") && !state.hasPrefix(" X")
    #endif
  }

  /// Waits until it has ended by itself, and ends it by KILL after `grace`.
  package func end(grace: Duration) async {
    let deadline = ContinuousClock.now + grace
    var killed = false
    while isAlive {
      if !killed, ContinuousClock.now >= deadline {
        kill(id, SIGKILL)
        killed = true
      } else if killed, ContinuousClock.now >= deadline + .seconds(1) {
        return
      }
      try? await Task.sleep(for: .milliseconds(5))
    }
  }
}
