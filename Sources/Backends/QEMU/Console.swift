import MusterHost
import Synchronization

/// A machine's serial console: everything goes to the log, and each line is looked at for trouble as it comes.
final class Console: Sendable {
  /// How many of the last lines are kept as evidence.
  static let evidenceLimit = 12

  private let pipe: NamedPipe
  private let state: Mutex<State>

  private struct State: ~Copyable {
    var text = ConsoleText()
    var log: BoundedLog
    var lines: [String] = []
    var count = 0
    /// The unfinished line that was looked at last, so that a prompt is told once.
    var prompt = ""
  }

  /// Makes the pipe at `path` that QEMU writes to.
  /// - Parameters:
  ///   - line: Called with each line that has ended, as text without control sequences.
  ///   - trouble: Called when a line tells of trouble, with that line and those before it.
  /// - Throws: `Failure`.
  init(
    path: String, log: String, line: @escaping @Sendable (String) -> Void = { _ in },
    trouble: @escaping @Sendable (ConsoleTrouble, _ evidence: [String]) -> Void
  ) throws(Failure) {
    state = Mutex(State(log: try BoundedLog(log)))
    pipe = try NamedPipe(path)
    pipe.read { [weak self] bytes in
      guard let self else { return }
      let (lines, troubles) = take(bytes)
      lines.forEach(line)
      for (found, evidence) in troubles { trouble(found, evidence) }
    }
  }

  private func take(_ bytes: [UInt8]) -> (lines: [String], [(ConsoleTrouble, [String])]) {
    state.withLock { state in
      state.log.append(bytes)
      var troubles: [(ConsoleTrouble, [String])] = []
      let lines = state.text.take(bytes)
      for line in lines {
        state.lines.append(line)
        if state.lines.count > Self.evidenceLimit { state.lines.removeFirst() }
        if let trouble = ConsoleTrouble(line: line) { troubles.append((trouble, state.lines)) }
      }
      state.count += lines.count
      let prompt = state.text.unfinished
      if prompt != state.prompt {
        state.prompt = prompt
        if let trouble = ConsoleTrouble(line: prompt, isPrompt: true) {
          troubles.append((trouble, state.lines + [prompt]))
        }
      }
      return (lines, troubles)
    }
  }

  /// The last lines that came, the unfinished one too.
  var lastLines: [String] {
    state.withLock { state in
      let prompt = state.text.unfinished
      return prompt.isEmpty ? state.lines : state.lines + [prompt]
    }
  }

  /// How many lines have come.
  var lineCount: Int {
    state.withLock { $0.count }
  }

  /// Returns when all that QEMU has written until now was looked at.
  func drain() async {
    await pipe.drain()
  }

  /// To be called when QEMU has ended.
  func close() async {
    await pipe.drain()
    pipe.close()
    state.withLock { $0.log.close() }
  }
}
