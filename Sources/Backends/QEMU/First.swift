import MusterHost

/// What the first of two pieces of work gives, the other being cancelled; `nil` when the deadline passes first.
///
/// Both have ended when this returns, so neither may ignore that it is cancelled.
/// - Throws: What the first that ends throws; `CancellationError`.
func first<Result: Sendable>(
  within deadline: Duration, _ body: @escaping @Sendable () async throws -> Result,
  or other: (@Sendable () async throws -> Result)? = nil
) async throws -> Result? {
  try await withThrowingTaskGroup(of: Result?.self) { group in
    defer { group.cancelAll() }
    group.addTask { try await body() }
    if let other { group.addTask { try await other() } }
    group.addTask {
      try await Task.sleep(for: deadline, clock: .awake)
      return nil
    }
    return try await group.next() ?? nil
  }
}
