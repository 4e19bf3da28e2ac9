import MusterHost
import Synchronization

/// What brings jobs into a machine, and what they write back: ssh, or the client of a virtual machine manager. (A `Lane`
/// brings only one.)
protocol JobCarrier: Sendable {
  /// - Parameter feed: Writes what the job reads itself.
  /// - Throws: `GuestError` when it cannot even be tried.
  func carriage(of job: GuestJob, feed: JobFeed?) throws(GuestError) -> JobCarriage
}

typealias JobFeed = @Sendable (ProcessInput) async throws -> Void

/// The way of one job.
struct JobCarriage: Sendable {
  /// Brings the job into the machine and hands on what it writes; returns when nothing more can come. Cancelled, it
  /// leaves no process on this host.
  /// - Returns: Why the job did not say how it came to its end, in case that it did not.
  /// - Throws: `HostCommandError`, `GuestError`, what the feed and `output` throw, `CancellationError`.
  var run: @Sendable (_ output: @escaping JobExchange.Output) async throws -> JobLoss
  /// Removes what lay beside it on this host.
  var tidy: @Sendable () -> Void = {}
}

/// - Parameter noise: What came before the job began.
typealias JobLoss = @Sendable (_ noise: String, _ hasBegun: Bool) -> GuestError

/// One job on its way: what it writes is handed on, and its last word is kept.
final class JobExchange: Sendable {
  typealias Output = @Sendable (GuestStream, [UInt8]) async throws -> Void

  /// How the job came to its end, or why it did not.
  let report = Promise<Result<String, any Error>>()
  private let streams: Mutex<[GuestStream: MarkedStream]>
  private let handedOn = Mutex<[GuestStream: String]>([:])
  private let ended = Promise<Void>()
  private let task = Mutex<Task<Void, Never>?>(nil)

  init(job: GuestJob) {
    streams = Mutex([.stdout: MarkedStream(number: job.number), .stderr: MarkedStream(number: job.number)])
  }

  /// Starts the carriage in a task of its own, which is not cancelled with the caller's. It goes on after the job's end for
  /// as long as something that the job left in the background has its streams, so that this is not ended by a broken
  /// pipe.
  func start(_ carriage: JobCarriage, output: @escaping Output) {
    let work = Task {
      do {
        let loss = try await carriage.run { stream, bytes in
          try await self.take(bytes, from: stream, output: output)
        }
        if report.current == nil { try await tellLoss(loss, output) }
      } catch let error as HostCommandError {
        report.keep(.failure(GuestError(.host, "\(error)")))
      } catch {
        report.keep(.failure(error))
      }
      carriage.tidy()
      ended.keep(())
    }
    task.withLock { $0 = work }
  }

  /// Nothing more comes, and the job has not said how it came to its end.
  private func tellLoss(_ loss: JobLoss, _ output: Output) async throws {
    for stream in [GuestStream.stdout, .stderr] {
      let rest = streams.withLock { $0[stream]?.finish() ?? [] }
      if !rest.isEmpty { try await output(stream, rest) }
    }
    let (noise, hasBegun) = streams.withLock { streams in
      let hasBegun = streams[.stderr]?.hasBegun == true
      // What cannot even begin may be said on either.
      let noises = (hasBegun ? [.stderr] : [.stderr, .stdout]).map { (stream: GuestStream) in
        String(decoding: streams[stream]?.noise ?? [], as: UTF8.self).trimmed
      }
      return (noises.first { !$0.isEmpty } ?? "", hasBegun)
    }
    report.keep(.failure(loss(noise, hasBegun)))
  }

  private func take(_ bytes: [UInt8], from stream: GuestStream, output: Output) async throws {
    if report.current != nil { return }
    let own = streams.withLock { $0[stream]?.take(bytes) ?? [] }
    if !own.isEmpty { try await output(stream, own) }
    // Only what has been handed on counts: the other stream may be at its end already.
    let word = handedOn.withLock { words in
      words[stream] = streams.withLock { $0[stream]?.word }
      return words[.stdout] == nil ? nil : words[.stderr]
    }
    if let word { report.keep(.success(word)) }
  }

  /// Whether the machine has confirmed that the job began.
  var hasBegun: Bool { streams.withLock { $0.values.contains { $0.hasBegun } } }

  var hasEnded: Bool { ended.current != nil }

  /// Ends the carriage if it still runs, and returns when its processes are gone.
  func end() async {
    let work = task.withLock { $0 }
    work?.cancel()
    await work?.value
  }
}
