package import MusterGuest
package import MusterHost
package import MusterMachines
import SystemPackage

/// A machine that runs in a QEMU process of this host.
package final class QEMUMachine: Machine {
  package let name: MachineName
  package let start: MachineStart
  package let keptSteps: Int
  /// The layer that is to be made of it.
  let making: LayerMaking?
  /// What goes with the machine.
  private let workspace: String
  let emulator: Emulator
  let readiness: Readiness
  private let files: SharedFiles
  /// What it shares with other machines.
  private let plug: NetworkPlug?
  /// Makes its disk need nothing but its image.
  private let detachDisk: (@Sendable () async throws -> Void)?

  init(
    name: MachineName, start: MachineStart, workspace: String, readiness: Readiness, files: SharedFiles,
    plug: NetworkPlug? = nil, keptSteps: Int = 0, making: LayerMaking? = nil,
    detachDisk: (@Sendable () async throws -> Void)? = nil
  ) {
    self.name = name
    self.start = start
    self.files = files
    self.keptSteps = keptSteps
    self.making = making
    self.workspace = workspace
    self.readiness = readiness
    self.plug = plug
    self.detachDisk = detachDisk
    emulator = readiness.emulator
  }

  package var guest: any Guest { readiness.guest }

  package var nextLayer: Int? { making?.steps }

  package func damage() async -> Failure? { await files.damage() }

  package func address() async throws -> String {
    guard let plug else { throw Failure(.guest, "no other machine can reach '\(name)'") }
    return plug.address
  }

  package func death() async -> Failure? {
    await emulator.vitals.death.value() ?? nil
  }

  package func trouble(after error: GuestError?) async -> Failure? {
    guard error == nil else { return nil }
    let hint = "look at console.log for what it was busy with"
    if readiness.guest.neverBegan { return Failure(.guest, "the machine did not begin with the script", hint: hint) }
    return readiness.guest.isSilent ? Failure(.guest, "the machine does not answer any more", hint: hint) : nil
  }

  /// The guest restarts itself, in QEMU's same process.
  package func reboot(deadline: Duration) async throws {
    let (guest, vitals, stage) = (readiness.guest, emulator.vitals, readiness.stage)
    let start = AwakeClock.now
    let boot = try await bootID()
    vitals.phase = .booting
    let restart = vitals.nextRestart
    // Whoever is asked may be gone before it can answer.
    _ = try? await guest.run(GuestCommand(Self.rebootScript, shell: ["sh"]), deadline: .seconds(60)) { _, _ in }
    try Task.checkCancellation()
    await guest.close()
    do {
      try await readiness.wait(
        within: deadline - start.duration(to: AwakeClock.now),
        after: {
          guard await restart.value() != nil else { throw CancellationError() }
          stage.reset()
        })
    } catch var failure as Failure {
      if restart.current == nil { failure.message = "the guest was asked to restart and did not: \(failure.message)" }
      throw failure
    }
    if try await bootID() == boot { throw Failure(.guest, "the guest restarted, but its boot id is still the same") }
    try await plug?.join(guest)
  }

  private func bootID() async throws -> String {
    do {
      return try await readiness.guest.bootID()
    } catch let error as GuestError {
      throw Failure(.guest, "the guest does not tell its boot id: \(error.message)")
    }
  }

  /// Returns at once, since what runs it is ended by the restart.
  private static let rebootScript = """
    if command -v systemctl >/dev/null 2>&1; then systemctl --no-block reboot; else reboot; fi
    """

  package func purge() async throws {
    try await end(grace: .zero)
    making?.abandon()
    // The disk's name goes at once. That its blocks go, which takes longer the more was written, is nothing to wait for: the
    // next machine starts meanwhile.
    let disk = try? FileDescriptor.open(FilePath("\(workspace)/\(MachineLaunch.diskName)"), .readOnly)
    try FileSystem.removeTree(workspace)
    Task.detached { try? disk?.close() }
  }

  package func keep() async throws -> String {
    emulator.vitals.phase = .ending
    // In order if the guest is quick about it; its disk stays whole either way.
    _ = try? await emulator.monitor.execute("system_powerdown")
    _ = try? await first(within: Self.powerdownPatience) { [process = emulator.process] in await process.ending() }
    try await end(grace: .seconds(10))
    try await detachDisk?()
    try making?.release(to: workspace)
    for name in Emulator.pipeNames + GuestIdentity.ownNames { try FileSystem.remove("\(workspace)/\(name)") }
    return workspace
  }

  private static let powerdownPatience = Duration.seconds(20)

  /// Ends QEMU and all connections into the machine, cancelled or not.
  private func end(grace: Duration) async throws {
    let result = await uncancelled { [self] () -> Failure? in
      do throws(Failure) {
        try await emulator.end(grace: grace)
        await readiness.guest.close()
        return nil
      } catch {
        await readiness.guest.close()
        return error
      }
    }
    if var failure = result {
      failure.hint = (failure.hint.map { "\($0), then " } ?? "run ") + "'rm -r \(workspace)'"
      throw failure
    }
  }
}
