import MusterGuest
import MusterHost
import MusterMatrix
import Synchronization

/// What became of one try of a step.
enum Verdict: Sendable {
  case passed
  case failed(Reason, Mismatch?)
  /// It could not be told.
  case error(Reason)

  var isPassed: Bool { if case .passed = self { true } else { false } }

  var reason: Reason? {
    switch self {
    case .passed: nil
    case .failed(let reason, _), .error(let reason): reason
    }
  }
}

extension RunStep {
  /// Runs a script by `execute`, with its output into the log, and judges it by what is expected.
  func judged(
    log: StepLog, secrets: Secrets,
    execute: (@escaping @Sendable (GuestStream, [UInt8]) async throws -> Void) async throws -> GuestEnding
  ) async throws -> Verdict {
    let judges = Mutex([
      GuestStream.stdout: StreamJudge("stdout", stdout, reveal: secrets.reveal),
      GuestStream.stderr: StreamJudge("stderr", stderr, reveal: secrets.reveal),
    ])
    let ending = try await execute { stream, bytes in
      let shown = try log.append(bytes, from: stream)
      judges.withLock { $0[stream]?.take(bytes, shown: shown) }
    }
    if let mismatch = mismatch(of: ending) {
      return .failed(Reason("\(mismatch.subject) \(mismatch.actual), expected \(mismatch.expected)"), mismatch)
    }
    for stream in [GuestStream.stdout, .stderr] {
      let rest = try log.end(stream)
      let judgement = judges.withLock { judges in
        judges[stream]?.take([], shown: rest)
        return judges[stream]?.judge() ?? .holds
      }
      switch judgement {
      case .holds: continue
      case .differs(let mismatch): return .failed(Reason("\(stream.rawValue) is not as expected"), mismatch)
      case .error(let reason): return .error(reason)
      }
    }
    return .passed
  }

  private func mismatch(of ending: GuestEnding) -> Mismatch? {
    let actual: String
    switch ending {
    case .exited(let status):
      if exit.contains(status) { return nil }
      actual = "\(status)"
    case .signaled(let signal):
      // As shells tell it.
      if exit.contains(128 + signal) { return nil }
      actual = "none: \(ending.text)"
    case .timedOut: actual = "none: \(ending.text)"
    }
    return Mismatch(
      subject: "exit status", expected: exit.map { "\($0)" }.joined(separator: " or "), actual: actual, location: nil)
  }
}
