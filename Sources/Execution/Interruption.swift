import MusterHost

/// How a person ends a run early: the first signal stops it in order, and leaves clean-up little time; further ones change
/// nothing.
package final class Interruption: Sendable {
  private let first = Promise<Int32>()

  package init() {}

  /// Tells of a signal: the running step is ended, and the purge begins.
  package func interrupt(signal: Int32) {
    first.keep(signal)
  }

  /// The first signal, if one came.
  package var signal: Int32? { first.current }

  /// Waits for the first signal; returns early when the task is cancelled.
  package func interrupted() async {
    _ = await first.value()
  }
}
