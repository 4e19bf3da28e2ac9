import MusterGuest
import MusterHost
import Synchronization

/// Waits until a machine is ready for its first step, at its launch and after each restart.
struct ManagerReadiness: Sendable {
  var guest: ClientGuest
  /// A script for root that ends when the machine has come up; `nil` when there is nothing to wait for.
  var settling: String?
  /// A script for root that prepares a new machine; `nil` when there is nothing to do.
  var preparation: String?

  /// How long an answer may take, and how soon another is asked for.
  private static let (answerDeadline, answerPause) = (Duration.seconds(60), Duration.milliseconds(200))

  /// - Throws: `Failure` when cloud-init failed, and when the deadline has passed; `CancellationError`.
  func wait(
    within deadline: Duration, progress: @escaping @Sendable (String) async -> Void = { _ in }
  ) async throws {
    let end = AwakeClock.now.advanced(by: deadline)
    await progress("logging in")
    var told: String?
    while let refusal = await guest.probe(deadline: min(Self.answerDeadline, AwakeClock.now.duration(to: end))) {
      try Task.checkCancellation()
      if refusal.code == .host { throw Failure(.host, refusal.message) }
      if AwakeClock.now.advanced(by: Self.answerPause) >= end {
        // That the last question was cut short says nothing.
        throw Failure(
          .backend, "the machine runs, and executes nothing within \(deadline.human)",
          evidence: (told ?? refusal.message).firstLines(5),
          hint: "look at what its manager says; 'timeouts: {launch: …}' allows more time", canPass: true)
      }
      told = refusal.message
      try await Task.sleep(for: Self.answerPause, clock: .awake)
    }
    let left = { max(.seconds(1), AwakeClock.now.duration(to: end)) }
    if let settling {
      await progress("coming up")
      try await perform(settling, by: "the start of the system", within: left())
    }
    await progress("waiting for cloud-init")
    try await perform(GuestPreparation.readinessScript, by: "cloud-init", within: left())
    guard let preparation else { return }
    await progress("preparing the guest")
    try await perform(preparation, by: "the preparation of the guest", within: left())
  }

  private func perform(_ text: String, by what: String, within deadline: Duration) async throws {
    let said = Mutex<[UInt8]>([])
    let script = GuestCommand(text, shell: ["sh"])
    let ending: GuestEnding
    do {
      ending = try await guest.run(script, deadline: deadline) { stream, bytes in
        if stream == .stdout { said.withLock { $0 = Array(($0 + bytes).suffix(1 << 14)) } }
      }
    } catch let error as GuestError {
      throw Failure(.guest, "the machine was lost while \(what) was waited for: \(error.message)", canPass: true)
    }
    switch ending {
    case .exited(0): return
    case .timedOut: throw Failure(.backend, "\(what) is not done within \(deadline.human)", canPass: true)
    case .exited, .signaled:
      let text = said.withLock { String(decoding: $0, as: UTF8.self) }
      throw Failure(
        .image, "\(what) failed in the image", evidence: text.split(whereSeparator: \.isNewline).map(String.init))
    }
  }
}
