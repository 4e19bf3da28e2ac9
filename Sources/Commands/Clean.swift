import ArgumentParser
import MusterBackends
import MusterExecution
import MusterHost
import MusterImages
import MusterMachines
import MusterQEMU
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
      spared until they expire, or are named. Every run does the same before it starts.
      """)

  @Argument(help: "Only these machines, kept ones and unproven ones too, as 'muster list' names them.")
  var machines: [String] = []

  @Flag(help: "List them and purge nothing.")
  var listOnly = false

  @Flag(help: "Do not ask.")
  var force = false

  @Flag(help: "Also what is kept, and every machine that bears Muster's name: live and unproven ones too.")
  var all = false

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    if all, !machines.isEmpty { throw ValidationError("--all purges every machine: name none with it") }
  }

  func run() async throws {
    let directories = try global.directories()
    let backends = BackendSet.all(cache: directories.cache, offline: true)
    let sweep = Sweep(state: directories.state, backends: backends)
    let inventory = try await inventory(sweep, backends)
    let store = ImageStore(cache: directories.cache)
    let remnants = machines.isEmpty ? store.remnants() : []
    let templates = TemplateStore(cache: directories.cache)
    let halfMade = machines.isEmpty ? templates.remnants() : []
    let processes = machines.isEmpty ? try await sweep.processes() : []

    for (_, failure) in inventory.failures { Console.tell("\(failure)") }
    for finding in inventory.findings { Console.write(finding.line(isSpared: !choice.contains(finding)) + "\n") }
    for relic in inventory.others {
      Console.write("\(relic.name)  \(relic.backend)  bears Muster's name; no dead run owns it\n")
    }
    for remnant in remnants { Console.write(remnant.line + "\n") }
    for path in halfMade { Console.write("\(path)  of a template whose making was cut off\n") }
    for (header, ids) in processes {
      let list = ids.map { "\($0)" }.joined(separator: ", ")
      Console.write("process \(list)  left by \(header.command), which is dead\n")
    }
    let doomed = inventory.findings.count(where: choice.contains)
    let count =
      doomed + inventory.others.count + remnants.count + halfMade.count + processes.reduce(0) { $0 + $1.ids.count }
    if count == 0, inventory.failures.isEmpty { Console.write("nothing to purge\n") }
    if inventory.live > 0, machines.isEmpty, !all {
      let verb = inventory.live == 1 ? "is" : "are"
      Console.write("\(inventory.live) of runs and guardians that live \(verb) left alone: 'muster list'\n")
    }
    if listOnly {
      if !inventory.failures.isEmpty { throw ExitCode(.noBackend) }
      return
    }
    // Without anything to ask for, what remains are ledgers in which nothing is open.
    guard try count == 0 || isAgreed(count) else { return }
    // From here on there are clients of managers that must not be left. Whoever is asked can end it as any program.
    let isClean = try await endedBySignals(
      ended: { Console.tell("ended before all was purged; 'muster clean' goes on with it") }
    ) {
      try await purge(inventory.others, sweep, backends, store, templates)
    }
    if !isClean { throw ExitCode(.machineLeft) }
    if !inventory.failures.isEmpty { throw ExitCode(.noBackend) }
  }

  /// - Returns: Whether nothing is left.
  private func purge(
    _ others: [Relic], _ sweep: Sweep, _ backends: BackendSet, _ store: ImageStore, _ templates: TemplateStore
  ) async throws -> Bool {
    let progress = PurgeProgress()
    defer { progress.end() }
    let result = try await sweep.perform(choice) { progress.begin($0.name) }
    result.tell()
    var isClean = result.left.isEmpty && result.unreadable.isEmpty
    if machines.isEmpty {
      for remnant in await store.sweep(downloadsUnusedFor: .zero) { Console.tell("removed \(remnant.path)") }
      // What a dead run's machine had open until now is among them.
      for path in templates.remnants() {
        do {
          if try templates.remove(path) { Console.tell("removed \(path)") }
        } catch {
          isClean = false
          Console.tell("'\(path)' is left: \(error)")
        }
      }
    }
    for relic in others {
      do throws(Failure) {
        progress.begin(relic.name)
        try await backends.purge(relic)
        Console.tell("purged '\(relic.name)'")
      } catch {
        isClean = false
        Console.tell("'\(relic.name)' is left: \(error)")
      }
    }
    return isClean
  }

  /// The machines that there are, by what is to become of them.
  private struct Inventory {
    /// Of dead runs: those that are purged, and those that are spared where none is named.
    var findings: [Sweep.Finding] = []
    /// To be purged, though nothing but their name says that they are Muster's.
    var others: [Relic] = []
    /// How many have a run or a guardian that lives.
    var live = 0
    /// Why some backends do not tell their machines.
    var failures: [(backend: String, failure: Failure)] = []
  }

  private var choice: Sweep.Choice { machines.isEmpty ? all ? .all : .unkept : .named(Set(machines)) }

  /// - Throws: `ExitCode` after it was told what is wrong with a name, `Failure`.
  private func inventory(_ sweep: Sweep, _ backends: BackendSet) async throws -> Inventory {
    var inventory = Inventory()
    let (findings, owned) = try await sweep.look()
    inventory.live = owned.count
    inventory.findings = machines.isEmpty ? findings : findings.filter(choice.contains)
    let named = Set(findings.map(\.name.text))
    guard all || !machines.allSatisfy(named.contains) else { return inventory }
    let used = Set((findings + owned).map(\.entry.relic.backend))
    let (found, failures) = await backends.machines(used: used)
    inventory.failures = failures
    let others = found.filter { !named.contains($0.name.text) }
    inventory.others = all ? others : others.filter { machines.contains($0.name.text) }
    for machine in machines where !named.contains(machine) {
      if let finding = owned.first(where: { $0.name.text == machine }) {
        Console.tell(
          "'\(machine)' is of \(finding.header.command) (process \(finding.header.processID)), which lives; "
            + "end that, and it is purged")
      } else if others.contains(where: { $0.name.text == machine }) {
        continue
      } else {
        for (_, failure) in failures { Console.tell("\(failure)") }
        Console.tell("there is no machine '\(machine)'; 'muster list' names them all")
      }
      throw ExitCode(.nothingSelected)
    }
    return inventory
  }

  /// Asks the person, where there is one.
  private func isAgreed(_ count: Int) throws -> Bool {
    if force { return true }
    guard Terminal.isTerminal(.standardInput) else {
      Console.tell("nobody can be asked here: give --force to purge, or --list-only")
      throw ExitCode(.wrongCommandLine)
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
  fileprivate func line(isSpared: Bool) -> String {
    let head = "\(name)  \(entry.relic.backend)  "
    if let until = entry.keptUntil, entry.isKept {
      let time = Timestamp(milliseconds: until).iso8601()
      return head + "kept until \(time) in \(entry.relic.workspace)" + (isSpared ? ": spared" : "")
    }
    return head + "left by \(header.command) (process \(header.processID)), which is dead"
  }
}
