import MusterHost
import MusterMachines
import MusterMatrix
import SystemPackage

extension BackendSet {
  /// The first of those that the plan asks for that works, and has images for all of its distros if any has; `nil` after it
  /// was told what is wrong with each.
  func chosen(for plan: Plan) async -> Choice? {
    let images = plan.images
    do {
      return try await choose(plan.backends) { ImageGaps.distros(images, lackedBy: $0).isEmpty }
    } catch {
      Console.tell(error.message)
      for line in error.evidence { Console.write("  \(line)\n", to: .standardError) }
      return nil
    }
  }
}
