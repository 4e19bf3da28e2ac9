import MusterDiagnostics
import MusterMachines
import MusterMatrix

/// The distros of which the backends that are asked for can make no machine: said before a run finds it out.
struct ImageGaps {
  private(set) var diagnostics: [Diagnostic] = []

  /// - Parameter plan: Its backends are those that are asked for; where any will do, nothing is said. Of several, one that
  ///   has images for all distros is enough.
  init(_ plan: Plan, backends: BackendSet, severity: Diagnostic.Severity) {
    let wanted = backends.backends.filter { plan.backends.contains($0.name) }
    self.init(plan.images, of: wanted.count == plan.backends.count ? wanted : [], severity)
  }

  /// - Parameter backend: The one that will be used.
  init(_ plan: Plan, of backend: any Backend) {
    self.init(plan.images, of: [backend], .warning)
  }

  private init(_ images: [DistroImages], of backends: [any Backend], _ severity: Diagnostic.Severity) {
    let gaps = backends.map { (backend: $0, distros: Self.distros(images, lackedBy: $0)) }
    if gaps.contains(where: \.distros.isEmpty) { return }
    for (backend, distros) in gaps {
      for distro in distros {
        diagnostics.append(
          Diagnostic(
            severity, "'\(distro.distro)' has no image that \(backend.name) can start from", at: distro.span,
            hint: "it can from \(backend.images)"))
      }
    }
    diagnostics = diagnostics.ordered()
  }

  /// The distros of which a backend can make no machine.
  static func distros(_ images: [DistroImages], lackedBy backend: any Backend) -> [DistroImages] {
    images.filter { distro in
      !distro.choices.contains { choice in
        choice.backend.map { $0 == backend.name } ?? true && backend.supports(choice.image)
      }
    }
  }
}
