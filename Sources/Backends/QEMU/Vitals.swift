import MusterHost
import Synchronization

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What is known of a machine's life, gathered from its console, from QEMU's events and from the end of QEMU's process.
/// What tells most is what counts, in whatever order it is heard.
final class Vitals: Sendable {
  enum Phase: Sendable, Hashable {
    /// Starting or restarting: whatever keeps it from becoming ready is its end.
    case booting
    case ready
    /// Being purged or kept: it may end as it likes.
    case ending
  }

  /// How much a source tells, the most first.
  enum Source: Int, Sendable {
    case console
    case event
    case process
  }

  /// Why the machine died; `nil` when it was ended on purpose.
  let death = Promise<Failure?>()
  /// Kept when the machine died by itself.
  let isDead = Promise<Void>()
  private let state = Mutex(State())

  private struct State {
    var phase = Phase.booting
    var reported: (source: Source, failure: Failure)?
    var restarts = 0
    var restart = Promise<Void>()
    var migration = Promise<Bool>()
  }

  var phase: Phase {
    get { state.withLock { $0.phase } }
    set {
      state.withLock { $0.phase = newValue }
      if newValue == .ending { death.keep(nil) }
    }
  }

  /// How often the guest has reset its machine.
  var restarts: Int { state.withLock { $0.restarts } }

  /// Kept at the next time the guest resets its machine.
  var nextRestart: Promise<Void> { state.withLock { $0.restart } }

  /// Kept when the machine's state has been saved or loaded the next time: whether that succeeded.
  func nextMigration() -> Promise<Bool> {
    state.withLock { state in
      state.migration = Promise()
      return state.migration
    }
  }

  /// Waits until the machine dies by itself, and returns why.
  /// - Throws: `CancellationError` when it was ended on purpose, or the task was cancelled.
  func failure() async throws -> Failure {
    guard let failure = await death.value() ?? nil else { throw CancellationError() }
    return failure
  }

  /// Notes why the machine has died, or will. `settle` tells it.
  func note(_ failure: Failure, from source: Source) {
    state.withLock { state in
      if let reported = state.reported, reported.source.rawValue <= source.rawValue { return }
      state.reported = (source, failure)
    }
  }

  /// Tells what was noted, once nothing more can come that would tell more.
  /// - Parameter evidence: The last lines of the console, for a failure without evidence of its own.
  func settle(evidence: [String]) {
    guard var failure = state.withLock({ $0.reported?.failure }) else { return }
    if failure.evidence.isEmpty { failure.evidence = evidence }
    isDead.keep(())
    death.keep(failure)
  }

  /// - Returns: Whether it is worth settling.
  func hear(_ trouble: ConsoleTrouble, evidence: [String]) -> Bool {
    guard trouble.isDeath || phase == .booting else { return false }
    note(Failure(trouble.blame, trouble.message, evidence: evidence, canPass: trouble.canPass), from: .console)
    return true
  }

  /// - Returns: Whether it is worth settling.
  func hear(_ event: MonitorEvent) -> Bool {
    switch event.name {
    case "RESET" where event.data["guest"]?.boolean == true:
      let restart = state.withLock { state in
        state.restarts += 1
        defer { state.restart = Promise() }
        return state.restart
      }
      restart.keep(())
      return false
    case "MIGRATION":
      switch event.data["status"]?.string {
      case "completed": state.withLock { $0.migration }.keep(true)
      case "failed": state.withLock { $0.migration }.keep(false)
      default: break
      }
      return false
    case "SHUTDOWN" where event.data["guest"]?.boolean == true:
      let reason = event.data["reason"]?.string
      note(
        Failure(.guest, reason == "guest-panic" ? "the guest panicked" : "the guest powered itself off"), from: .event)
    case "GUEST_PANICKED":
      note(Failure(.guest, "the guest's kernel panicked"), from: .event)
    case "BLOCK_IO_ERROR":
      if event.data["nospace"]?.boolean == true {
        note(
          Failure(
            .host, "disk full: the machine's disk cannot grow any more",
            hint: "free space on the file system of the state folder and run again"), from: .event)
      } else if event.data["action"]?.string == "stop" {
        let reason = event.data["reason"]?.string ?? "input/output error"
        note(Failure(.host, "the machine's disk cannot be read or written: \(reason)"), from: .event)
      } else {
        return false
      }
    default: return false
    }
    return true
  }

  /// - Parameter messages: The last lines of QEMU's own output.
  func hear(_ ending: ProcessEnding, messages: [String]) {
    note(Self.failure(of: ending, messages: messages), from: .process)
  }

  /// What the end of QEMU's process means that nothing else explains.
  static func failure(of ending: ProcessEnding, messages: [String]) -> Failure {
    func said(_ text: String) -> Bool { messages.contains { $0.containsIgnoringCase(text) } }
    if case .signaled(9) = ending {
      return Failure(
        .host, "QEMU was killed by signal 9", evidence: messages,
        hint: "see with 'dmesg' whether the host ran out of memory", canPass: true)
    }
    if case .signaled(SIGBUS) = ending {
      // Its memory is a file while it is to be saved.
      return Failure(
        .host, "disk full: the machine's memory cannot be written", evidence: messages,
        hint: "free space on the file system of the cache folder and run again")
    }
    if said("cannot allocate memory") || said("cannot set up guest memory") {
      return Failure(
        .host, "QEMU does not get the memory that the machine asks for", evidence: messages,
        hint: "ask for less 'memory', or end something else", canPass: true)
    }
    if said("could not set up host forwarding rule") {
      return Failure(.host, "QEMU gets no port on 127.0.0.1", evidence: messages, canPass: true)
    }
    if said("no space left on device") {
      return Failure(.host, "disk full: QEMU cannot write", evidence: messages, hint: "free space and run again")
    }
    return Failure(.backend, "QEMU ended unexpectedly with \(ending)", evidence: messages)
  }
}

extension String {
  /// Whether the text contains a lowercase one, in any case.
  fileprivate func containsIgnoringCase(_ text: String) -> Bool {
    lowercased().contains(text)
  }
}
