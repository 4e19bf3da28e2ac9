import ArgumentParser
import MusterBackends
import MusterExecution
import MusterHost
import MusterMachines
import MusterReports

/// `muster list`: the machines that Muster made, and whose they are.
struct List: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the machines that Muster made: of which run each is, alive, kept or orphaned.",
    discussion: """
      A machine that bears Muster's name and that no ledger of this user names is listed as unproven: it may be of \
      another user, of another host that shares the backend, or made by hand.
      """)

  @Option(help: "How to print.")
  var format: TableFormat = .table

  @OptionGroup var global: GlobalOptions

  func run() async throws {
    let directories = try global.directories()
    let backends = BackendSet.all(cache: directories.cache, offline: true)
    let sweep = Sweep(state: directories.state, backends: backends)
    let (dead, live) = try await sweep.look()
    var rows = live.map { Row($0, isOrphaned: false) } + dead.map { Row($0, isOrphaned: true) }
    let known = Set(rows.map(\.name))
    let (found, failures) = await backends.machines(used: Set(rows.map(\.backend)))
    rows += found.filter { !known.contains($0.name.text) }.map(Row.init)
    for (_, failure) in failures { Console.tell("\(failure)") }
    switch format {
    case .table:
      for row in rows { Console.write(row.line + "\n") }
      if rows.isEmpty, failures.isEmpty { Console.write("no machine\n") }
    case .json: Console.write(Self.json(rows, failures))
    }
    // What they do not tell may be left.
    if !failures.isEmpty { throw ExitCode(.noBackend) }
  }

  private static func json(_ rows: [Row], _ failures: [(backend: String, failure: Failure)]) -> String {
    var json = JSONWriter()
    json.object { json in
      json.member("schema", "muster.machines/1")
      json.member("machines", array: { json in for row in rows { row.write(to: &json) } })
      // Those that do not tell theirs.
      json.member(
        "failures",
        array: { json in
          for (backend, failure) in failures {
            json.object { json in
              json.member("backend", backend)
              json.member("message", failure.description)
            }
          }
        })
    }
    json.newline()
    return String(decoding: json.take(), as: UTF8.self)
  }

  private struct Row {
    enum State: String {
      /// Its run or its guardian lives.
      case alive
      /// Its disk is kept because a person asked for it.
      case kept
      /// Its run is dead: the next run, or `muster clean`, purges it.
      case orphaned
      /// Nothing but its name says that it is Muster's.
      case unproven
    }

    var name: String
    var backend: String
    var state: State
    var header: LedgerRecord.Header?
    var keptUntil: Int64?
    var workspace: String

    init(_ finding: Sweep.Finding, isOrphaned: Bool) {
      name = finding.name.text
      backend = finding.entry.relic.backend
      header = finding.header
      keptUntil = finding.entry.isKept ? finding.entry.keptUntil : nil
      state = keptUntil != nil ? .kept : isOrphaned ? .orphaned : .alive
      workspace = finding.entry.relic.workspace
    }

    init(_ relic: Relic) {
      (name, backend, state, workspace) = (relic.name.text, relic.backend, .unproven, relic.workspace)
    }

    func write(to json: inout JSONWriter) {
      json.object { json in
        json.member("machine", name)
        json.member("backend", backend)
        json.member("state", state.rawValue)
        if let header {
          json.member("run", header.run)
          json.member("command", header.command)
          json.member("pid", header.processID)
        }
        if let keptUntil { json.member("until", Timestamp(milliseconds: keptUntil).iso8601()) }
        if !workspace.isEmpty { json.member("workspace", workspace) }
      }
    }

    var line: String {
      let head = "\(name)  \(backend)  \(state.rawValue)"
      guard let header else { return head }
      let run = "of \(header.command) (process \(header.processID))"
      let until = keptUntil.map { " until \(Timestamp(milliseconds: $0).iso8601()) in \(workspace)" } ?? ""
      return "\(head)\(until), \(run)"
    }
  }
}
