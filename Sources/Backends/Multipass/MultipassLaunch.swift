import MusterGuest
import MusterHost
import MusterMachines
import Synchronization

/// What it takes to make one instance, from the request to the first command in it.
struct MultipassLaunch: Sendable {
  let client: MultipassClient
  let patience: MultipassPatience
  let request: LaunchRequest
  /// What Multipass takes for the image.
  let image: String

  private var name: String { request.name.text }

  /// Launches the machine, and returns when it is ready. The instance may be there, or may still come, when this throws.
  /// - Throws: `Failure`, `CancellationError`.
  func run(progress: @escaping @Sendable (String) async -> Void) async throws -> MultipassMachine {
    let start = AwakeClock.now
    await progress("starting")
    try await launch(progress: progress)
    let machine = MultipassMachine(request: request, client: client, patience: patience)
    do {
      let left = request.deadline - start.duration(to: AwakeClock.now)
      try await machine.becomeReady(within: max(.seconds(1), left), progress: progress)
    } catch {
      await machine.guestClient.close()
      throw error
    }
    return machine
  }

  private var arguments: [String] {
    let seconds = max(1, Int(request.deadline.seconds.rounded(.up)))
    // The seed goes by standard input: a client in a sandbox cannot read most folders of this host.
    return [
      "launch", "--name", name, "--cpus", "\(request.cpus)", "--memory", "\(request.memory)B", "--disk",
      "\(request.disk)B", "--cloud-init", "-", "--timeout", "\(seconds)", image,
    ]
  }

  private func launch(progress: @escaping @Sendable (String) async -> Void) async throws {
    let log = try AppendedFile("\(request.logs)/multipass.log")
    let shown = Mutex(LaunchProgress(name: name))
    let (activities, teller) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(1))
    async let telling: Void = Self.tell(activities, progress)
    let result: Result<ProcessOutput, any Error>
    do {
      let seed = Array(GuestPreparation.managedUserData.utf8)
      let deadline = request.deadline + patience.launchGrace
      let output = try await client.answer(arguments, input: seed, deadline: deadline) { stream, bytes in
        if stream == .stderr { try? log.append(bytes) }
        for activity in shown.withLock({ stream == .stdout ? $0.take(bytes) : [] }) {
          try? log.append("\(activity)\n")
          teller.yield(activity)
        }
      }
      result = .success(output)
    } catch {
      result = .failure(error)
    }
    teller.finish()
    await telling
    let output = try result.get()
    guard output.ending.isSuccess else { throw MultipassTrouble.failure(of: ["launch"], output) }
  }

  private static func tell(
    _ activities: AsyncStream<String>, _ progress: @Sendable (String) async -> Void
  ) async {
    for await activity in activities { await progress(activity) }
  }
}
