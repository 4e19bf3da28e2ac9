import Synchronization

/// A value that comes once and that many tasks may wait for.
package final class Promise<Value: Sendable>: Sendable {
  private enum State {
    case waiting([Int: CheckedContinuation<Value?, Never>], next: Int)
    case kept(Value)
  }

  private let state = Mutex<State>(.waiting([:], next: 0))

  package init() {}

  /// The value, if it has come already.
  package var current: Value? {
    state.withLock { if case .kept(let value) = $0 { value } else { nil } }
  }

  /// Sets the value and wakes all who wait. Only the first call counts.
  package func keep(_ value: Value) {
    let waiting = state.withLock { state -> [CheckedContinuation<Value?, Never>] in
      guard case .waiting(let continuations, _) = state else { return [] }
      state = .kept(value)
      return Array(continuations.values)
    }
    for continuation in waiting { continuation.resume(returning: value) }
  }

  /// Waits for the value; `nil` when the waiting task is cancelled first.
  package func value() async -> Value? {
    let id = state.withLock { state -> Int? in
      guard case .waiting(let continuations, let next) = state else { return nil }
      state = .waiting(continuations, next: next + 1)
      return next
    }
    guard let id else { return current }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let result = state.withLock { state -> Value?? in
          switch state {
          case .kept(let value):
            return .some(value)
          case .waiting(var continuations, let next):
            // The cancellation handler may have run already, and found nothing to resume.
            if Task.isCancelled { return .some(nil) }
            continuations[id] = continuation
            state = .waiting(continuations, next: next)
            return nil
          }
        }
        if let result { continuation.resume(returning: result) }
      }
    } onCancel: {
      let continuation = state.withLock { state -> CheckedContinuation<Value?, Never>? in
        guard case .waiting(var continuations, let next) = state else { return nil }
        let continuation = continuations.removeValue(forKey: id)
        state = .waiting(continuations, next: next)
        return continuation
      }
      continuation?.resume(returning: nil)
    }
  }
}
