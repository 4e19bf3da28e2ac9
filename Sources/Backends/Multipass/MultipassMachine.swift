package import MusterGuest
package import MusterHost
package import MusterMachines
import Synchronization

/// An instance of Multipass.
package final class MultipassMachine: Machine {
  package let name: MachineName
  /// The relic that it leaves.
  private let relic: Relic
  private let client: MultipassClient
  private let patience: MultipassPatience
  let guestClient: ClientGuest
  private let vitals: MultipassVitals

  init(request: LaunchRequest, client: MultipassClient, patience: MultipassPatience) {
    name = request.name
    relic = Relic(name: request.name, backend: MultipassBackend.name, workspace: request.workspace)
    self.client = client
    self.patience = patience
    let vitals = MultipassVitals()
    self.vitals = vitals
    guestClient = ClientGuest(client.guest(of: request.name.text), endingDeadline: patience.ending) {
      vitals.doubt()
    }
  }

  package var guest: any Guest { guestClient }

  /// Waits until it executes scripts and has prepared itself.
  func becomeReady(
    within deadline: Duration, progress: @escaping @Sendable (String) async -> Void = { _ in }
  ) async throws {
    try await MultipassReadiness(guest: guestClient).wait(within: deadline, progress: progress)
    vitals.isWatched = true
  }

  package func death() async -> Failure? {
    // How often it is looked at in a hurry after it did not answer: its state follows a moment later.
    var hurried = 0
    while true {
      switch await vitals.wait(hurried > 0 ? patience.urgentLook : patience.look) {
      case .over(let failure): return failure
      case .doubted: hurried = 10
      case .quiet: hurried = max(0, hurried - 1)
      }
      if Task.isCancelled { return nil }
      guard vitals.isWatched, let instances = try? await client.instances(deadline: patience.question) else { continue }
      let state = instances.first { $0.name == name.text }?.state
      // A restart, or a purge, may have begun meanwhile.
      guard vitals.isWatched else { continue }
      switch state {
      case nil: vitals.end(Failure(.backend, "the machine is gone: Multipass has no instance of its name any more"))
      case "Stopped", "Deleted", "Suspended":
        vitals.end(Failure(.guest, "the machine stopped by itself", evidence: ["\(name): \(state ?? "")"]))
      default: break
      }
    }
  }

  package func reboot(deadline: Duration) async throws {
    let end = AwakeClock.now.advanced(by: deadline)
    let boot = try await bootID()
    vitals.isWatched = false
    let seconds = max(1, Int(deadline.seconds.rounded(.up)))
    let arguments = ["restart", "--timeout", "\(seconds)", name.text]
    let output = try await client.answer(arguments, deadline: deadline + patience.launchGrace)
    guard output.ending.isSuccess else { throw MultipassTrouble.failure(of: arguments, output) }
    await guestClient.close()
    try await becomeReady(within: max(.seconds(1), AwakeClock.now.duration(to: end)))
    if try await bootID() == boot { throw Failure(.guest, "the guest restarted, but its boot id is still the same") }
  }

  private func bootID() async throws -> String {
    do {
      return try await guestClient.bootID()
    } catch let error as GuestError {
      throw Failure(.guest, "the guest does not tell its boot id: \(error.message)")
    }
  }

  package func purge() async throws {
    vitals.isWatched = false
    await guestClient.close()
    try await MultipassBackend.purge(relic, client: client, patience: patience)
    vitals.end(nil)
  }

  /// There is no folder that anyone could look into: what is returned says how to get in.
  package func keep() async throws -> String {
    vitals.isWatched = false
    await guestClient.close()
    let result = await uncancelled { [client, patience, name] () -> (any Error)? in
      do {
        try await client.perform(["stop", name.text], deadline: patience.stop)
      } catch {
        // A guest that does not end in order is switched off: its disk is what is kept.
        do { try await client.perform(["stop", "--force", name.text], deadline: patience.stop) } catch { return error }
      }
      return nil
    }
    if let result { throw result }
    vitals.end(nil)
    return "Multipass, where 'multipass shell \(name)' enters it"
  }
}

/// What is known of whether a machine lives.
final class MultipassVitals: Sendable {
  private struct State {
    var isWatched = false
    var doubt = Promise<Void>()
  }

  enum Word: Sendable {
    /// It has died; `nil` when that was wanted, or nobody waits any more.
    case over(Failure?)
    /// It did not answer just now.
    case doubted
    case quiet
  }

  private let state = Mutex(State())
  private let ended = Promise<Failure?>()

  /// Whether it should be running.
  var isWatched: Bool {
    get { state.withLock { $0.isWatched } }
    set { state.withLock { $0.isWatched = newValue } }
  }

  /// Tells that it did not answer.
  func doubt() {
    state.withLock { $0.doubt }.keep(())
  }

  func end(_ failure: Failure?) {
    ended.keep(failure)
  }

  /// Waits for news, for `time` at most.
  func wait(_ time: Duration) async -> Word {
    let doubt = state.withLock { $0.doubt }
    let word = await withTaskGroup(of: Word?.self) { group in
      group.addTask { [ended] in await ended.value().map { .over($0) } }
      group.addTask { await doubt.value().map { .doubted } }
      group.addTask {
        try? await Task.sleep(for: time, clock: .awake)
        return .quiet
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first ?? .quiet
    }
    if case .doubted = word { state.withLock { if $0.doubt === doubt { $0.doubt = Promise() } } }
    return word
  }
}
