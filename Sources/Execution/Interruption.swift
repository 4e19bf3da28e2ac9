import MusterHost

/// How a person ends a run early: the first signal stops it in order, the second hurries what is left to do.
package final class Interruption: Sendable {
  private let first = Promise<Int32>()
  private let second = Promise<Int32>()

  package init() {}

  /// Tells of a signal. The first ends the running step and starts the purge; any further one shortens the clean-up.
  package func interrupt(signal: Int32) {
    if first.current == nil { first.keep(signal) } else { second.keep(signal) }
  }

  /// The first signal, if one came.
  package var signal: Int32? { first.current }

  /// Whether clean-up should do only what must be done.
  package var isHurried: Bool { second.current != nil }

  /// Waits for the first signal; returns early when the task is cancelled.
  package func interrupted() async {
    _ = await first.value()
  }

  /// Waits for the second signal; returns early when the task is cancelled.
  func hurried() async {
    _ = await second.value()
  }
}
