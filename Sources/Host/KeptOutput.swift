import Synchronization

/// The first bytes of each stream of a process that runs.
package final class KeptOutput: Sendable {
  private let limit: Int
  private let streams = Mutex<[ProcessStream: [UInt8]]>([:])

  /// - Parameter limit: How many bytes of each stream are kept.
  package init(limit: Int) {
    self.limit = limit
  }

  package func append(_ bytes: [UInt8], to stream: ProcessStream) {
    streams.withLock { streams in
      let room = limit - streams[stream, default: []].count
      if room > 0 { streams[stream, default: []] += bytes.prefix(room) }
    }
  }

  /// What a process left that ended so.
  package func output(_ ending: ProcessEnding) -> ProcessOutput {
    streams.withLock { ProcessOutput(ending: ending, stdout: $0[.stdout] ?? [], stderr: $0[.stderr] ?? []) }
  }
}
