package import MusterCatalog
package import MusterDiagnostics

/// What the machines of a distro may start from, on one architecture.
package struct DistroImages: Sendable {
  package var distro: String
  package var cpu: CPU
  package var choices: [ImageChoice]
  /// Where the matrix says them.
  package var span: Span?
}

extension Plan {
  /// The images of the distros that have a cell which is not excluded, each once for each architecture.
  package var images: [DistroImages] {
    struct Key: Hashable {
      var distro: Int
      var cpu: CPU
    }
    var seen: Set<Key> = []
    return cells.compactMap { cell in
      guard cell.excluded == nil else { return nil }
      let context = CellContext(cell)
      guard seen.insert(Key(distro: context.distroNumber, cpu: context.cpu)).inserted else { return nil }
      return DistroImages(
        distro: context.distro.name, cpu: context.cpu, choices: context.distro.images[context.cpu] ?? [],
        span: context.distro.imageSpan)
    }
  }
}
