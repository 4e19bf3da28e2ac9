import MusterHost
import MusterMachines
import MusterMatrix
import SystemPackage

extension BackendSet {
  /// The first of those that the plan asks for that works, and has images for all of its distros if any has.
  /// - Throws: `Failure` that tells of each why it does not work.
  func choose(
    for plan: Plan, statuses: [String: BackendStatus] = [:]
  ) async throws(Failure) -> Choice {
    let images = plan.images
    return try await choose(plan.backends, statuses: statuses) { ImageGaps.distros(images, lackedBy: $0).isEmpty }
  }

  /// The same; `nil` after it was told what is wrong with each.
  func chosen(for plan: Plan) async -> Choice? {
    do {
      return try await choose(for: plan)
    } catch {
      Console.tell(error.message)
      for line in error.evidence { Console.write("  \(line)\n", to: .standardError) }
      return nil
    }
  }

  /// The machines that exist and bear Muster's name, and why some backends do not tell theirs. A manager that is installed
  /// and does not run here, or not for this user, is none of those, unless it has been used.
  func machines(used: Set<String>) async -> (found: [Relic], failures: [(backend: String, failure: Failure)]) {
    let (found, failures) = await machines()
    return (found, failures.filter { $0.failure.blame != .host || used.contains($0.backend) })
  }
}
