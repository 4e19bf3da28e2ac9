import MusterGuest
import MusterHost
import Synchronization

/// The log of a step: what was done, and both streams as they came, secrets masked. A file that is cut in its middle
/// at a limit, so that a step may print any amount.
final class StepLog: Sendable {
  /// Relative to the run's output folder.
  let name: String
  private let mask: SecretMask
  private let state: Mutex<State>

  private struct State: ~Copyable {
    var file: CutFile
    var streams: [GuestStream: SecretMask.Stream]
    /// Masked, both streams as they came.
    var last = LastBytes(limit: 128 << 10)
    var isAtLineStart = true
    var failure: Failure?
  }

  /// - Parameter output: The run's output folder.
  init(_ name: String, in output: String, limit: Int, mask: SecretMask) throws(Failure) {
    self.name = name
    self.mask = mask
    state = Mutex(State(file: try CutFile("\(output)/\(name)", limit: limit), streams: [:]))
  }

  /// Adds what a stream brought, and returns what of it may be shown.
  @discardableResult
  func append(_ bytes: [UInt8], from stream: GuestStream) throws(Failure) -> [UInt8] {
    try state.withLock { state throws(Failure) in
      let shown = state.streams[stream, default: SecretMask.Stream(mask)].next(bytes)
      try Self.write(shown, to: &state)
      return shown
    }
  }

  /// Begins another try: what the last one printed is no longer among the last lines.
  func begin() {
    state.withLock { $0.last = LastBytes(limit: $0.last.limit) }
  }

  /// Adds lines of Muster's own.
  func note(_ lines: [String]) throws(Failure) {
    let text = lines.map { "\(mask($0))\n" }.joined()
    try state.withLock { state throws(Failure) in
      try Self.flush(&state)
      let start: [UInt8] = state.isAtLineStart ? [] : [0x0A]
      try Self.write(start + Array(text.utf8), to: &state, isOutput: false)
    }
  }

  /// Adds what was held back of a stream as the possible beginning of a secret, and returns it.
  func end(_ stream: GuestStream) throws(Failure) -> [UInt8] {
    try state.withLock { state throws(Failure) in
      let rest = state.streams[stream]?.end() ?? []
      try Self.write(rest, to: &state)
      return rest
    }
  }

  /// Puts the file in order; nothing may be added after it.
  func finish() throws(Failure) {
    try state.withLock { state throws(Failure) in
      try Self.flush(&state)
      if let failure = state.failure { throw failure }
      try state.file.finish()
    }
  }

  /// Why the log could not be written, if so.
  var failure: Failure? { state.withLock { $0.failure } }

  /// The end of what the current try printed.
  var text: String { state.withLock { $0.last.text } }

  func lastLines(_ count: Int) -> [String] {
    state.withLock { $0.last.lines(count) }
  }

  private static func flush(_ state: inout State) throws(Failure) {
    for stream in [GuestStream.stdout, .stderr] {
      if let rest = state.streams[stream]?.end(), !rest.isEmpty { try write(rest, to: &state) }
    }
  }

  private static func write(_ bytes: [UInt8], to state: inout State, isOutput: Bool = true) throws(Failure) {
    guard let last = bytes.last else { return }
    if isOutput { state.last.append(bytes) }
    state.isAtLineStart = last == 0x0A
    do {
      try state.file.write(bytes)
    } catch {
      state.failure = error
      throw error
    }
  }
}
