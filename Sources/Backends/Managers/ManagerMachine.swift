package import MusterGuest
package import MusterHost
package import MusterMachines

/// A machine of a manager.
package final class ManagerMachine: Machine {
  package let name: MachineName
  /// The relic that it leaves.
  private let relic: Relic
  private let manager: any Manager
  private let patience: ManagerPatience
  private let log: AppendedFile
  let guestClient: ClientGuest
  private let vitals: ManagerVitals

  private var client: ManagerClient { manager.client }

  init(request: LaunchRequest, manager: any Manager, patience: ManagerPatience, log: AppendedFile) {
    name = request.name
    relic = Relic(name: request.name, backend: manager.client.words.name, workspace: request.workspace)
    self.manager = manager
    self.patience = patience
    self.log = log
    let vitals = ManagerVitals()
    self.vitals = vitals
    guestClient = ClientGuest(
      manager.guest(of: request.name), endingDeadline: patience.ending, death: vitals.isDead
    ) { vitals.doubt() }
  }

  package var guest: any Guest { guestClient }

  /// Waits until it executes scripts and has prepared itself.
  func becomeReady(
    within deadline: Duration, isNew: Bool = false,
    progress: @escaping @Sendable (String) async -> Void = { _ in }
  ) async throws {
    let readiness = ManagerReadiness(
      guest: guestClient, settling: manager.settling, preparation: isNew ? manager.preparation : nil)
    guestClient.boot = nil
    try await readiness.wait(within: deadline, progress: progress)
    guestClient.boot = try await bootID()
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
      guard vitals.isWatched else { continue }
      let instance: ManagedInstance?
      do { instance = try await instanceNow() } catch { continue }
      // A restart, or a purge, may have begun meanwhile.
      guard vitals.isWatched else { continue }
      if let failure = failure(of: instance) { vitals.end(failure) }
    }
  }

  package func trouble(after error: GuestError?) async -> Failure? {
    let instance: ManagedInstance?
    do {
      instance = try await instanceNow()
    } catch {
      // Its manager is what is wrong.
      return error as? Failure
    }
    if let failure = failure(of: instance) { return failure }
    if case .troubled(let word) = instance?.state {
      return Failure(
        .backend, "\(client.words.title) says that something is wrong with the machine", evidence: ["\(name): \(word)"],
        hint: client.words.restartHint)
    }
    if let error { return error == ClientGuest.hasRestarted ? nil : client.words.failure(saying: error.message) }
    guard guestClient.neverBegan else { return nil }
    let words = client.words
    return Failure(
      .backend, "\(words.tool) did not bring the script into '\(name)', though \(words.title) answers",
      hint: words.restartHint)
  }

  /// What the manager has of its name; `nil` when that is nothing.
  private func instanceNow() async throws -> ManagedInstance? {
    try await manager.instances(deadline: patience.question).first { $0.name == name.text }
  }

  /// What it means that the manager has it in such a state while it is used.
  private func failure(of instance: ManagedInstance?) -> Failure? {
    switch instance?.state {
    case nil:
      Failure(.backend, "the machine is gone: \(client.words.title) has no instance of its name any more")
    case .stopped(let word):
      Failure(.guest, "the machine stopped by itself", evidence: ["\(name): \(word)"])
    case .preparing, .alive, .troubled: nil
    }
  }

  package func reboot(deadline: Duration) async throws {
    let end = AwakeClock.now.advanced(by: deadline)
    let left = { max(.seconds(1), AwakeClock.now.duration(to: end)) }
    let boot = guestClient.boot
    vitals.isWatched = false
    var passed: Failure?
    do {
      for call in manager.restart(of: name, seconds: deadline.wholeSeconds) {
        try await client.perform(call, deadline: left() + patience.launchGrace)
      }
    } catch let failure as Failure where failure.canPass {
      passed = failure
      // What did not come up in time may do so when it is started once more.
      if try await hasStopped(within: min(patience.launchGrace, left()), orIsInTrouble: true) {
        try? log.append("\(failure.message); starting it again\n")
        try await startAgain(within: left)
      }
    }
    await guestClient.close()
    try await becomeReady(within: left())
    if guestClient.boot == boot {
      throw passed ?? Failure(.guest, "the guest restarted, but its boot id is still the same")
    }
  }

  /// Starts what has stopped. Its manager may still be busy with the stop.
  private func startAgain(within left: () -> Duration) async throws {
    let grace = AwakeClock.now.advanced(by: min(patience.busy, left()))
    while true {
      do {
        return _ = try await client.perform(
          manager.start(of: name, seconds: left().wholeSeconds), deadline: left())
      } catch let failure as Failure where failure.canPass && AwakeClock.now < grace {
        try await Task.sleep(for: patience.retry, clock: .awake)
      }
    }
  }

  /// Whether its manager says within that time that it has stopped, which may follow the end of the call that stops it.
  private func hasStopped(within time: Duration, orIsInTrouble: Bool = false) async throws -> Bool {
    let end = AwakeClock.now.advanced(by: time)
    while true {
      switch try await instanceNow()?.state {
      case .stopped: return true
      case .troubled where orIsInTrouble: return true
      default: break
      }
      guard AwakeClock.now < end else { return false }
      try await Task.sleep(for: patience.pause, clock: .awake)
    }
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
    try await ManagerBackend.purge(relic, manager: manager, patience: patience)
    vitals.end(nil)
  }

  /// A guest that does not end in order is switched off: its disk is what is kept.
  private func stop() async throws {
    let stops = manager.stops(of: name)
    do {
      try await client.perform(stops.inOrder, deadline: patience.stop)
    } catch {
      if try await hasStopped(within: patience.straggler) { return }
      try await client.perform(stops.byForce, deadline: patience.stop)
    }
  }

  /// There is no folder that anyone could look into: what is returned says how to get in.
  package func keep() async throws -> String {
    vitals.isWatched = false
    await guestClient.close()
    let result = await uncancelled { () -> (any Error)? in
      do {
        try await self.stop()
        return nil
      } catch {
        return error
      }
    }
    if let result { throw result }
    vitals.end(nil)
    return "\(client.words.title), where '\(manager.entrance(of: name))' enters it"
  }
}
