import MusterGuest
import MusterHost
import MusterMachines
import Synchronization

/// What it takes to make one machine, from the request to the first command in it.
struct ManagerLaunch: Sendable {
  let manager: any Manager
  let patience: ManagerPatience
  let request: LaunchRequest
  /// What the manager takes for the image.
  let image: String

  private var client: ManagerClient { manager.client }

  /// Launches the machine, and returns when it is ready. The instance may be there, or may still come, when this throws.
  /// - Throws: `Failure`, `CancellationError`.
  func run(progress: @escaping @Sendable (String) async -> Void) async throws -> ManagerMachine {
    let start = AwakeClock.now
    let left = { @Sendable in max(.seconds(1), request.deadline - start.duration(to: AwakeClock.now)) }
    await progress("starting")
    let log = try AppendedFile("\(request.logs)/\(client.words.name).log")
    try await create(within: left, log: log, progress: progress)
    try await confirm()
    let machine = ManagerMachine(request: request, manager: manager, patience: patience, log: log)
    do {
      try await machine.becomeReady(within: left(), isNew: true, progress: progress)
    } catch {
      await machine.guestClient.close()
      throw error
    }
    return machine
  }

  /// A machine that is made and did not come up is started once more.
  private func create(
    within left: @Sendable () -> Duration, log: AppendedFile, progress: @escaping @Sendable (String) async -> Void
  ) async throws {
    let call = manager.creation(request, image: image)
    let output = try await perform(call, deadline: left(), log: log, progress: progress)
    guard !output.ending.isSuccess else { return }
    let failure = client.words.failure(of: call.arguments, output)
    guard client.words.onlyLacksStart(call.arguments, output) else { throw failure }
    await progress("\(failure.message); starting it again")
    try? log.append("\(failure.message); starting it again\n")
    try await Task.sleep(for: patience.retry, clock: .awake)
    let start = ManagerCall(manager.start(of: request.name, seconds: left().wholeSeconds))
    let second = try await perform(start, deadline: left(), log: log, progress: progress)
    guard second.ending.isSuccess else { throw client.words.failure(of: start.arguments, second) }
  }

  /// Whatever the client said, the machine must be there. What tells it from another of its name is written down for
  /// whoever purges it.
  private func confirm() async throws {
    let instances = try await manager.instances(deadline: patience.question)
    guard let instance = instances.first(where: ManagedName(request.name).fits) else {
      let words = client.words
      throw Failure(
        .backend, "\(words.tool) has told of no mistake, and has made no '\(request.name)'", hint: words.restartHint,
        canPass: true)
    }
    if let identity = instance.identity { try Identity.write(identity, to: request.workspace) }
  }

  private func perform(
    _ call: ManagerCall, deadline: Duration, log: AppendedFile, progress: @escaping @Sendable (String) async -> Void
  ) async throws -> ProcessOutput {
    let shown = manager.activities(of: request.name)
    let (activities, teller) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(1))
    async let telling: Void = Self.tell(activities, progress)
    let result: Result<ProcessOutput, any Error>
    do {
      let output = try await client.answer(call, deadline: deadline + patience.launchGrace) { stream, bytes in
        if stream == .stderr { try? log.append(bytes) }
        for activity in shown(stream, bytes) {
          if stream == .stdout { try? log.append("\(activity)\n") }
          teller.yield(activity)
        }
      }
      result = .success(output)
    } catch {
      result = .failure(error)
    }
    teller.finish()
    await telling
    return try result.get()
  }

  private static func tell(
    _ activities: AsyncStream<String>, _ progress: @Sendable (String) async -> Void
  ) async {
    for await activity in activities { await progress(activity) }
  }
}

extension Duration {
  /// At least one, for a client that counts in seconds.
  var wholeSeconds: Int { max(1, Int(seconds.rounded(.up))) }
}
