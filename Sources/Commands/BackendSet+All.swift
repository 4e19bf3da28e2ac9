import MusterHost
import MusterImages
import MusterMachines
import MusterMultipass
import MusterQEMU
import SystemPackage

extension BackendSet {
  /// All that Muster can make machines with, in the order in which `auto` tries them.
  /// - Parameters:
  ///   - cache: The absolute folder for images.
  ///   - offline: Use the images that are there, and ask no network for them.
  static func all(cache: String, offline: Bool) -> BackendSet {
    BackendSet([QEMUBackend(cache: cache, store: ImageStore(cache: cache, offline: offline)), MultipassBackend()])
  }

  /// The first that works; `nil` after it was told what is wrong with each.
  func chosen(of names: [String]) async -> Choice? {
    do {
      return try await choose(names)
    } catch {
      Console.tell(error.message)
      for line in error.evidence { Console.write("  \(line)\n", to: .standardError) }
      return nil
    }
  }
}
