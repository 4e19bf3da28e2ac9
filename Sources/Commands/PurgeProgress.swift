import MusterHost
import MusterMachines
import MusterReports
import Synchronization

/// Tells of each machine that it is being purged, and every 30 seconds that it still is: a manager may take minutes.
final class PurgeProgress: Sendable {
  private let current: Mutex<(name: MachineName, since: AwakeClock.Instant)?>
  private let heartbeat = Mutex<Task<Void, any Error>?>(nil)

  init() {
    current = Mutex(nil)
    let task = Task { [weak self] in
      while true {
        try await Task.sleep(for: .seconds(30), clock: .awake)
        guard let (name, since) = self?.current.withLock({ $0 }) else { continue }
        Console.tell("still purging '\(name)', for \(since.duration(to: AwakeClock.now).human)")
      }
    }
    heartbeat.withLock { $0 = task }
  }

  func begin(_ name: MachineName, _ remark: String = "") {
    current.withLock { $0 = (name, AwakeClock.now) }
    Console.tell("purging '\(name)'\(remark)")
  }

  func end() {
    heartbeat.withLock { $0?.cancel() }
  }
}
