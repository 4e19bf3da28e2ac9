import MusterHost
import Synchronization

/// What was told, in order.
package final class Told: Sendable {
  private let all = Mutex<[String]>([])
  private let begun = Promise<Void>()

  package init() {}

  package func append(_ line: String) {
    all.withLock { $0.append(line) }
    begun.keep(())
  }

  package var lines: [String] { all.withLock { $0 } }

  /// Returns when so many were told.
  package func lines(_ count: Int) async {
    while lines.count < count { try? await Task.sleep(for: .milliseconds(5)) }
  }

  /// Returns when something was told.
  package func first() async { _ = await begun.value() }
}
