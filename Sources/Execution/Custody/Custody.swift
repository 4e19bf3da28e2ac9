package import MusterHost
package import MusterMachines
import Synchronization

/// What sees to it that no machine of a run is left behind, whatever becomes of the run: its ledger, and its guardian.
package final class Custody: Sendable {
  private let ledger: Ledger
  private let startGuardian: (@Sendable () async throws -> Companion)?
  private let guardian = Mutex<Companion?>(nil)

  /// - Parameter startGuardian: Starts the process that purges what the run has made if it is killed.
  package init(_ ledger: Ledger, startGuardian: (@Sendable () async throws -> Companion)? = nil) {
    self.ledger = ledger
    self.startGuardian = startGuardian
  }

  /// Makes sure that the guardian lives.
  /// - Throws: `Failure` when none can be started: then nothing may be launched.
  package func ensureGuardian() async throws(Failure) {
    guard let startGuardian, guardian.withLock({ $0?.isAlive ?? false }) == false else { return }
    do {
      let started = try await startGuardian()
      guardian.withLock { $0 = started }
    } catch {
      throw error as? Failure ?? Failure(.host, "the guardian of this run cannot be started: \(error)")
    }
  }

  /// Must return before a backend is asked for a machine, or anything is made that goes with it.
  /// - Throws: `Failure`: then it must not be made.
  package func begin(_ relic: Relic) async throws(Failure) {
    try await ensureGuardian()
    try ledger.intend(relic)
  }

  /// A machine is proven gone, or never came to be.
  package func purged(_ name: MachineName) {
    ledger.purged(name)
  }

  func kept(_ name: MachineName, path: String) {
    ledger.kept(name, path: path)
  }

  /// Ends the custody of a run that has come to its end. A machine that could not be purged in time is left to the
  /// guardian, which goes on once this process has ended.
  /// - Returns: Whether it is: then the machine's lock must be left to the guardian too.
  package func end() async -> Bool {
    let guardian = guardian.withLock { $0 }
    if ledger.isOwing, let guardian, guardian.isAlive {
      ledger.handOver()
      return true
    }
    // In this order: nobody would remove the ledger of a run that is killed when its guardian has left.
    ledger.close()
    await guardian?.dismiss()
    return false
  }
}
