import MusterGuest
import MusterHost

/// A machine's state is saved and loaded by QEMU's migration (docs/devel/migration), without what lies in the file of its memory
/// already.
extension Emulator {
  /// Returns when the guest too has ended all connections to its ssh server, or has had the time to: nothing of them is to be
  /// saved.
  func waitForConnections() async throws {
    for _ in 0..<100 {
      let answer = try? await monitor.execute("human-monitor-command", ["command-line": "info usernet"]).string
      let lines = (answer ?? "").split(separator: "\n").map { $0.split(separator: " ") }
      // `TCP[ESTABLISHED] 31 127.0.0.1 41310 10.0.2.15 22 0 0`
      guard lines.contains(where: { $0.first?.hasPrefix("TCP[") == true && $0.first != "TCP[HOST_FORWARD]" }) else {
        return
      }
      try await Task.sleep(for: .milliseconds(50), clock: .awake)
    }
  }

  /// Stops the machine and writes its state to the file `path`. It never goes on: `end` comes next.
  /// - Throws: `Failure` when it cannot be saved, `CancellationError`.
  func save(to path: String) async throws {
    try await transfer("save the machine") { monitor in
      try await monitor.execute("stop")
      try await monitor.execute("migrate", ["uri": "exec:cat >\(ShellText.quoted(path))"])
    }
    // It waits for what writes the file after it has said that all is done.
    await monitor.waitForTurns()
  }

  /// Loads the state that QEMU was started with, and lets the machine go on.
  /// - Throws: `Failure` when it cannot be loaded, `CancellationError`.
  func resume() async throws {
    try await transfer("load the saved machine") { monitor in
      try await monitor.execute("migrate-incoming", ["uri": "fd:\(Self.stateDescriptor)"])
    }
    do {
      try await monitor.execute("cont")
    } catch let error as MonitorError {
      throw Failure(.backend, "QEMU does not let the saved machine go on: \(error)")
    }
  }

  private func transfer(
    _ what: String, _ begin: @escaping @Sendable (Monitor) async throws -> Void
  ) async throws {
    let (monitor, vitals, migration) = (monitor, vitals, vitals.nextMigration())
    let isDone: Bool?
    do {
      isDone = try await first(within: Self.patience) { () async throws -> Bool in
        try await monitor.execute("migrate-set-capabilities") { json in
          json.member(
            "capabilities",
            array: { json in
              for name in ["events", "x-ignore-shared"] {
                json.object {
                  $0.member("capability", name)
                  $0.member("state", true)
                }
              }
            })
        }
        try await begin(monitor)
        guard let isDone = await migration.value() else { throw CancellationError() }
        return isDone
      } or: {
        throw try await vitals.failure()
      }
    } catch let error as MonitorError {
      throw (vitals.death.current ?? nil) ?? Failure(.backend, "QEMU cannot \(what): \(error)")
    }
    guard let isDone else { throw Failure(.host, "QEMU did not \(what) within \(Self.patience.human)", canPass: true) }
    guard isDone else {
      let reason = try? await monitor.execute("query-migrate")["error-desc"]?.string
      throw Failure(.backend, "QEMU cannot \(what)\(reason.map { ": \($0)" } ?? "")")
    }
  }
}
