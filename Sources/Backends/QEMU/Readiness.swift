import MusterCatalog
import MusterGuest
import MusterHost
import Synchronization

/// Waits until a machine is ready for its first step, at its launch and after each restart.
struct Readiness: Sendable {
  var emulator: Emulator
  var guest: SSHGuest
  var initialization: ImageDescription.Initialization
  var stage: LaunchStage

  /// How long a login may take, and how soon another is tried. A machine that is still preparing itself may refuse.
  private static let (loginDeadline, loginPause) = (Duration.seconds(60), Duration.milliseconds(200))

  /// Returns when somebody is logged in and the guest has prepared itself.
  /// - Parameter before: What is waited for first, such as a restart.
  /// - Throws: `Failure` as soon as the machine dies or tells that it will not become ready, and when the deadline has
  ///   passed; `CancellationError`.
  func wait(
    within deadline: Duration, progress: @escaping @Sendable (String) async -> Void = { _ in },
    after before: @escaping @Sendable () async throws -> Void = {}
  ) async throws {
    let vitals = emulator.vitals
    let ready: Void? = try await first(within: deadline) {
      try await before()
      await progress("booting")
      try await ServerBanner.wait(port: emulator.port)
      stage.reach(.server)
      await progress("logging in")
      try await logIn()
      stage.reach(.login)
      if initialization == .cloudInit {
        await progress("waiting for cloud-init")
        try await waitForCloudInit()
      }
    } or: {
      throw try await vitals.failure()
    }
    guard ready != nil else {
      await emulator.console.drain()
      throw stage.failure(after: deadline, restarts: vitals.restarts, console: emulator.console.lastLines)
    }
    vitals.phase = .ready
  }

  private func logIn() async throws {
    while let refusal = await guest.probe(deadline: Self.loginDeadline) {
      try Task.checkCancellation()
      if refusal.code == .host { throw Failure(.host, refusal.message) }
      stage.refused(refusal.message)
      try await Task.sleep(for: Self.loginPause)
    }
  }

  private func waitForCloudInit() async throws {
    let said = Mutex<[UInt8]>([])
    let ending: GuestEnding
    do {
      ending = try await guest.run(GuestCommand(GuestPreparation.readinessScript, shell: ["sh"]), deadline: nil) {
        stream, bytes in
        if stream == .stdout { said.withLock { $0 = Array(($0 + bytes).suffix(1 << 14)) } }
      }
    } catch let error as GuestError {
      throw Failure(.guest, "the machine was lost while cloud-init prepared it: \(error.message)", canPass: true)
    }
    guard ending == .exited(0) else {
      let text = said.withLock { String(decoding: $0, as: UTF8.self) }
      throw Failure(
        .image, "cloud-init failed in the image", evidence: text.split(whereSeparator: \.isNewline).map(String.init))
    }
  }
}
