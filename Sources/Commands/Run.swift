import ArgumentParser
import MusterBackends
import MusterExecution
import MusterHost
import MusterImages
import MusterMachines
import MusterMatrix
import MusterQEMU
import MusterReports

/// `muster run FILE [TEST…]`: the matrix, on machines.
struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a matrix: each cell on a fresh machine, one after the other.",
    discussion: """
      Exits with 0 if all is as expected, 1 if something failed, 3 if nothing failed but something has no verdict, \
      4 if nothing is selected, 5 if a machine is left, 64 to 66 for a wrong command line, matrix or file, 69 if no \
      backend works here, 74 if a report cannot be written, 75 if the lock was not obtained. After a signal it purges, \
      reports, and dies by that signal.
      """)

  @Argument(help: ArgumentHelp("The matrix file.", valueName: "file"))
  var file: String

  @OptionGroup var selection: SelectionOptions
  @OptionGroup var behaviour: RunBehaviour
  @OptionGroup var reports: ReportFiles
  @OptionGroup var lock: LockOptions

  @Option(
    name: .customLong("lock-timeout"),
    help: ArgumentHelp("How long to wait for the lock (default: $VM_LOCK_TIMEOUT, or 300).", valueName: "seconds"))
  var lockTimeout: Int?

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    if let lockTimeout, lockTimeout < 0 { throw ValidationError("--lock-timeout must be 0 or more seconds") }
    if lockTimeout == nil, let value = HostFacts.environment("VM_LOCK_TIMEOUT"), !value.isEmpty,
      (Int(value) ?? -1) < 0
    {
      throw ValidationError("VM_LOCK_TIMEOUT must be 0 or more seconds, and is '\(value)'")
    }
    if reports.quiet && reports.verbose { throw ValidationError("--quiet and --verbose exclude each other") }
  }

  func run() async throws {
    let plan = try MatrixLoading(path: file, color: global.color).plan(selection)
    if behaviour.dryRun { return try PlanCommand.write(plan, as: .table, try global.directories()) }
    Signals.ignoreBrokenPipes()
    let interruption = Interruption()
    let status = try await withSignals(interruption) { try await perform(plan, interruption) }
    if let signal = interruption.signal { Signals.die(by: signal) }
    throw ExitCode(status)
  }

  private func perform(_ plan: Plan, _ interruption: Interruption) async throws -> ExitStatus {
    let directories = try global.directories()
    let secrets: Secrets
    do {
      secrets = try Secrets(plan.secrets)
    } catch {
      Console.tell("\(error)")
      return .wrongMatrix
    }
    // Waiting for the lock comes first: whoever has it may be using what the backend is asked for.
    guard let held = try await takeLock(plan, interruption) else { return .lockNotObtained }
    let backends = BackendSet.all(
      cache: directories.cache, offline: behaviour.offline, settings: plan.backendSettings)
    let swept: Sweep.Result
    do {
      swept = try await sweep(directories, backends, interruption)
    } catch {
      held.release()
      throw error
    }
    let id = RunID()
    let output = reports.output.map(Directories.absolute) ?? "\(directories.state)/runs/\(id)"
    let custody: Custody
    do {
      custody = try await takeCustody(of: id, output: output, directories, held)
    } catch {
      held.release()
      throw error
    }
    let status = await ProcessTable.$run.withValue(id.text) {
      await perform(plan, id, output, backends, custody, secrets, directories, interruption)
    }
    if await custody.end() {
      held.handOver()
      Console.tell("what is left is still being purged, by a process that goes on; 'muster lock' tells when it is done")
    } else {
      held.release()
    }
    return swept.left.isEmpty || ![.asExpected, .noVerdict, .nothingSelected].contains(status) ? status : .machineLeft
  }

  /// Ends what dead runs have left.
  private func sweep(
    _ directories: Directories, _ backends: BackendSet, _ interruption: Interruption
  ) async throws -> Sweep.Result {
    let swept = try await interruption.ending {
      let progress = PurgeProgress()
      defer { progress.end() }
      return try await Sweep(state: directories.state, backends: backends).perform { finding in
        progress.begin(finding.name, ", left by \(finding.header.command)")
      }
    }
    swept.tell()
    await ImageStore(cache: directories.cache).sweep(downloadsUnusedFor: .seconds(86_400))
    let templates = TemplateStore(cache: directories.cache)
    for path in templates.remnants() { _ = try? templates.remove(path) }
    return swept
  }

  private func perform(
    _ plan: Plan, _ id: RunID, _ output: String, _ backends: BackendSet, _ custody: Custody, _ secrets: Secrets,
    _ directories: Directories, _ interruption: Interruption
  ) async -> ExitStatus {
    guard let choice = await backends.chosen(for: plan) else { return .noBackend }
    // What cannot be had is better known now than when its turn comes.
    MatrixLoading(path: file, color: global.color).tell(ImageGaps(plan, of: choice.backend).diagnostics)
    let images = Set((try? ImageStore(cache: directories.cache).list())?.map(\.record.name) ?? [])
    guard Preflight(plan, directories: directories).findings(readyImages: images).tellBeforeRun() else {
      return .noBackend
    }
    let reporters: Reporters
    do {
      var options = reports.options(output: output, color: global.color)
      options.durations = DurationLog(state: directories.state)
      reporters = try Reporters(options)
    } catch {
      Console.tell("\(error)")
      return .reportNotWritten
    }
    let executor = Executor(
      plan, id: id, backend: choice.backend, status: choice.status, options: behaviour.options(output: output),
      custody: custody, secrets: secrets, interruption: interruption
    ) { await reporters.receive($0) }
    await executor.run()
    return await reporters.finish()
  }

  /// The run's ledger and its guardian, which purges what the run has made if it is killed, and ends its reports.
  private func takeCustody(
    of id: RunID, output: String, _ directories: Directories, _ held: HeldRunLock
  ) async throws -> Custody {
    let header = LedgerRecord.Header(id, command: "muster run \(file)", output: output)
    let ledger = try await Ledger.begin(header, in: directories.state)
    var arguments = ["guardian", "--ledger", ledger.path, "--output", output, "--lock-file", lock.lock.lock.path]
    arguments += ["--state", directories.state, "--cache", directories.cache]
    for (option, path) in [
      ("--junit", reports.junit), ("--json", reports.json), ("--events", reports.events),
      ("--markdown", reports.markdown),
    ] {
      if let path { arguments += [option, Directories.absolute(path)] }
    }
    if HostFacts.environment("GITHUB_ACTIONS") == "true", let path = HostFacts.environment("GITHUB_STEP_SUMMARY") {
      arguments += ["--step-summary", path]
    }
    let custody = Custody(ledger) { [arguments] in
      guard let lock = ledger.lock else { throw Failure(.host, "the ledger is not locked") }
      return try await Companion.start(
        arguments, variable: ProcessTable.guardianMark, sharing: (held.held, lock))
    }
    do throws(Failure) {
      try await custody.ensureGuardian()
    } catch {
      _ = await custody.end()
      throw error
    }
    return custody
  }

  /// The machine's lock; `nil` after it was told why it is not to be had.
  private func takeLock(_ plan: Plan, _ interruption: Interruption) async throws -> HeldRunLock? {
    let timeout = lockTimeout.map { Duration.seconds($0) } ?? RunLock.timeout()
    let holder = LockHolder(command: "muster run \(file)", matrix: plan.name)
    let runLock = lock.lock
    do {
      return try await interruption.ending {
        try await runLock.take(deadline: timeout, as: holder) { waited in
          LockWait(lock: runLock, timeout: timeout).tell(waited)
        }
      }
    } catch let error as LockTimeout {
      Console.tell(
        "the lock was not obtained within \(timeout.human): \(runLock.holder()?.told ?? error.description); "
          + "wait for it to end, or wait longer with --lock-timeout")
      return nil
    } catch let failure as Failure {
      Console.tell("\(failure)")
      return nil
    }
  }
}

/// What is told while another run has the lock.
private struct LockWait: Sendable {
  var lock: RunLock
  var timeout: Duration

  /// Tells for whom, and how long still; at once and then every ten seconds.
  func tell(_ waited: Duration) {
    guard Int(waited.seconds.rounded()) % 10 == 0 else { return }
    let holder = lock.holder()?.told ?? "a process that is just ending"
    Console.tell("waiting for the lock, \((timeout - waited).human) left: \(holder)")
  }
}

/// What is done, and how.
struct RunBehaviour: ParsableArguments {
  @Flag(help: "Do the matrix's setup steps on this host first.")
  var setup = false

  @Option(help: ArgumentHelp("Which machines to keep for a look: never or failed.", valueName: "which"))
  var keep: RunOptions.Keep = .never

  @Flag(help: "End the run after the first cell that is not as expected.")
  var failFast = false

  @Option(help: ArgumentHelp("How often to try a cell, in place of what the matrix says.", valueName: "n"))
  var attempts: Int?

  @Flag(help: "Use the images that are there, and ask no network for them.")
  var offline = false

  @Flag(help: "Boot every machine, and resume none from a template.")
  var cold = false

  @Flag(name: .customLong("no-cache"), help: "Do all steps in each machine, also those whose work is kept ('cache').")
  var withoutCache = false

  @Flag(help: "Print the cells and run nothing.")
  var dryRun = false

  func validate() throws {
    if let attempts, !(1...100).contains(attempts) { throw ValidationError("--attempts must be 1 to 100") }
  }

  func options(output: String) -> RunOptions {
    var options = RunOptions(output: output)
    options.failFast = failFast
    options.keep = keep
    options.attempts = attempts
    options.setup = setup
    options.cold = cold
    options.withoutCache = withoutCache
    return options
  }
}

extension RunOptions.Keep: ExpressibleByArgument {}

/// Where the run is told.
struct ReportFiles: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The folder for logs, events and the summary (default: one of the state folder).", valueName: "dir"))
  var output: String?

  @Option(help: ArgumentHelp("Write JUnit XML.", valueName: "file"))
  var junit: String?

  @Option(help: ArgumentHelp("Write the summary as JSON.", valueName: "file"))
  var json: String?

  @Option(help: ArgumentHelp("Write a line of JSON for each event.", valueName: "file"))
  var events: String?

  @Option(help: ArgumentHelp("Write the summary as Markdown.", valueName: "file"))
  var markdown: String?

  @Flag(help: "Tell only failures and the end.")
  var quiet = false

  @Flag(help: "Tell each step, with the end of its output.")
  var verbose = false

  func validate() throws {
    for (option, path) in [
      ("output", output), ("junit", junit), ("json", json), ("events", events), ("markdown", markdown),
    ] where path == "" {
      throw ValidationError("--\(option) is empty: name a \(option == "output" ? "folder" : "file")")
    }
  }

  func options(output: String, color: ColorChoice) -> ReportOptions {
    var options = ReportOptions(output: output, color: color, environment: HostFacts.environment)
    options.junit = junit.map(Directories.absolute)
    options.json = json.map(Directories.absolute)
    options.events = events.map(Directories.absolute)
    options.markdown = markdown.map(Directories.absolute)
    options.verbosity = quiet ? .quiet : verbose ? .verbose : .normal
    return options
  }
}
