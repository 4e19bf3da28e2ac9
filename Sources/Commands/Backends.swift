import MusterHost
import MusterImages
import MusterMachines
import MusterQEMU
import SystemPackage

/// The backends there are, in the order in which `auto` tries them.
struct Backends {
  private let all: [any Backend]

  init(cache: String, offline: Bool) {
    let images = ImageStore(cache: cache, offline: offline)
    all = [QEMUBackend(cache: cache, store: images)]
  }

  /// The first that works; `nil` after it was told what is wrong with each.
  /// - Parameter names: In order of preference; empty for all.
  func first(of names: [String]) async -> (any Backend, BackendStatus)? {
    let candidates = names.isEmpty ? all : names.compactMap { name in all.first { $0.name == name } }
    var problems: [String] = []
    for backend in candidates {
      let status = await backend.status()
      guard let problem = status.problem else { return (backend, status) }
      problems.append("\(backend.name): \(problem)")
    }
    Console.tell("no backend works here")
    for problem in problems { Console.write("  \(problem)\n", to: .standardError) }
    return nil
  }
}
