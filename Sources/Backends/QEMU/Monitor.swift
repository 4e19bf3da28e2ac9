import MusterHost
import Synchronization

/// QEMU's monitor (QMP) over a pair of named pipes, as `-chardev pipe` makes of them: QEMU reads `<path>.in` and writes
/// `<path>.out`.
final class Monitor: Sendable {
  /// QEMU's version, once it has started so far that it can be asked.
  let greeting = Promise<String>()
  private let requests: NamedPipe
  private let replies: NamedPipe
  private let state = Mutex(State())

  private struct State {
    var line: [UInt8] = []
    var lastID: Int64 = 0
    var waiting: [Int64: Promise<Result<JSONValue, MonitorError>>] = [:]
    var isClosed = false
  }

  /// Makes the pipes and hands on events as they come.
  /// - Throws: `Failure`.
  init(path: String, event: @escaping @Sendable (MonitorEvent) -> Void) throws(Failure) {
    requests = try NamedPipe("\(path).in")
    replies = try NamedPipe("\(path).out")
    replies.read { [weak self] bytes in self?.take(bytes, event: event) }
  }

  private func take(_ bytes: [UInt8], event: @Sendable (MonitorEvent) -> Void) {
    let lines = state.withLock { state -> [[UInt8]] in
      state.line += bytes
      var lines = state.line.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
      state.line = lines.removeLast()
      return lines
    }
    for line in lines {
      switch MonitorMessage(line: line) {
      case .greeting(let version): greeting.keep(version)
      case .event(let value): event(value)
      case .reply(let id, let result): state.withLock { $0.waiting.removeValue(forKey: id) }?.keep(result)
      case nil: break
      }
    }
  }

  /// Has QEMU do something, and returns what it says. The first command must be `qmp_capabilities`.
  /// - Throws: `MonitorError` when QEMU refuses or is gone, `CancellationError`.
  @discardableResult
  func execute(_ command: String, _ arguments: KeyValuePairs<String, String> = [:]) async throws -> JSONValue {
    try await execute(command) { json in
      for (name, value) in arguments { json.member(name, value) }
    }
  }

  /// The same with arguments of any kind.
  @discardableResult
  func execute(_ command: String, arguments: (inout JSONWriter) -> Void) async throws -> JSONValue {
    let reply = Promise<Result<JSONValue, MonitorError>>()
    let id = try state.withLock { state in
      if state.isClosed { throw MonitorError(message: "QEMU has ended") }
      state.lastID += 1
      state.waiting[state.lastID] = reply
      return state.lastID
    }
    var request = JSONWriter()
    request.object {
      $0.member("execute", command)
      $0.member("arguments", object: arguments)
      $0.member("id", id)
    }
    request.newline()
    do {
      try requests.write(request.bytes)
    } catch {
      throw MonitorError(message: error.description)
    }
    guard let result = await reply.value() else { throw CancellationError() }
    return try result.get()
  }

  /// Returns when QEMU's main loop has gone round, and thus has written what waited for room in a pipe, as much as there was
  /// room for. That takes the loop a turn to see, one to prepare and one to do.
  func waitForTurns() async {
    for _ in 0..<4 { _ = try? await execute("query-status") }
  }

  /// Returns when all that QEMU has said until now was handed on.
  func drain() async {
    await replies.drain()
  }

  /// To be called when QEMU has ended: whoever waits for a reply is told.
  func close() {
    requests.close()
    replies.close()
    let waiting = state.withLock { state in
      state.isClosed = true
      defer { state.waiting = [:] }
      return state.waiting
    }
    for reply in waiting.values { reply.keep(.failure(MonitorError(message: "QEMU has ended"))) }
  }
}
