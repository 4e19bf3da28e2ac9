import MusterHost
package import MusterMachines
package import MusterMatrix

/// Runs a plan on a backend: one cell after the other, each in a fresh machine. All that comes of it is events, and the
/// logs in the output folder.
package struct Executor: Sendable {
  private let id: RunID
  private let context: RunContext
  private let remarks: [String]

  /// - Parameters:
  ///   - status: What the backend said of itself.
  ///   - custody: What sees to it that no machine is left; its end is the caller's.
  ///   - sink: Gets the events in order, one at a time; the run waits for it.
  package init(
    _ plan: Plan, id: RunID = RunID(), backend: any Backend, status: BackendStatus, options: RunOptions,
    custody: Custody, secrets: Secrets = Secrets(), interruption: Interruption = Interruption(),
    sink: @escaping @Sendable (Event) async -> Void
  ) {
    self.id = id
    context = RunContext(
      plan: plan, backend: backend, scale: TimeScale(status), options: options, secrets: secrets,
      interruption: interruption, post: EventPost(sink: sink), custody: custody)
    remarks = status.remarks
  }

  /// Runs to the end, or until the interruption or the task's cancellation ends it in order. Then every machine is
  /// purged, or an event says that it is left.
  package func run() async {
    let interruption = context.interruption
    await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        await perform()
        return true
      }
      group.addTask {
        await interruption.interrupted()
        return false
      }
      for await isDone in group {
        group.cancelAll()
        if isDone { break }
      }
    }
    Workspaces.removeFolderIfEmpty()
  }

  private func perform() async {
    let plan = context.plan
    await context.tell(
      .runStarted(
        RunStarted(
          run: id.text, matrix: plan.name, file: plan.file, backend: context.backend.name,
          accelerator: context.scale.accelerator, output: context.options.output, timeScale: context.scale.factor,
          cells: plan.cells.map {
            CellHeader(
              cell: $0.name, test: $0.test, distro: $0.distro, axes: $0.axes, location: $0.location,
              expectedFailure: $0.expectedFailure)
          })))
    for remark in remarks { await context.tell(.notice(remark)) }
    if context.scale.factor > 1 {
      let minute = context.scale.text(.seconds(60))
      await context.tell(.notice("time-outs are scaled: 1m is \(minute)"))
    }
    var reason = await prepare()
    let ahead = ImagesAhead(plan.cells, context.backend)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await ahead.run() }
      reason = await perform(plan.cells, unless: reason, ahead)
      group.cancelAll()
    }
    await context.tell(
      .runFinished(RunFinished(signal: context.interruption.signal, reason: reason)))
  }

  /// One cell after the other, until there is a reason not to; returns it.
  private func perform(_ cells: [Cell], unless first: Reason?, _ ahead: ImagesAhead) async -> Reason? {
    var reason = first
    let slugs = Slug.unique(cells.map(\.name))
    for (index, (cell, slug)) in zip(cells, slugs).enumerated() {
      if let remark = cell.excluded {
        await context.tell(
          .cellFinished(CellFinished(cell: cell.name, outcome: .skipped, seconds: 0, remark: remark)))
      } else if reason != nil || Task.isCancelled {
        let reason = reason ?? Reason("the run was ended before it")
        await context.tell(
          .cellFinished(CellFinished(cell: cell.name, outcome: .cancelled, seconds: 0, reason: reason)))
      } else {
        let ending = await CellRun(
          context: context, cell: cell, folder: "cells/\(slug)", index: index, ahead: ahead
        ).perform()
        reason = Self.end(of: cell, ending, failFast: context.options.failFast)
      }
    }
    return reason
  }

  /// The output folder and, if asked for, the setup; a reason if the run ends here.
  private func prepare() async -> Reason? {
    do {
      try FileSystem.createFolder(context.options.output)
    } catch {
      return Reason(error)
    }
    return context.options.setup ? await SetupRun(context: context).perform() : nil
  }

  /// Why no further cell is run after this one.
  private static func end(of cell: Cell, _ ending: Ending, failFast: Bool) -> Reason? {
    if ending.endsRun { return ending.reason }
    guard failFast else { return nil }
    switch ending.outcome {
    case .passed, .flaky, .expectedFailure, .skipped, .cancelled: return nil
    case .failed, .timedOut, .error, .unexpectedPass:
      return Reason("--fail-fast after \(cell.name): \(ending.outcome.rawValue)")
    }
  }
}
