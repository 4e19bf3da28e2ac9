import ArgumentParser
import MusterExecution
import MusterHost
import MusterImages
import MusterMachines
import MusterReports
import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// `muster clean`: ends what dead runs have left.
struct Clean: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Purge the machines that dead runs have left, and all that went with them, and what was cut off of images.",
    discussion: """
      A machine is purged when the ledger of a run names it, and nobody holds that ledger any more. Kept machines are \
      spared until they expire. Every run does the same before it starts.
      """)

  @Flag(help: "List them and purge nothing.")
  var listOnly = false

  @Flag(help: "Do not ask.")
  var force = false

  @Flag(help: "Also what is kept, and every machine that bears Muster's name: live and unproven ones too.")
  var all = false

  @OptionGroup var global: GlobalOptions

  func run() async throws {
    let directories = try global.directories()
    let backends = BackendSet.all(cache: directories.cache, offline: true)
    let sweep = Sweep(state: directories.state, backends: backends)
    let findings = try sweep.findings()
    let named = Set(findings.map(\.name))
    let (found, failures) = all ? await backends.machines() : ([], [])
    let others = found.filter { !named.contains($0.name) }
    for failure in failures { Console.tell("\(failure)") }
    for finding in findings { Console.write(finding.line(purgesKept: all) + "\n") }
    for relic in others { Console.write("\(relic.name)  \(relic.backend)  bears Muster's name; no dead run owns it\n") }
    let store = ImageStore(cache: directories.cache)
    let remnants = store.remnants()
    for remnant in remnants { Console.write(remnant.line + "\n") }
    let doomed = findings.filter { all || !$0.entry.isKept }
    let processes = try await sweep.processes()
    for (header, ids) in processes {
      let list = ids.map { "\($0)" }.joined(separator: ", ")
      Console.write("process \(list)  left by \(header.command), which is dead\n")
    }
    let count = doomed.count + others.count + remnants.count + processes.reduce(0) { $0 + $1.ids.count }
    if count == 0 { Console.write("nothing to purge\n") }
    let live = try sweep.owned().count
    if live > 0, !all {
      Console.write("\(live) of runs and guardians that live \(live == 1 ? "is" : "are") left alone: 'muster list'\n")
    }
    if listOnly { return }
    // Without anything to ask for, what remains are ledgers in which nothing is open.
    guard try count == 0 || isAgreed(count) else { return }
    let result = try await sweep.perform(includingKept: all) { Console.tell("purging '\($0.name)'") }
    result.tell()
    var isClean = result.left.isEmpty
    for remnant in await store.sweep(downloadsUnusedFor: .zero) { Console.tell("removed \(remnant.path)") }
    for relic in others {
      do throws(Failure) {
        try await backends.purge(relic)
        Console.tell("purged '\(relic.name)'")
      } catch {
        isClean = false
        Console.tell("'\(relic.name)' is left: \(error)")
      }
    }
    if !isClean || !result.unreadable.isEmpty { throw ExitCode(.machineLeft) }
    if !failures.isEmpty { throw ExitCode(.noBackend) }
  }

  /// Asks the person, where there is one.
  private func isAgreed(_ count: Int) throws -> Bool {
    if force { return true }
    guard Terminal.isTerminal(.standardInput) else {
      throw ValidationError("nobody can be asked here: give --force to purge, or --list-only")
    }
    Console.write("Purge \(count == 1 ? "it" : "these \(count)")? [y/N] ")
    return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
  }
}

extension ImageStore.Remnant {
  /// The path, and what it is of.
  fileprivate var line: String {
    switch kind {
    case .download: "\(path)  of a download that was cut off; the next one would go on with it"
    case .build: "\(path)  of an image whose building was cut off"
    }
  }
}

extension Sweep.Finding {
  /// The machine, the backend, and why it is purged or spared.
  fileprivate func line(purgesKept: Bool) -> String {
    let head = "\(name)  \(entry.relic.backend)  "
    if let until = entry.keptUntil, entry.isKept {
      let time = Timestamp(milliseconds: until).iso8601()
      return head + "kept until \(time) in \(entry.relic.workspace)" + (purgesKept ? "" : ": spared")
    }
    return head + "left by \(header.command) (process \(header.processID)), which is dead"
  }
}
