import MusterCatalog
import MusterGuest
import MusterHost
import MusterImages
import MusterMachines
import Synchronization

/// A backend whose machines are folders of this host, in which scripts really run, as processes. It can be told to
/// fail in every way that a real one does, and counts what it made and what it ended.
final class LocalBackend: Backend {
  /// What goes wrong.
  struct Faults: Sendable {
    /// The first launches fail with these, one after the other.
    var launches: [Failure] = []
    /// Launches never come to an end by themselves.
    var hangsAtLaunch = false
    var purge: Failure?
    var hangsAtPurge = false
    var images: [Failure] = []
    var supportsImages = true
    /// What the machines' console says.
    var console = ""
    var nameLimit = 63
    /// What is found to have been done to what the first machines run on, once steps are done.
    var damage: [Failure] = []
    /// How its machines come to be.
    var start = MachineStart.booted
  }

  private struct State {
    var faults: Faults
    var launched: [String] = []
    var purges: [String: Int] = [:]
    var kept: [String] = []
    var requests: [LaunchRequest] = []
    var reboots = 0
    var fetched: [String] = []
  }

  let name = "local"
  /// Ends purges that hang.
  let release = Promise<Void>()
  /// Ends what is fetched ahead.
  let delivery = Promise<Void>()
  private let state: Mutex<State>

  init(_ faults: Faults = Faults()) {
    state = Mutex(State(faults: faults))
  }

  var nameLimit: Int { state.withLock { $0.faults.nameLimit } }

  var launched: [String] { state.withLock { $0.launched } }
  /// How often each machine was purged.
  var purges: [String: Int] { state.withLock { $0.purges } }
  var kept: [String] { state.withLock { $0.kept } }
  var requests: [LaunchRequest] { state.withLock { $0.requests } }
  var reboots: Int { state.withLock { $0.reboots } }
  /// The images that were asked for ahead.
  var fetched: [String] { state.withLock { $0.fetched } }

  func status() async -> BackendStatus { BackendStatus() }

  let images = "nothing"

  func supports(_ image: ImageDescription) -> Bool { state.withLock { $0.faults.supportsImages } }

  func prepare(
    _ image: ImageDescription, progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws {
    await progress(ImageProgress(activity: "looking at"))
    if let failure = state.withLock({ $0.faults.images.isEmpty ? nil : $0.faults.images.removeFirst() }) {
      throw failure
    }
  }

  func fetch(
    _ image: ImageDescription, progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws {
    state.withLock { $0.fetched.append(image.name) }
    while delivery.current == nil {
      await progress(ImageProgress(activity: "on its way"))
      try await Task.sleep(for: .milliseconds(1))
    }
  }

  func launch(
    _ request: LaunchRequest, progress: @escaping @Sendable (String) async -> Void
  ) async throws -> any Machine {
    state.withLock { $0.requests.append(request) }
    await progress("starting")
    if state.withLock({ $0.faults.hangsAtLaunch }) { try await Task.sleep(for: .seconds(3600)) }
    if let failure = state.withLock({ $0.faults.launches.isEmpty ? nil : $0.faults.launches.removeFirst() }) {
      throw failure
    }
    try Task.checkCancellation()
    try FileSystem.write(state.withLock { $0.faults.console }, to: "\(request.logs)/console.log")
    state.withLock { $0.launched.append(request.name.text) }
    let (start, damage) = state.withLock { state in
      (state.faults.start, state.faults.damage.isEmpty ? nil : state.faults.damage.removeFirst())
    }
    return LocalMachine(name: request.name, start: start, damage: damage, root: request.workspace, backend: self)
  }

  func machines() async throws -> [Relic] { [] }
  func purge(_ relic: Relic) async throws { try relic.removeWorkspace() }

  fileprivate func rebooted() {
    state.withLock { $0.reboots += 1 }
  }

  fileprivate func purge(_ machine: LocalMachine) async throws {
    let faults = state.withLock { state in
      state.purges[machine.name.text, default: 0] += 1
      return state.faults
    }
    if faults.hangsAtPurge { _ = await uncancelled { [release] in await release.value() } }
    try FileSystem.removeTree(machine.root)
    if let failure = faults.purge { throw failure }
  }

  fileprivate func keep(_ machine: LocalMachine) -> String {
    state.withLock { $0.kept.append(machine.name.text) }
    return machine.root
  }
}

final class LocalMachine: Machine {
  let name: MachineName
  let start: MachineStart
  let root: String
  private let foundDamage: Failure?
  private let backend: LocalBackend
  private let deathCause = Promise<Failure?>()
  private let isOn = SwitchedOn()

  init(name: MachineName, start: MachineStart, damage: Failure?, root: String, backend: LocalBackend) {
    (self.name, self.start, self.root, self.backend) = (name, start, root, backend)
    foundDamage = damage
  }

  var guest: any Guest {
    LocalGuest(root: root, isOn: isOn) {
      self.deathCause.keep(Failure(.guest, "the machine powered off", evidence: ["reboot: Power down"]))
    }
  }

  func reboot(deadline: Duration) async throws { backend.rebooted() }
  func death() async -> Failure? { await deathCause.value() ?? nil }
  func damage() async -> Failure? { foundDamage }

  func purge() async throws {
    deathCause.keep(nil)
    isOn.end()
    try await backend.purge(self)
  }

  func keep() async throws -> String { backend.keep(self) }
}

/// Whether a machine can begin anything: once it is off, nothing new comes to its disk.
final class SwitchedOn: Sendable {
  private let isOn = Mutex(true)

  func end() { isOn.withLock { $0 = false } }

  /// - Throws: `GuestError` when it is off.
  func perform<Result>(_ body: () throws -> Result) throws -> Result {
    try isOn.withLock { isOn in
      guard isOn else { throw GuestError(.unreachable, "the machine is off") }
      return try body()
    }
  }
}

/// Runs scripts on this host. `$ROOT` is the machine's folder; a script that prints `power off` ends the machine.
struct LocalGuest: Guest {
  let root: String
  let isOn: SwitchedOn
  let die: @Sendable () -> Void

  func run(
    _ command: GuestCommand, deadline: Duration?,
    output: @escaping @Sendable (GuestStream, [UInt8]) async throws -> Void
  ) async throws -> GuestEnding {
    if command.user == "nobody-here" { throw GuestError(.circumstances, "the user 'nobody-here' does not exist") }
    let file = try isOn.perform {
      let file = try FileSystem.createTemporaryFolder("script", in: root) + "/script"
      try FileSystem.write(command.script.replacing("/run/muster-index", with: "\(root)/index"), to: file)
      return file
    }
    var environment: [String: String?] = ["ROOT": root]
    for variable in command.environment { environment[variable.name] = .some(variable.value) }
    let host = HostCommand(
      command.shell[0] == "sh" ? "/bin/sh" : command.shell[0], command.shell.dropFirst() + [file],
      environment: environment,
      directory: command.directory ?? root)
    let ending = try await host.run(grace: .milliseconds(50)) { stream, bytes in
      if String(decoding: bytes, as: UTF8.self).contains("power off") { die() }
      try await output(stream == .stdout ? .stdout : .stderr, bytes)
    }
    return switch ending {
    case .exited(let status): .exited(Int(status))
    case .signaled(let signal): .signaled(Int(signal))
    }
  }

  func upload(_ local: String, to path: String, mode: UInt16?, owner: String?, deadline: Duration?) async throws {
    let target = root + path
    let script = #"mkdir -p "$(dirname "$2")" && cp -R "$1" "$2" && if test -n "$3"; then chmod "$3" "$2"; fi"#
    let output = try await HostCommand(
      "sh", ["-c", script, "sh", local, target, mode.map { String($0, radix: 8) } ?? ""]
    ).run()
    if !output.ending.isSuccess { throw GuestError(.transfer, output.errorText) }
  }

  func download(_ path: String, into folder: String, deadline: Duration?) async throws -> [String] {
    let script =
      #"cd "$2" && for file in "$1"$3; do if test -e "$file"; then cp -R "$file" .; fi; done; find . -type f"#
    let output = try await HostCommand("sh", ["-c", script, "sh", root, folder, path]).run()
    // The glob is the shell's work, so it must not be quoted.
    if output.text.isEmpty {
      let again = script.replacing(#""$1"$3"#, with: root + path)
      return try await HostCommand("sh", ["-c", again, "sh", root, folder]).run().text.split(separator: "\n").map(
        String.init)
    }
    return output.text.split(separator: "\n").map(String.init)
  }
}
