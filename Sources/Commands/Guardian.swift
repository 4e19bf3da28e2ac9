import ArgumentParser
import MusterBackends
import MusterExecution
import MusterHost
import MusterMachines
import MusterReports

/// `muster guardian`: the process that a run starts to wait for its end. If the run ends without having sent it away, it was
/// killed; then the guardian purges what the run has made, and writes the run's reports to their end. Until it has, it holds
/// the machine's lock and the ledger's, which it has as its standard output and standard error.
///
/// A program that uses MusterKit starts one for each of its machines, with neither `--lock-file` nor `--output`: it has no
/// reports, and shares nothing but the ledger.
struct Guardian: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Wait for the end of a run, and clean up after it; started by muster run itself.", shouldDisplay: false)

  @Option var ledger: String
  /// The file that the summary of a step of GitHub Actions is added to.
  @Option var stepSummary: String?
  @OptionGroup var reports: ReportFiles
  @OptionGroup var lock: LockOptions
  @OptionGroup var global: GlobalOptions

  func run() async throws {
    Signals.ignoreEndings()
    if Companion.waitForFarewell() { return }
    guard let record = LedgerRecord(Companion.sharedText()) else { return }
    guard lock.file != nil else {
      _ = await purge(record)
      return
    }
    lock.lock.tell(
      LockHolder(command: "cleaning up after \(record.header.command), which has ended", matrix: ""))
    let machines = await purge(record)
    await report(record, machines)
    lock.lock.tellNobody()
  }

  /// Ends all that the run has started, and proves it.
  private func purge(_ record: LedgerRecord) async -> [Epilogue.Machine] {
    var machines: [Epilogue.Machine] = []
    _ = await ProcessTable.end(ofRun: record.header.run)
    guard let directories = try? global.directories() else { return [] }
    // One that cannot be written to is no reason to leave a machine: whoever comes next looks for it once more.
    let ledger = try? Ledger(record, at: ledger, lock: nil)
    let backends = BackendSet.all(cache: directories.cache, offline: true)
    for entry in record.open where !entry.isKept {
      do throws(Failure) {
        try await backends.purge(entry.relic)
        ledger?.purged(entry.name)
        machines.append((entry.name.text, nil))
      } catch {
        machines.append((entry.name.text, Reason(error)))
      }
    }
    ledger?.close()
    return machines
  }

  /// Writes the events and the reports to their end.
  private func report(_ record: LedgerRecord, _ machines: [Epilogue.Machine]) async {
    var options = reports.options(output: record.header.output, color: .never)
    options.continues = true
    options.verbosity = .quiet
    options.isLive = false
    options.github = stepSummary.map { GitHubActions(workspace: nil, stepSummary: $0, directory: "/") }
    guard FileSystem.isFile(Reporters.record(of: options)), let reporters = try? Reporters(options, write: { _ in }),
      let epilogue = try? await reporters.recall(), let began = epilogue.began
    else { return }
    for kind in epilogue.events(machines) {
      let now = Timestamp.now.milliseconds
      await reporters.receive(Event(time: now, elapsed: Double(now - began) / 1000, kind: kind))
    }
    _ = await reporters.finish()
  }
}

extension Sweep.Result {
  /// Tells on standard error what a sweep found.
  func tell() {
    for path in unreadable {
      Console.tell(
        "the ledger '\(path)' cannot be read, so what its run owned is not known; look with 'muster list', then remove it"
      )
    }
    for finding in purged { Console.tell("purged '\(finding.name)', left by \(finding.header.command)") }
    for (finding, failure) in left {
      Console.tell("'\(finding.name)' is left by \(finding.header.command): \(failure)")
    }
  }
}
