/// Runs `body` to its end whether or not the calling task is cancelled: inside of it `Task.isCancelled` is false.
///
/// For what must be undone on every way out: the caller still waits for it, so give it a deadline of its own.
package func uncancelled<Result: Sendable>(_ body: @escaping @Sendable () async -> Result) async -> Result {
  await Task { await body() }.value
}
