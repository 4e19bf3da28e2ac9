import MusterGuest
import MusterHost
import Synchronization

/// Waits until a machine is ready for its first step, at its launch and after each restart.
struct MultipassReadiness: Sendable {
  var guest: ClientGuest

  /// How long an answer may take, and how soon another is asked for.
  private static let (answerDeadline, answerPause) = (Duration.seconds(60), Duration.milliseconds(200))

  /// - Throws: `Failure` when cloud-init failed, and when the deadline has passed; `CancellationError`.
  func wait(
    within deadline: Duration, progress: @escaping @Sendable (String) async -> Void = { _ in }
  ) async throws {
    let end = AwakeClock.now.advanced(by: deadline)
    await progress("logging in")
    while let refusal = await guest.probe(deadline: min(Self.answerDeadline, AwakeClock.now.duration(to: end))) {
      try Task.checkCancellation()
      if refusal.code == .host { throw Failure(.host, refusal.message) }
      if AwakeClock.now.advanced(by: Self.answerPause) >= end {
        throw Failure(
          .backend, "the machine runs, and executes nothing within \(deadline.human)", evidence: [refusal.message],
          canPass: true)
      }
      try await Task.sleep(for: Self.answerPause, clock: .awake)
    }
    await progress("waiting for cloud-init")
    try await waitForCloudInit(within: max(.seconds(1), AwakeClock.now.duration(to: end)))
  }

  private func waitForCloudInit(within deadline: Duration) async throws {
    let said = Mutex<[UInt8]>([])
    let script = GuestCommand(GuestPreparation.readinessScript, shell: ["sh"])
    let ending: GuestEnding
    do {
      ending = try await guest.run(script, deadline: deadline) { stream, bytes in
        if stream == .stdout { said.withLock { $0 = Array(($0 + bytes).suffix(1 << 14)) } }
      }
    } catch let error as GuestError {
      throw Failure(.guest, "the machine was lost while cloud-init prepared it: \(error.message)", canPass: true)
    }
    switch ending {
    case .exited(0): return
    case .timedOut: throw Failure(.backend, "cloud-init is not done within \(deadline.human)", canPass: true)
    case .exited, .signaled:
      let text = said.withLock { String(decoding: $0, as: UTF8.self) }
      throw Failure(
        .image, "cloud-init failed in the image", evidence: text.split(whereSeparator: \.isNewline).map(String.init))
    }
  }
}
