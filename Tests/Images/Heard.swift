import MusterCatalog
import MusterHost
import MusterTestSupport
import Synchronization
import Testing

@testable import MusterImages

extension TestFolder {
  /// A store in this folder that tries again at once.
  func store(offline: Bool = false) -> ImageStore {
    var store = ImageStore(cache: self / "cache", offline: offline)
    store.patience.delays = [.milliseconds(1), .milliseconds(1), .milliseconds(1)]
    // A host that has much to do is no server that stalls.
    store.patience.stall = 120
    store.patience.connect = 120
    store.shortPatience = Download.Patience(delays: [], connect: 120, stall: 120)
    return store
  }

  /// The names below a folder of the cache.
  func names(_ folder: String) throws -> [String] {
    let folder = self / "cache/\(folder)"
    return FileSystem.isFolder(folder) ? try FileSystem.names(in: folder) : []
  }
}

/// What was told while an image was made ready.
final class Heard: Sendable {
  private let state = Mutex<[ImageProgress]>([])

  var all: [ImageProgress] { state.withLock(\.self) }
  var activities: [String] { all.map(\.activity) }

  var hear: @Sendable (ImageProgress) async -> Void {
    { [self] progress in state.withLock { $0.append(progress) } }
  }
}

extension ImageDescription {
  /// An image that a person named by its URL.
  static func at(_ url: String, _ checksum: Checksum) -> ImageDescription {
    ImageDescription(
      name: url, source: .download(url: url, checksum: checksum), cpu: .host, firmware: .bios,
      initialization: .cloudInit)
  }
}

/// Runs `body`, which must throw a `Failure`, and returns that.
func failure(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async throws -> Failure {
  do {
    try await body()
  } catch let failure as Failure {
    return failure
  }
  return try #require(nil as Failure?, "nothing was thrown", sourceLocation: sourceLocation)
}
