import MusterBackends
import MusterCatalog
import MusterExecution
import MusterHost
import MusterImages
import MusterMachines
import Synchronization

/// The life of one machine of a program: custody first, then the launch, and its end in any case.
struct MachineSession: Sendable {
  let id: RunID
  let prefix: String
  let options: MachineOptions
  let directories: Directories
  let custody: Custody
  /// The folder of its logs.
  let logs: String

  /// Begins the ledger and starts the guardian.
  /// - Throws: `Failure` and whatever else keeps them from it: nothing has been launched then.
  static func begin(prefix: String, _ options: MachineOptions) async throws -> MachineSession {
    let guardian = try await GuardianProgram.find(options.muster)
    let directories = try Directories(state: options.state, cache: options.cache)
    let id = RunID()
    let logs = "\(directories.state)/machines/\(id)"
    let program = CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? "a program"
    let ledger = try await Ledger.begin(
      LedgerRecord.Header(id, command: program, output: logs), in: directories.state)
    let custody = Custody(ledger) {
      guard let lock = ledger.lock else { throw Failure(.host, "the ledger is not locked") }
      return try await Companion.start(
        ["guardian", "--ledger", ledger.path, "--state", directories.state, "--cache", directories.cache],
        executable: guardian.path, variable: ProcessTable.guardianMark, sharing: (lock, lock))
    }
    do {
      try await custody.ensureGuardian()
      try FileSystem.createFolder(logs)
    } catch {
      _ = await custody.end()
      throw error
    }
    return MachineSession(
      id: id, prefix: prefix, options: options, directories: directories, custody: custody, logs: logs)
  }

  // MARK: - Launch

  /// - Throws: `Failure`, `CancellationError`.
  func launch(_ image: MachineImage) async throws -> any MusterMachines.Machine {
    let image = try image.description()
    let settings = ["incus": options.incus.settings, "lxd": options.lxd.settings]
    let choice = try await BackendSet.all(cache: directories.cache, settings: settings)
      .choose(options.backends) { $0.supports(image) }
    guard choice.backend.supports(image) else {
      throw Failure(
        .matrix, "\(choice.backend.name) can make no machine from '\(image.name)'",
        hint: "ask for another backend, or another image")
    }
    let told = Mutex<(activity: String, watch: Stopwatch)?>(nil)
    try await choice.backend.prepare(image) { progress in
      // How far it has come changes many times a second.
      let isNews = told.withLock { told in
        if let told, told.activity == progress.activity, told.watch.elapsed < .seconds(10) { return false }
        told = (progress.activity, Stopwatch())
        return true
      }
      if isNews { tell(progress.text(of: image.name)) }
    }
    var count = 1
    while true {
      do {
        return try await launch(image, choice)
      } catch let failure as Failure where failure.canPass && count < options.launchAttempts {
        tell("launching again: \(failure.message)")
        try await Task.sleep(for: .seconds(1 << count))
        count += 1
      }
    }
  }

  private func launch(_ image: ImageDescription, _ choice: BackendSet.Choice) async throws -> any MusterMachines.Machine
  {
    let backend = choice.backend
    let name = MachineName(
      test: prefix, seconds: Int(Timestamp.now.milliseconds / 1000), processID: HostFacts.processID,
      limit: backend.nameLimit)
    let relic = Relic(
      name: name, backend: backend.name, workspace: Workspaces.newPath(), place: backend.place)
    try await custody.begin(relic)
    do {
      try Workspaces.create(relic.workspace)
      let request = LaunchRequest(
        name: name, image: image, cpus: options.cpus, memory: options.memory, disk: options.disk, logs: logs,
        workspace: relic.workspace, deadline: options.launchTimeout * choice.status.timeScale)
      return try await backend.launch(request) { tell("\(name), \($0)") }
    } catch {
      // Until it is proven gone, it stays on the ledger.
      await uncancelled {
        do {
          try await BackendSet([backend]).purge(relic)
          custody.purged(name)
        } catch {
          tell("'\(name)' could not be purged: \(error); it is tried again when this process ends")
        }
      }
      throw error
    }
  }

  private func tell(_ activity: String) {
    options.progress(activity)
  }

  // MARK: - End

  /// Purges the machine, cancelled or not.
  /// - Returns: Why it is left, if it is: the guardian goes on with it once this process has ended.
  func purge(_ machine: any MusterMachines.Machine) async -> Failure? {
    await uncancelled {
      do {
        try await machine.purge()
        custody.purged(machine.name)
        return nil
      } catch {
        return error as? Failure ?? Failure(.backend, "'\(machine.name)' could not be purged: \(error)")
      }
    }
  }

  /// - Parameter keepsLogs: Whether somebody will want to look at them.
  func end(keepsLogs: Bool) async {
    if !keepsLogs { try? FileSystem.removeTree(logs) }
    await uncancelled { _ = await custody.end() }
  }
}

extension MachineImage {
  /// - Throws: `Failure` for a name that the catalog does not have.
  func description() throws(Failure) -> ImageDescription {
    switch source {
    case .catalog(let name):
      guard let image = Catalog.image(named: name, cpu: .host) else {
        throw Failure(
          .matrix, "the catalog has no image '\(name)' for \(CPU.host.rawValue)",
          hint: "'muster images' lists what it has")
      }
      return image
    case .debootstrap(let recipe):
      return ImageDescription(
        name: "debootstrap \(recipe.suite)", source: .debootstrap(recipe), cpu: .host, firmware: .bios,
        initialization: .builtIn)
    case .file(let path):
      return ImageDescription(
        name: path, source: .file(path: Directories.absolute(path), checksum: nil), cpu: .host, firmware: .bios,
        initialization: .cloudInit)
    case .native(let name):
      return ImageDescription(
        name: name, source: .native(name: name), cpu: .host, firmware: .bios, initialization: .cloudInit)
    }
  }
}
