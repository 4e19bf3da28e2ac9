import MusterHost
import MusterMachines

/// The end of one instance, proven.
///
/// A daemon carries a launch on when its client is gone, and what it is preparing may be in no list. So it is asked where
/// the name is, until it says that there is no such instance and its list agrees:
///
/// - being prepared: it is asked again, for as long as `ManagerPatience.preparing`, and then deleted all the same;
/// - existing or deleted: it is deleted, and asked again. A delete is tried four times in all; that it succeeds, or says
///   that there is no such instance, proves nothing;
/// - none: when nothing was ever seen of it, it is asked once more a little later, since the request of a client that was
///   killed may still be on its way.
///
/// An instance that the list shows although the daemon says that there is none is not proven gone: it is deleted all the
/// same, three times, and then told as left, with the command. To forget it would be to trust one of two answers that
/// contradict each other; a daemon that is started again tells the truth, and then `muster clean` is done with it.
///
/// Only this very name is ever touched, and only while it is the instance that Muster made: never does a call end
/// instances that it does not name.
struct ManagerPurge: Sendable {
  let manager: any Manager
  let patience: ManagerPatience
  let machine: ManagedName

  private var client: ManagerClient { manager.client }
  private var name: MachineName { machine.name }
  private var tool: String { client.words.tool }

  /// How often a delete, a question, and a look at the list are tried; and a delete that does not answer.
  private static let (mostDeletes, mostQuestions, mostContradictions, mostUnanswered) = (4, 4, 3, 2)

  /// Returns when the instance is proven gone.
  /// - Throws: `Failure` with the command to end it by hand in its hint, `CancellationError`.
  func run() async throws {
    guard name.isMusters else {
      throw Failure(.backend, "'\(name)' is no name of Muster's machines, and is not touched")
    }
    var state = State(pause: patience.pause)
    while true {
      switch try await whereabouts(&state) {
      case .preparing:
        state.wasSeen = true
        let since = state.preparingSince ?? AwakeClock.now
        state.preparingSince = since
        guard since.duration(to: AwakeClock.now) < patience.preparing else {
          // One that is stuck may still be deleted by some.
          guard state.deletes == 0, (try? await client.perform(deletion, deadline: patience.delete)) != nil else {
            throw left(Failure(.backend, "\(tool) has been preparing '\(name)' for \(patience.preparing.human)"))
          }
          state.deletes += 1
          continue
        }
        try await pause(state.pause)
        state.pause = min(state.pause * 2, patience.longestPause)
      case .existing:
        state.wasSeen = true
        try await delete(&state)
      case .none:
        guard try await isListed(&state) else {
          if state.wasSeen || state.wasAskedTwice { return }
          state.wasAskedTwice = true
          try await pause(patience.straggler)
          continue
        }
        state.contradictions += 1
        guard state.contradictions < Self.mostContradictions else {
          throw left(
            Failure(
              .backend, "\(tool) lists '\(name)' and says that there is no such instance",
              hint: client.words.restartHint))
        }
        _ = try? await client.perform(deletion, deadline: patience.delete)
        try await pause(patience.retry * state.contradictions)
      }
    }
  }

  private struct State {
    var pause: Duration
    var preparingSince: AwakeClock.Instant?
    /// Whether the daemon ever said that there is such an instance.
    var wasSeen = false
    var wasAskedTwice = false
    var deletes = 0
    /// How many of them did not end in time.
    var unanswered = 0
    /// Why the last delete failed.
    var lastFailure: Failure?
    var openQuestions = 0
    var contradictions = 0
  }

  private var deletion: [String] { manager.deletion(of: name) }

  private func delete(_ state: inout State) async throws {
    guard state.deletes < Self.mostDeletes, state.unanswered < Self.mostUnanswered else {
      throw left(state.lastFailure ?? Failure(.backend, "\(tool) says that '\(name)' is deleted, and still has it"))
    }
    state.deletes += 1
    let start = AwakeClock.now
    do {
      try await client.perform(deletion, deadline: patience.delete)
      state.lastFailure = nil
    } catch let failure as Failure {
      state.lastFailure = failure
      if start.duration(to: AwakeClock.now) >= patience.delete { state.unanswered += 1 }
      try await pause(patience.retry * (1 << (state.deletes - 1)))
    }
  }

  private func whereabouts(_ state: inout State) async throws -> Whereabouts {
    try await answered(&state) {
      try await manager.whereabouts(of: machine, deadline: patience.question)
    }
  }

  private func isListed(_ state: inout State) async throws -> Bool {
    try await answered(&state) {
      try await manager.instances(deadline: patience.question).contains(where: machine.fits)
    }
  }

  /// A question that is asked again while its answer leaves everything open.
  private func answered<Answer>(_ state: inout State, _ ask: () async throws -> Answer) async throws -> Answer {
    while true {
      do {
        return try await ask()
      } catch let failure as Failure {
        state.openQuestions += 1
        guard state.openQuestions < Self.mostQuestions else { throw left(failure) }
        try await pause(patience.retry * (1 << (state.openQuestions - 1)))
      }
    }
  }

  private func pause(_ time: Duration) async throws {
    try await Task.sleep(for: time, clock: .awake)
  }

  /// A failure that says what to do by hand.
  private func left(_ failure: Failure) -> Failure {
    var failure = failure
    failure.hint = (failure.hint.map { "\($0), then " } ?? "") + "run '\(tool) \(deletion.joined(separator: " "))'"
    return failure
  }
}
