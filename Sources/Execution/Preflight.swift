import MusterCatalog
package import MusterHost
package import MusterMachines
package import MusterMatrix

/// Looks, before anything is launched, whether this host can do what is asked of it.
package struct Preflight: Sendable {
  package enum State: Sendable, Hashable {
    case good
    /// It works, and somebody should know.
    case remarkable
    /// Nothing can be run.
    case bad
  }

  package struct Finding: Sendable, Hashable {
    package var state: State
    /// What was looked at: `memory`, `disk`, `qemu`.
    package var subject: String
    package var message: String
    /// What to do next.
    package var hint: String?

    package init(state: State, subject: String, message: String, hint: String? = nil) {
      self.state = state
      self.subject = subject
      self.message = message
      self.hint = hint
    }
  }

  private let directories: Directories
  private let plan: Plan?

  /// Below this much room a person is warned: images, overlays and logs of a long run need it.
  static let comfortableRoom: Int64 = 10 << 30
  /// What an image takes until it is ready, about; and what a machine writes to its disk, at least.
  static let (imageRoom, overlayRoom): (Int64, Int64) = (1 << 30, 256 << 20)

  /// - Parameter plan: What will be run; `nil` where that is not known.
  package init(_ plan: Plan?, directories: Directories) {
    self.directories = directories
    self.plan = plan
  }

  /// - Parameter readyImages: The names of the images that are on this host.
  package func findings(readyImages: Set<String> = []) -> [Finding] {
    let missing = wantedImages.subtracting(readyImages).count
    return [
      folder("state", directories.state, needs: 16 << 20),
      folder("cache", directories.cache, needs: Int64(missing) * Self.imageRoom),
      folder("workspaces", Workspaces.folder, needs: Self.overlayRoom), memory(),
    ]
  }

  /// The images that the cells start from, but for files, which need no room.
  private var wantedImages: Set<String> {
    Set(
      (plan?.images ?? []).compactMap { distro in
        guard let image = distro.choices.first?.image else { return nil }
        if case .file = image.source { return nil }
        return image.name
      })
  }

  /// The state of a backend.
  package static func finding(_ name: String, _ status: BackendStatus) -> Finding {
    if let problem = status.problem {
      return Finding(state: .bad, subject: name, message: problem.message, hint: problem.hint)
    }
    let version = status.version ?? name
    let message = status.accelerator.map { "\(version), \($0)" } ?? version
    return Finding(
      state: status.remarks.isEmpty ? .good : .remarkable, subject: name,
      message: ([message] + status.remarks).joined(separator: "; "))
  }

  /// Whether a folder, or the one that it will be made in, can be written to and has room.
  private func folder(_ subject: String, _ path: String, needs room: Int64) -> Finding {
    var existing = path
    while !FileSystem.isFolder(existing), let slash = existing.lastIndex(of: "/"), slash > existing.startIndex {
      existing = String(existing[..<slash])
    }
    if !FileSystem.isFolder(existing) { existing = "/" }
    let place = "\(subject) (\(path))"
    guard FileSystem.isWritable(existing) else {
      return Finding(
        state: .bad, subject: place, message: "'\(existing)' cannot be written to",
        hint: subject == "workspaces" ? "change its mode" : "choose another with --\(subject)")
    }
    guard let free = try? FileSystem.freeSpace(of: existing) else {
      return Finding(state: .remarkable, subject: place, message: "its free space cannot be told")
    }
    let text = "\(ByteCount(free)) free"
    if free < room {
      return Finding(
        state: .bad, subject: place, message: "\(text), and \(ByteCount(room)) are needed",
        hint: "make room: 'muster images prune' and 'muster clean' remove what Muster does not need")
    }
    if free < Self.comfortableRoom {
      return Finding(
        state: .remarkable, subject: place, message: "\(text), which a long run may use up",
        hint: "'muster images prune' removes images that were not used of late")
    }
    return Finding(state: .good, subject: place, message: text)
  }

  /// Whether the largest machine fits.
  private func memory() -> Finding {
    let all = HostFacts.memory
    let free = HostFacts.availableMemory
    let host = "\(ByteCount(free ?? all)) \(free == nil ? "in all" : "available")"
    let asks = plan?.cells.lazy.filter { $0.excluded == nil }.map { (cell: $0, memory: $0.memory) }
    guard let (cell, asked) = asks?.max(by: { $0.memory < $1.memory }) else {
      return Finding(state: .good, subject: "memory", message: host)
    }
    let need = "\(cell.name) asks for \(ByteCount(asked))"
    if all > 0, asked > all {
      return Finding(
        state: .bad, subject: "memory", message: "\(need), and this host has \(ByteCount(all))",
        hint: "ask for less with 'resources: {memory: …}'")
    }
    if let free, asked > free {
      return Finding(
        state: .remarkable, subject: "memory", message: "\(need), and \(ByteCount(free)) are available",
        hint: "end something, or the kernel may end the machine")
    }
    return Finding(state: .good, subject: "memory", message: "\(host); \(need)")
  }
}
