import ArgumentParser
import MusterBackends
import MusterCatalog
import MusterChannels
import MusterDiagnostics
import MusterHost
import MusterMachines
import MusterMatrix
import MusterReports
import SystemPackage

/// `muster plan FILE [TEST…]`: what a run would do.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Print the cells of a matrix, or all that would be done in one of them.")

  @Argument(help: ArgumentHelp("The matrix file.", valueName: "file"))
  var file: String

  @OptionGroup var selection: SelectionOptions

  @Option(help: ArgumentHelp("Print every command that this cell would run.", valueName: "cell"))
  var explain: String?

  @Option(help: "How to print.")
  var format: TableFormat = .table

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    if explain != nil, format == .json {
      throw ValidationError("--explain prints text for people, and --format json is for the cells")
    }
  }

  func run() throws {
    Signals.ignoreBrokenPipes()
    var selection = selection
    if let explain { selection.tests.append(explain) }
    let loading = MatrixLoading(path: file, color: global.color)
    let plan = try loading.plan(selection)
    let directories = try global.directories()
    let backends = BackendSet.all(cache: directories.cache, offline: true, settings: plan.backendSettings)
    loading.tell(ImageGaps(plan, backends: backends, severity: .warning).diagnostics)
    if explain != nil {
      try Console.print { write throws(Errno) in
        for cell in plan.cells { try write(Explanation.text(of: cell)) }
      }
    } else {
      try Self.write(plan, as: format, directories)
    }
  }

  /// Also what `muster run --dry-run` prints.
  static func write(_ plan: Plan, as format: TableFormat, _ directories: Directories) throws {
    let forecast = Forecast(plan, DurationLog(state: directories.state))
    switch format {
    case .table:
      try Console.print { write throws(Errno) in
        try write(PlanTable.text(of: plan) + (forecast.text.map { "\($0)\n" } ?? ""))
      }
    case .json:
      try Console.print { write throws(Errno) in
        do {
          try plan.writeJSON(seconds: forecast.seconds, ofCell: forecast.seconds(of:)) {
            try write(String(decoding: $0, as: UTF8.self))
          }
        } catch {
          throw error as? Errno ?? .ioError
        }
      }
    }
  }
}

/// A line for each cell.
enum PlanTable {
  static func text(of plan: Plan) -> String {
    var text = ""
    var excluded = 0
    for cell in plan.cells {
      text += VisibleText.line(cell.name)
      if let remark = cell.excluded {
        excluded += 1
        text += "  (excluded: \(VisibleText.line(remark.reason)))"
      } else if let remark = cell.expectedFailure {
        text += "  (expected to fail: \(VisibleText.line(remark.reason)))"
      }
      text += "\n"
    }
    let count = plan.cells.count
    text += "\(VisibleText.line(plan.name)): \(count) \(count == 1 ? "cell" : "cells")"
    return text + (excluded > 0 ? ", \(excluded) excluded\n" : "\n")
  }
}

/// Every command of a cell, as a person reads it.
enum Explanation {
  static func text(of cell: Cell) -> String {
    let plan = cell.resolved().takenApart()
    var lines = ["\(plan.cell)"]
    if let remark = cell.excluded { lines.append("excluded: \(VisibleText.line(remark.reason))") }
    if plan.machines.isEmpty {
      lines.append("machine: \(text(of: plan.resources)), \(plan.cpu.rawValue)")
    }
    for machine in plan.machines {
      lines.append("machine \(machine.name): \(text(of: machine.resources)), \(plan.cpu.rawValue)")
    }
    for choice in plan.images {
      lines.append("image: \(VisibleText.line(choice.image.name))" + (choice.backend.map { " (for \($0))" } ?? ""))
    }
    lines.append(
      "time-outs: launch \(plan.timeouts.launch.human), step \(plan.timeouts.step.human), cell "
        + "\(plan.timeouts.cell.human)")
    let kept = plan.keptSteps
    for (phaseIndex, phase) in plan.phases.enumerated() {
      lines += ["", "\(phase.kind.rawValue):"]
      for (index, step) in phase.steps.enumerated() {
        let place = step.machine.map { " in \($0)" } ?? (plan.machines.isEmpty ? "" : " in each machine")
        lines.append("  # \(VisibleText.line(step.title))\(place) (\(VisibleText.line("\(step.location)")))")
        if phaseIndex == 0, index < kept.count {
          lines.append(
            kept[index].isSaved
              ? "  # kept for \(kept[index].lifetime.human) under QEMU: cells that begin with the same steps go on from here"
              : "  # kept with the next one")
        } else if step.cache != nil {
          lines.append("  # not kept: \(reasonNotToKeep(step, in: plan))")
        }
        lines += step.explanation(for: plan.family).map { $0.isEmpty ? "" : "  \(visible($0))" }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func reasonNotToKeep(_ step: Step, in plan: CellPlan) -> String {
    if plan.start == .cold { return "the machine boots ('start: cold')" }
    if !plan.machines.isEmpty { return "machines of one network boot" }
    let seesSecrets = step.environment.contains { !$0.value.secrets.isEmpty }
    return seesSecrets ? "it sees a secret" : "a step before it is not kept"
  }

  /// A line of a script, whose tabs may mean something.
  private static func visible(_ line: String) -> String {
    line.split(separator: "\t", omittingEmptySubsequences: false).map { VisibleText.line(String($0)) }
      .joined(separator: "\t")
  }

  private static func text(of resources: Resources) -> String {
    "\(resources.cpus) cpus, \(mebibytes(resources.memory)) of memory, \(mebibytes(resources.disk)) of disk"
  }

  private static func mebibytes(_ bytes: Int64) -> String { "\(bytes >> 20) MiB" }
}
