import MusterHost
import Synchronization

/// How far a machine has come on its way to be ready, for whoever asks why it is not.
final class LaunchStage: Sendable {
  enum Stage: Int, Sendable {
    /// Nothing was heard of the guest yet.
    case started
    case kernel
    /// The ssh server has answered.
    case server
    /// Logged in; what is left is the guest's own preparation.
    case login
  }

  private struct State {
    var stage = Stage.started
    /// Why nobody could log in, the last time it was tried.
    var refusal: String?
  }

  private let state = Mutex(State())

  var current: Stage { state.withLock { $0.stage } }

  func reach(_ stage: Stage) {
    state.withLock { if $0.stage.rawValue < stage.rawValue { $0.stage = stage } }
  }

  func refused(_ reason: String) {
    state.withLock { $0.refusal = reason }
  }

  /// The machine starts anew.
  func reset() {
    state.withLock { $0 = State() }
  }

  /// The failure of a machine that did not become ready in time.
  func failure(after deadline: Duration, restarts: Int, console: [String]) -> Failure {
    let (stage, refusal) = state.withLock { ($0.stage, $0.refusal) }
    let reached =
      switch stage {
      case .started: "nothing was heard of its kernel"
      case .kernel: "its kernel started, but its ssh server never answered"
      case .server: "its ssh server answered, but nobody could log in\(refusal.map { ": \($0)" } ?? "")"
      case .login: "one could log in, but its own preparation did not end"
      }
    // A reset takes QEMU two or three events, and one is an image's good right.
    let restarted = restarts > 6 ? "; it restarted again and again" : ""
    return Failure(
      stage == .started ? .image : .guest,
      "the machine did not become ready within \(deadline.human): \(reached)\(restarted)", evidence: console,
      hint: "look at console.log, or allow more time with 'timeouts: {launch: …}'")
  }
}
