import MusterCatalog
import MusterChannels
import MusterHost
import MusterImages
import MusterMachines
import MusterMatrix

/// One cell, with all its attempts.
struct CellRun: Sendable {
  let context: RunContext
  let cell: Cell
  /// The cell's folder, relative to the run's output folder.
  let folder: String
  /// The cell's place among those of `ahead`.
  let index: Int
  let ahead: ImagesAhead

  func perform() async -> Ending {
    await context.tell(.cellStarted(cell: cell.name))
    let stopwatch = Stopwatch()
    let plan = cell.resolved().takenApart()
    var ending = await performAttempts(plan)
    var finished = CellFinished(
      cell: cell.name, outcome: ending.outcome, seconds: stopwatch.elapsed.seconds, reason: ending.reason,
      location: plan.images(for: context.backend).isEmpty ? plan.imagesLocation : nil)
    if let remark = cell.expectedFailure {
      switch ending.outcome {
      case .passed, .flaky: (finished.outcome, finished.remark) = (.unexpectedPass, remark)
      case .failed:
        if isExpected(ending) {
          (finished.outcome, finished.remark) = (.expectedFailure, remark)
        } else {
          finished.reason?.message += "; another failure is expected: '\(cell.expectedMessage ?? "")'"
        }
      default: break
      }
    }
    ending.outcome = finished.outcome
    await context.tell(.cellFinished(finished))
    return ending
  }

  private func performAttempts(_ plan: CellPlan) async -> Ending {
    let image: ImageDescription
    switch await prepareImage(plan) {
    case .success(let prepared):
      image = prepared
      ahead.hasImage(index, prepared)
    case .failure(let failure): return Task.isCancelled ? .cancelled : .error(failure)
    }
    // The image is the host's and shared by many cells: the cell's own time begins here.
    let countdown = Countdown("cell", plan.timeouts.cell, scale: context.scale)
    let attempts = max(1, context.options.attempts ?? plan.attempts.cell)
    var firstReason: Reason?
    for number in 1...attempts {
      let ending = await AttemptRun(
        context: context, cell: cell, plan: plan, image: image, number: number, folder: "\(folder)/attempt-\(number)",
        countdown: countdown,
        mayKeep: { mayKeep($0) && !mayTryAgain(after: $0, number, of: attempts, countdown) }
      ).perform()
      if ending.outcome == .passed, number > 1 {
        return Ending(outcome: .flaky, reason: firstReason ?? Reason("passed in attempt \(number)"))
      }
      guard mayTryAgain(after: ending, number, of: attempts, countdown) else { return ending }
      firstReason = firstReason ?? ending.reason
      let pause = Pauses.growing(context.options.pauses.cell, after: number)
      try? await context.pause(min(pause, countdown.remaining), of: cell.name)
      if Task.isCancelled { return .cancelled }
    }
    return .cancelled
  }

  /// A failure that the matrix expects is no reason to try again.
  private func mayTryAgain(after ending: Ending, _ number: Int, of attempts: Int, _ countdown: Countdown) -> Bool {
    if number >= attempts || !ending.canPass || ending.endsRun || Task.isCancelled { return false }
    if cell.expectedFailure != nil, ending.outcome == .failed, isExpected(ending) { return false }
    return countdown.remaining > .zero
  }

  /// Whether a failure is the one that the matrix expects.
  private func isExpected(_ ending: Ending) -> Bool {
    guard let message = cell.expectedMessage else { return true }
    let told = [ending.step ?? "", ending.reason?.message ?? ""].joined(separator: ": ")
    return ([told] + (ending.reason?.evidence ?? [])).contains { $0.contains(message) }
  }

  private func mayKeep(_ ending: Ending) -> Bool {
    guard context.options.keep == .failed else { return false }
    switch ending.outcome {
    case .failed: return cell.expectedFailure == nil || !isExpected(ending)
    case .timedOut, .error: return true
    default: return false
    }
  }

  // MARK: - The image

  /// The first image that the backend can have, made ready. What can pass is tried again.
  private func prepareImage(_ plan: CellPlan) async -> Result<ImageDescription, Failure> {
    let backend = context.backend
    let images = plan.images(for: backend)
    guard !images.isEmpty else {
      let names = plan.images.map(\.image.name).joined(separator: ", ")
      return .failure(
        Failure(
          .matrix, "'\(plan.distro)' has no image that \(backend.name) can start from: \(names)",
          hint: "give it another 'image', or choose another backend"))
    }
    var count = 1
    while true {
      var failures: [Failure] = []
      for image in images {
        switch await prepare(image) {
        case .success: return .success(image)
        case .failure(let failure): failures.append(failure)
        }
        if Task.isCancelled { break }
      }
      var failure = failures.first { $0.canPass } ?? failures[0]
      if failures.count > 1 { failure.evidence += failures.map(\.description) }
      guard failure.canPass, count < plan.attempts.launch, !Task.isCancelled else { return .failure(failure) }
      let pause = Pauses.growing(context.options.pauses.launch, after: count)
      await context.tell(.cellProgress(cell: cell.name, activity: "\(failure.message); again in \(pause.human)"))
      try? await context.pause(pause, of: cell.name)
      count += 1
    }
  }

  private func prepare(_ image: ImageDescription) async -> Result<Void, Failure> {
    let stopwatch = Stopwatch()
    let tell: @Sendable (ImageProgress) async -> Void = { progress in
      await context.tell(.cellProgress(cell: cell.name, activity: progress.text(of: image.name)))
    }
    await ahead.settled(image, progress: tell)
    do {
      try await context.backend.prepare(image, progress: tell)
      await context.tell(
        .imageReady(cell: cell.name, image: image.name, seconds: stopwatch.elapsed.seconds))
      return .success(())
    } catch let failure as Failure {
      return .failure(failure)
    } catch {
      return .failure(Failure(.image, "the image '\(image.name)' could not be made ready: \(error)"))
    }
  }
}
