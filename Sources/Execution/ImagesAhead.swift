import MusterCatalog
import MusterHost
import MusterImages
import MusterMachines
import MusterMatrix
import Synchronization

/// Brings the next cells' image while a cell runs, one at a time. What goes wrong with it is not told: the cell that needs
/// it asks for it again, in its own name.
final class ImagesAhead: Sendable {
  /// An image that is being brought.
  private final class Fetching: Sendable {
    let image: ImageDescription
    let end = Promise<Void>()
    let listener = Mutex<(@Sendable (ImageProgress) async -> Void)?>(nil)

    init(_ image: ImageDescription) {
      self.image = image
    }
  }

  private struct State {
    /// The first cell that was not looked at.
    var next = 0
    var distros: Set<String> = []
    var fetching: Fetching?
  }

  private let cells: [Cell]
  private let backend: any Backend
  private let state = Mutex(State())
  private let wanted: AsyncStream<ImageDescription>
  private let want: AsyncStream<ImageDescription>.Continuation

  init(_ cells: [Cell], _ backend: any Backend) {
    self.cells = cells
    self.backend = backend
    (wanted, want) = AsyncStream.makeStream()
  }

  /// Brings what is wanted, until the task is cancelled.
  func run() async {
    for await image in wanted {
      let fetching = Fetching(image)
      state.withLock { $0.fetching = fetching }
      try? await backend.fetch(image) { progress in
        await fetching.listener.withLock(\.self)?(progress)
      }
      state.withLock { $0.fetching = nil }
      fetching.end.keep(())
    }
  }

  /// The cell at `index` has its image: the first one behind it of a distro that had no cell yet is next.
  func hasImage(_ index: Int) {
    let cell = state.withLock { state -> Cell? in
      state.distros.insert(cells[index].distro)
      state.next = max(state.next, index + 1)
      // No cell is passed twice, however many there are.
      while state.next < cells.count {
        let cell = cells[state.next]
        if cell.excluded == nil, !state.distros.contains(cell.distro) { return cell }
        state.next += 1
      }
      return nil
    }
    guard let cell, let image = cell.resolved().images(for: backend).first else { return }
    state.withLock { _ = $0.distros.insert(cell.distro) }
    want.yield(image)
  }

  /// Returns once nothing is done with the image, or the task is cancelled.
  func settled(_ image: ImageDescription, progress: @escaping @Sendable (ImageProgress) async -> Void) async {
    guard let fetching = state.withLock(\.fetching), fetching.image == image else { return }
    fetching.listener.withLock { $0 = progress }
    _ = await fetching.end.value()
  }
}

extension CellPlan {
  /// What its machine may start from, the best first.
  func images(for backend: any Backend) -> [ImageDescription] {
    images.filter { $0.backend == nil || $0.backend == backend.name }.map(\.image).filter { backend.supports($0) }
  }
}
