import ArgumentParser
import MusterCatalog
import MusterBackends
import MusterDiagnostics
import MusterExecution
import MusterHost
import MusterImages
import MusterMachines
import MusterMatrix
import MusterReports

/// `muster doctor`: what works on this host, and what to do about the rest.
struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Look at this host: backends, tools, folders, memory, machines that are left; with what to do about each.",
    discussion: "Given a matrix, also whether its cells fit. Ends with 69 when something has to be mended first.")

  @Argument(help: "The matrix to be run.")
  var file: String?

  @OptionGroup var lock: LockOptions
  @OptionGroup var global: GlobalOptions

  func run() async throws {
    let directories = try global.directories()
    let plan = try file.map { try MatrixLoading(path: $0, color: global.color).wholePlan() }
    let backends = BackendSet.all(
      cache: directories.cache, offline: true, settings: plan?.backendSettings ?? [:])
    var statuses: [String: BackendStatus] = [:]
    for backend in backends.backends { statuses[backend.name] = await backend.status() }
    var findings = backends.backends.compactMap { backend in
      statuses[backend.name].map { Preflight.finding(backend.name, $0) }
    }
    // One that works is enough, of those that the matrix can take.
    let wanted = plan?.backends ?? []
    let isWanted = { (finding: Preflight.Finding) in wanted.isEmpty || wanted.contains(finding.subject) }
    let isOneEnough = findings.contains { isWanted($0) && $0.state != .bad }
    for index in findings.indices where findings[index].state == .bad {
      if isOneEnough || !isWanted(findings[index]) { findings[index].state = .remarkable }
    }
    if let plan, let choice = try? await backends.choose(for: plan, statuses: statuses) {
      findings += ImageGaps(plan, of: choice.backend).diagnostics.map { gap in
        Preflight.Finding(
          state: .remarkable, subject: "images",
          message: gap.message + (gap.span.map { " (\($0.location))" } ?? ""), hint: gap.hint)
      }
    }
    findings += Self.tools
    let images = Set((try? ImageStore(cache: directories.cache).list())?.map(\.record.name) ?? [])
    findings += Preflight(plan, directories: directories).findings(readyImages: images)
    let sweep = Sweep(state: directories.state, backends: backends)
    let left = try await sweep.look().dead
    findings.append(orphans(left))
    if let holder = lock.lock.holder() {
      findings.append(Preflight.Finding(state: .remarkable, subject: "lock", message: "held by \(holder.told)"))
    } else {
      findings.append(Preflight.Finding(state: .good, subject: "lock", message: "nobody holds it"))
    }
    for finding in findings { Console.write(finding.line + "\n") }
    if findings.contains(where: { $0.state == .bad }) { throw ExitCode(.noBackend) }
  }

  private func orphans(_ left: [Sweep.Finding]) -> Preflight.Finding {
    let dead = left.count { !$0.entry.isKept }
    let kept = left.count - dead
    let keptText = kept == 0 ? "" : "; \(kept) kept"
    if dead == 0 {
      return Preflight.Finding(state: .good, subject: "machines", message: "none is left by a dead run\(keptText)")
    }
    return Preflight.Finding(
      state: .remarkable, subject: "machines", message: "\(dead) left by dead runs\(keptText)",
      hint: "'muster clean' purges them, and so does the next run")
  }

  /// The tools that images and machines are made with, and in what they come.
  private static var tools: [Preflight.Finding] {
    #if canImport(Darwin)
      // Packages of Debian are installed on Linux alone.
      let tools = [
        ("ssh", "brew install openssh", "to talk to machines"), ("curl", "brew install curl", "to download images"),
        ("xz", "brew install xz", "to unpack some images"),
      ]
    #else
      let tools = [
        ("ssh", "apt-get install openssh-client", "to talk to machines"),
        ("curl", "apt-get install curl", "to download images"),
        ("mmdebstrap", "apt-get install mmdebstrap", "to build images from packages"),
        ("xz", "apt-get install xz-utils", "to unpack some images"),
      ]
    #endif
    return tools.map { tool, installation, purpose in
      if let path = HostFacts.tool(tool) { return Preflight.Finding(state: .good, subject: tool, message: path) }
      return Preflight.Finding(
        state: tool == "ssh" ? .bad : .remarkable, subject: tool, message: "not there; it is needed \(purpose)",
        hint: installation)
    }
  }
}

extension Preflight.Finding {
  /// `✓ memory: 23 GB available`.
  var line: String {
    let mark =
      switch state {
      case .good: "✓"
      case .remarkable: "!"
      case .bad: "✗"
      }
    return "\(mark) \(subject): \(message)" + (hint.map { "\n    \($0)" } ?? "")
  }
}

extension [Preflight.Finding] {
  /// Tells what a person should know before a run.
  /// - Returns: Whether the run can go on.
  func tellBeforeRun() -> Bool {
    for finding in self where finding.state != .good { Console.tell(finding.line) }
    return !contains { $0.state == .bad }
  }
}
