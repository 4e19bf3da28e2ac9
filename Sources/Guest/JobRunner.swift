import MusterHost
import Synchronization

/// Does what a `Guest` can do by jobs, whatever carries them.
final class JobRunner: Sendable {
  private let carrier: any JobCarrier
  private let lanes: Lanes?
  private let exchanges = Mutex<[JobExchange]>([])
  private let lastBegan = Mutex(true)
  private let lastEndingBegan = Mutex(true)
  /// How long the ending of a script in the machine may take before it is given up.
  private let endingDeadline: Duration
  /// Kept when the machine is dead: nothing in it can be ended, and nothing need be.
  private let death: Promise<Void>

  /// - Parameter lanes: What scripts go by, and the endings of scripts, as long as there are any left.
  init(carrier: any JobCarrier, lanes: Lanes? = nil, endingDeadline: Duration, death: Promise<Void>) {
    self.death = death
    self.carrier = carrier
    self.lanes = lanes
    self.endingDeadline = endingDeadline
  }

  /// Whether the machine never confirmed that it began with the last script, though that was waited for: nothing that the
  /// script does can be why.
  var neverBegan: Bool { lastBegan.withLock { !$0 } }

  /// Whether the machine no longer answered when the last script was to be ended.
  var isSilent: Bool { lastEndingBegan.withLock { !$0 } }

  /// Whether something can go by a lane.
  var isOnLane: Bool { lanes?.left != nil }

  /// A lane for a job of Muster's own; `nil` when there is none left.
  func takeLane() -> Lane? { lanes?.take() }

  /// `Guest.run`.
  func run(
    _ command: GuestCommand, deadline: Duration?,
    output: @escaping @Sendable (GuestStream, [UInt8]) async throws -> Void
  ) async throws -> GuestEnding {
    try command.check()
    lastEndingBegan.withLock { $0 = true }
    let lane = lanes?.take()
    let job = GuestJob(running: command, lane: lane?.name)
    let exchange = try start(job, by: lane, output: output)
    let finding = await finding(of: exchange, deadline: deadline)
    lastBegan.withLock { $0 = exchange.hasBegun }
    switch finding {
    case .report(.success(let word)):
      return try command.ending(word)
    case .report(.failure(let error)):
      // An error of the reader: the script may still run.
      if !(error is GuestError) { await end(job, exchange) }
      throw error
    case .deadline:
      await end(job, exchange)
      return .timedOut
    case .cancelled:
      await end(job, exchange)
      throw CancellationError()
    }
  }

  /// Ends all exchanges; none of their processes is left on this host.
  func close() async {
    let open = exchanges.withLock { exchanges in
      defer { exchanges = [] }
      return exchanges
    }
    await uncancelled {
      for exchange in open { await exchange.end() }
    }
  }

  private enum Finding: Sendable {
    case report(Result<String, any Error>)
    case deadline
    case cancelled
  }

  /// Runs a job of Muster's own, and returns its last word and the end of what it wrote on its standard error.
  /// - Parameters:
  ///   - lane: What it goes by, in place of the carrier.
  ///   - isEnded: Whether it is ended in the machine too when it is not waited for any more.
  ///   - untilDeath: Whether the machine's death is as if its time was over.
  func perform(
    _ job: GuestJob, by lane: Lane? = nil, deadline: Duration?, isEnded: Bool = true, untilDeath: Bool = false,
    feed: JobFeed? = nil,
    stdout: (@Sendable ([UInt8]) async throws -> Void)? = nil
  ) async throws -> (word: String, errorText: String) {
    let kept = Mutex<[UInt8]>([])
    let exchange = try start(job, by: lane, feed: feed) { stream, bytes in
      if stream == .stdout {
        try await stdout?(bytes)
      } else {
        kept.withLock { $0 = Array(($0 + bytes).suffix(4096)) }
      }
    }
    let finding = await finding(of: exchange, deadline: deadline, untilDeath: untilDeath)
    if case .report(.success(let word)) = finding {
      return (word, kept.withLock { String(decoding: $0, as: UTF8.self) }.trimmed)
    }
    switch finding {
    case .report(.failure(let error)) where error is GuestError:
      // There is no connection any more to end it by.
      throw error
    default:
      if isEnded { await end(job, exchange) } else { await uncancelled { await exchange.end() } }
    }
    switch finding {
    case .report(let result): return (try result.get(), "")
    case .deadline: throw GuestError(.transfer, "it took longer than \(deadline?.human ?? "")")
    case .cancelled: throw CancellationError()
    }
  }

  private func start(
    _ job: GuestJob, by lane: Lane?, feed: JobFeed? = nil, output: @escaping JobExchange.Output
  ) throws(GuestError) -> JobExchange {
    let carriage = if let lane { lane.carriage(of: job) } else { try carrier.carriage(of: job, feed: feed) }
    let exchange = JobExchange(job: job)
    exchanges.withLock { exchanges in
      exchanges.removeAll { $0.hasEnded }
      exchanges.append(exchange)
    }
    exchange.start(carriage, output: output)
    return exchange
  }

  /// - Parameter untilDeath: Whether the machine's death is as if its time was over.
  private func finding(of exchange: JobExchange, deadline: Duration?, untilDeath: Bool = false) async -> Finding {
    await withTaskGroup(of: Finding.self) { group in
      if untilDeath {
        group.addTask { [death] in await death.value() == nil ? .cancelled : .deadline }
      }
      group.addTask {
        await exchange.report.value().map { .report($0) } ?? .cancelled
      }
      if let deadline {
        group.addTask {
          do {
            try await Task.sleep(for: deadline, clock: .awake)
            return .deadline
          } catch {
            return .cancelled
          }
        }
      }
      let first = await group.next() ?? .cancelled
      group.cancelAll()
      return first
    }
  }

  /// Ends what a job started in the machine, and its carriage, whether or not the task is cancelled.
  private func end(_ job: GuestJob, _ exchange: JobExchange) async {
    await uncancelled { [self] in
      if death.current != nil { return await exchange.end() }
      let lane = lanes?.take()
      let ending = GuestJob(ending: job.id, lane: lane?.name)
      if let other = try? start(ending, by: lane, output: { _, _ in }) {
        if case .deadline = await finding(of: other, deadline: endingDeadline, untilDeath: true) { await other.end() }
        lastEndingBegan.withLock { $0 = other.hasBegun }
      }
      // The job tidies up and says its last word once its script is gone.
      if case .deadline = await finding(of: exchange, deadline: .seconds(2), untilDeath: true) { await exchange.end() }
    }
  }
}
