package import MusterCatalog
import MusterHost
package import MusterImages
package import MusterMachines
import MusterGuest
import Synchronization

/// Machines of QEMU, each a process of this host, started from images of the `ImageStore`.
package final class QEMUBackend: Backend {
  package struct Options: Sendable {
    /// What executes the guests' instructions; `nil` to find out what works here.
    package var accelerator: Accelerator?
    /// What machines that resume are told of the time, in nanoseconds since 1970.
    package var time: @Sendable () -> Int64

    package init(
      accelerator: Accelerator? = nil, time: @escaping @Sendable () -> Int64 = { Timestamp.nanoseconds }
    ) {
      self.accelerator = accelerator
      self.time = time
    }
  }

  package let name = "qemu"
  private let store: ImageStore
  private let options: Options
  private let finder: AcceleratorFinder
  /// The folder of Muster's keys.
  private let identityFolder: String
  private let templates: TemplateStore
  private let installations = Mutex<[CPU: Installation]>([:])

  /// - Parameter cache: The absolute folder that what was found out is kept in, and Muster's keys.
  package init(cache: String, store: ImageStore, options: Options = Options()) {
    self.store = store
    self.options = options
    finder = AcceleratorFinder(cache: cache)
    identityFolder = store.identityFolder
    templates = TemplateStore(cache: cache)
  }

  package func supports(_ image: ImageDescription) -> Bool {
    if case .native = image.source { false } else { true }
  }

  package let images = "images of the catalog, {url: …}, {path: …} and {debootstrap: …}"

  /// What machines of the host's own CPU are made with.
  ///
  /// Whether hardware acceleration works is known once a kernel was started with it. Where no kernel can be read on the
  /// host, that is when the first image is prepared; until then the status says that it is not known, and scales
  /// deadlines as if it did not work.
  package func status() async -> BackendStatus {
    do {
      let installation = try await installation(.host)
      var status = BackendStatus(version: "QEMU \(installation.version)")
      if let choice = try await known(installation) {
        status.accelerator = choice.accelerator.rawValue
        status.timeScale = choice.accelerator.timeScale
        if let remark = choice.remark { status.remarks.append(remark) }
      } else {
        status.timeScale = Accelerator.tcg.timeScale
        status.remarks.append("whether \(Virtualization.current.accelerator) works is found out at the first launch")
      }
      if status.accelerator == Accelerator.tcg.rawValue || status.accelerator == nil {
        status.remarks.append("time-outs are multiplied by \(Int(status.timeScale))")
      }
      return status
    } catch {
      let failure = error as? Failure ?? Failure(.host, "QEMU could not be asked in time")
      return BackendStatus(problem: failure)
    }
  }

  private func known(_ installation: Installation) async throws -> AcceleratorChoice? {
    if let accelerator = options.accelerator { return AcceleratorChoice(accelerator: accelerator) }
    return try await finder.choice(installation, cpu: .host)
  }

  /// Also finds out what executes the image's instructions, so that `status` knows from then on.
  package func prepare(
    _ image: ImageDescription, progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws {
    let ready = try await store.prepare(image, progress: progress)
    let installation = try await installation(image.cpu)
    if options.accelerator == nil, finder.known(installation, cpu: image.cpu) == nil {
      await progress(ImageProgress(activity: "trying \(Virtualization.current.accelerator)"))
    }
    _ = try await accelerator(installation, for: ready, cpu: image.cpu)
  }

  /// What a machine that runs may still write.
  private static let room: Int64 = 4 << 30

  /// An image that has to be built waits until no machine runs, and so does one that would leave that little room.
  package func fetch(
    _ image: ImageDescription, progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws {
    switch image.source {
    case .download, .file:
      var store = store
      store.reserve = Self.room
      _ = try await store.prepare(image, progress: progress)
    case .debootstrap, .native: break
    }
  }

  package func launch(
    _ request: LaunchRequest, progress: @escaping @Sendable (String) async -> Void
  ) async throws -> any Machine {
    let ready = try await store.prepare(request.image) { await progress($0.activity) }
    return try await launch(ready, request, progress: progress)
  }

  /// Launches from an image that is ready.
  func launch(
    _ image: ReadyImage, _ request: LaunchRequest, progress: @escaping @Sendable (String) async -> Void = { _ in }
  ) async throws -> QEMUMachine {
    do {
      let cpu = request.image.cpu
      let installation = try await installation(cpu)
      let accelerator = try await accelerator(installation, for: image, cpu: cpu)
      let identity = try await GuestIdentity.load(in: identityFolder)
      let launch = MachineLaunch(
        request: request, image: image, installation: installation, accelerator: accelerator,
        preparation: GuestPreparation(identity: identity), time: options.time)
      return try await launch.run(templates: templates, progress: progress)
    } catch {
      // Whatever went with the machine is in its workspace.
      await uncancelled { try? FileSystem.removeTree(request.workspace) }
      throw error
    }
  }

  package func machines() async throws -> [Relic] {
    await ProcessTable.processes(startedWith: "-name").compactMap { process in
      let name = MachineName(text: process.value)
      guard name.isMusters, let folder = process.folder else { return nil }
      return Relic(name: name, backend: self.name, workspace: folder)
    }
  }

  package func purge(_ relic: Relic) async throws {
    let left = await ProcessTable.end { await ProcessTable.processes(with: ["-name", relic.name.text]) }
    if let id = left.first {
      throw Failure(.host, "QEMU (process \(id)) does not end", hint: "run 'kill -9 \(id)'")
    }
    try relic.removeWorkspace()
  }

  private func accelerator(_ installation: Installation, for image: ReadyImage, cpu: CPU) async throws -> Accelerator {
    if let accelerator = options.accelerator { return cpu == .host ? accelerator : .tcg }
    return try await finder.choice(installation, for: image, cpu: cpu).accelerator
  }

  private func installation(_ cpu: CPU) async throws -> Installation {
    if let known = installations.withLock({ $0[cpu] }) { return known }
    let found = try await Installation.find(cpu: cpu)
    installations.withLock { $0[cpu] = found }
    return found
  }
}
