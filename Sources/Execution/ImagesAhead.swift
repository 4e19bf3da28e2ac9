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
    /// Images that a cell has, or that were asked for.
    var known: Set<ImageDescription> = []
    /// The first cell that was not looked at.
    var next = 0
    /// The cell that the last image was asked for.
    var asked = -1
    var fetching: Fetching?
  }

  /// How many cells are looked at ahead: a matrix may have a hundred thousand of one image.
  private static let sight = 200

  private let cells: [Cell]
  private let backend: any Backend
  private let state = Mutex(State())
  private let wanted: AsyncStream<Fetching>
  private let want: AsyncStream<Fetching>.Continuation

  init(_ cells: [Cell], _ backend: any Backend) {
    self.cells = cells
    self.backend = backend
    (wanted, want) = AsyncStream.makeStream()
  }

  /// Brings what is wanted, until the task is cancelled.
  func run() async {
    for await fetching in wanted {
      try? await backend.fetch(fetching.image) { progress in
        await fetching.listener.withLock(\.self)?(progress)
      }
      state.withLock { $0.fetching = nil }
      fetching.end.keep(())
    }
  }

  /// The cell at `index` has its image: the first one behind it that needs another is next, unless one is there already
  /// that no cell has come to.
  func hasImage(_ index: Int, _ image: ImageDescription) {
    let fetching = state.withLock { state -> Fetching? in
      state.known.insert(image)
      state.next = max(state.next, index + 1)
      guard index >= state.asked, state.fetching == nil else { return nil }
      while state.next < min(cells.count, index + Self.sight) {
        let cell = cells[state.next]
        if cell.excluded == nil, let image = cell.resolved().images(for: backend).first,
          state.known.insert(image).inserted
        {
          state.asked = state.next
          state.fetching = Fetching(image)
          return state.fetching
        }
        state.next += 1
      }
      return nil
    }
    if let fetching { want.yield(fetching) }
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
