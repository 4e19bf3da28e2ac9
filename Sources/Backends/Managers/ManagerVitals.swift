import MusterHost
import Synchronization

/// What is known of whether a machine lives.
final class ManagerVitals: Sendable {
  private struct State {
    var isWatched = false
    var doubt = Promise<Void>()
  }

  enum Word: Sendable {
    /// It has died; `nil` when that was wanted, or nobody waits any more.
    case over(Failure?)
    /// It did not answer just now.
    case doubted
    case quiet
  }

  private let state = Mutex(State())
  private let ended = Promise<Failure?>()
  /// Kept when the machine died by itself.
  let isDead = Promise<Void>()

  /// Whether it should be running.
  var isWatched: Bool {
    get { state.withLock { $0.isWatched } }
    set { state.withLock { $0.isWatched = newValue } }
  }

  /// Tells that it did not answer.
  func doubt() {
    state.withLock { $0.doubt }.keep(())
  }

  func end(_ failure: Failure?) {
    if failure != nil { isDead.keep(()) }
    ended.keep(failure)
  }

  /// Waits for news, for `time` at most.
  func wait(_ time: Duration) async -> Word {
    let doubt = state.withLock { $0.doubt }
    let word = await withTaskGroup(of: Word?.self) { group in
      group.addTask { [ended] in await ended.value().map { .over($0) } }
      group.addTask { await doubt.value().map { .doubted } }
      group.addTask {
        try? await Task.sleep(for: time, clock: .awake)
        return .quiet
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first ?? .quiet
    }
    if case .doubted = word { state.withLock { if $0.doubt === doubt { $0.doubt = Promise() } } }
    return word
  }
}
