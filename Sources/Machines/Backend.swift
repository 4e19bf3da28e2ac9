package import MusterCatalog
package import MusterGuest
package import MusterHost
package import MusterImages

/// What makes machines. The rest of Muster knows backends by this protocol alone.
package protocol Backend: Sendable {
  /// The name in the matrix and on the command line: `qemu`, `multipass`, …
  var name: String { get }

  /// How long the name of a machine may be.
  var nameLimit: Int { get }

  /// Where it makes machines, in words of its own that a `Relic` keeps; empty where there is only one place.
  var place: String { get }

  /// Looks whether machines can be made here, within a deadline of its own.
  func status() async -> BackendStatus

  /// Whether machines can be made from this kind of image at all; a pure question.
  func supports(_ image: ImageDescription) -> Bool

  /// What machines can be made from, as a person reads it behind "it can from".
  var images: String { get }

  /// Makes the image ready to launch from: fetched, verified, built. Safe when another process wants the same image.
  /// - Throws: `Failure`, `CancellationError`.
  func prepare(
    _ image: ImageDescription, progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws

  /// Brings what an image needs from afar, for a `prepare` that comes later: beside a machine that runs, so that it may want
  /// the network and the disk, but not the processors.
  /// - Throws: `Failure`, `CancellationError`.
  func fetch(
    _ image: ImageDescription, progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws

  /// Makes a machine and returns when it is ready for its first step. What was begun may be left when it throws: whoever
  /// asked for it purges it.
  /// - Throws: `Failure`, `CancellationError`.
  func launch(
    _ request: LaunchRequest, progress: @escaping @Sendable (String) async -> Void
  ) async throws -> any Machine

  /// The machines that exist and bear Muster's name, whoever made them; none where the backend is not installed.
  /// - Throws: `Failure` when it does not tell.
  func machines() async throws -> [Relic]

  /// Ends what is left of a machine whose run is dead, and removes all that went with it; returns when it is proven
  /// gone: asked for, not assumed. The processes that bear the run's mark are gone already.
  /// - Throws: `Failure` when something is left, with what to do by hand as its hint.
  func purge(_ relic: Relic) async throws
}

extension Backend {
  /// What fits into one label of a host name.
  package var nameLimit: Int { 63 }

  package var place: String { "" }

  package func fetch(
    _ image: ImageDescription, progress: @escaping @Sendable (ImageProgress) async -> Void
  ) async throws {}
}

/// What a person wants to know of a backend before a run.
package struct BackendStatus: Sendable {
  /// Why machines cannot be made here, with what to do about it; `nil` when they can.
  package var problem: Failure?
  /// The backend's own version, such as `QEMU 7.2.22`.
  package var version: String?
  /// What executes the guest's instructions: `kvm`, `hvf`, `tcg`.
  package var accelerator: String?
  /// What a person should know though it works, such as why KVM is not used.
  package var remarks: [String]
  /// What deadlines are multiplied by here: 1 with hardware acceleration.
  package var timeScale: Double

  package init(
    problem: Failure? = nil, version: String? = nil, accelerator: String? = nil,
    remarks: [String] = [], timeScale: Double = 1
  ) {
    self.problem = problem
    self.version = version
    self.accelerator = accelerator
    self.remarks = remarks
    self.timeScale = timeScale
  }
}

/// What a cell asks of a backend.
package struct LaunchRequest: Sendable {
  /// A unique name that the backend allows.
  package var name: MachineName
  package var image: ImageDescription
  package var cpus: Int
  /// Bytes.
  package var memory: Int64
  /// Bytes; the image is grown to it, never shrunk.
  package var disk: Int64
  /// An existing absolute folder for what should be kept of the attempt: the console (`console.log`), the backend's
  /// own messages (`qemu.log`).
  package var logs: String
  /// An existing absolute folder for what goes with the machine: overlay, sockets, seed. The machine's purge empties
  /// and removes it.
  package var workspace: String
  /// How long it may take to be ready, scaled already.
  package var deadline: Duration
  /// What it shares with the other machines of its attempt; `nil` where it is the only one.
  package var network: MachineNetwork?
  /// What is done first in it, for others too: after each step, the shortest first; empty where nothing is.
  package var layers: [MachineLayer]
  /// Whether it must start as a computer starts, where the backend has a quicker way.
  package var isCold: Bool

  package init(
    name: MachineName, image: ImageDescription, cpus: Int, memory: Int64, disk: Int64, logs: String,
    workspace: String, deadline: Duration, network: MachineNetwork? = nil, layers: [MachineLayer] = [],
    isCold: Bool = false
  ) {
    self.name = name
    self.image = image
    self.cpus = cpus
    self.memory = memory
    self.disk = disk
    self.logs = logs
    self.workspace = workspace
    self.deadline = deadline
    self.network = network
    self.layers = layers
    self.isCold = isCold
  }
}

/// What the first steps do to a machine, kept for all that begin with the same.
package struct MachineLayer: Sendable, Hashable {
  /// All that it depends on, but for the machine.
  package var content: String
  /// How long after it was made it is used.
  package var lifetime: Duration
  /// Whether it is made where there is none; else it is used if another cell has made it.
  package var isMade: Bool
  /// The files and folders of this host that are brought into the machine: only as long as they are what they were is that what
  /// `content` says.
  package var sources: [Source]

  package struct Source: Sendable, Hashable {
    /// Absolute.
    package var path: String
    /// Its `FileIdentity.tree` before it was read.
    package var tree: [String]

    package init(path: String, tree: [String]) {
      self.path = path
      self.tree = tree
    }
  }

  package init(content: String, lifetime: Duration, isMade: Bool, sources: [Source] = []) {
    self.content = content
    self.lifetime = lifetime
    self.isMade = isMade
    self.sources = sources
  }
}

/// The network that the machines of one attempt share. A backend whose machines can reach each other anyway needs none of
/// it.
package struct MachineNetwork: Sendable, Hashable {
  /// How many machines it has.
  package var count: Int
  /// Which of them this is, from 0: they are launched in this order.
  package var index: Int
  /// An existing absolute folder for its sockets: the first machine's workspace.
  package var folder: String

  package init(count: Int, index: Int, folder: String) {
    self.count = count
    self.index = index
    self.folder = folder
  }
}

/// How a machine came to be ready.
package enum MachineStart: String, Sendable, Hashable, Codable {
  /// It started from nothing.
  case booted
  /// It went on from a saved, ready one.
  case resumed
}

/// One virtual machine of one attempt.
package protocol Machine: Sendable {
  var name: MachineName { get }
  var start: MachineStart { get }

  /// How many of the steps that layers were asked for are done in it.
  var keptSteps: Int { get }

  /// After how many of them it is to be kept; `nil` where nothing more is.
  var nextLayer: Int? { get }

  /// Keeps what was done in it until now as its next layer, and returns the machine that goes on in its place, with its name and
  /// workspace, in which the same steps are done or more. Whoever asked purges that one then.
  /// - Throws: `Failure`, `CancellationError`.
  func keepLayer(progress: @escaping @Sendable (String) async -> Void) async throws -> any Machine
  var guest: any Guest { get }

  /// The address (IPv4) that the other machines of its attempt reach it at.
  /// - Throws: `Failure` when it has none; `CancellationError`.
  func address() async throws -> String

  /// Restarts the machine in order and returns when it is ready again, with another boot id.
  /// - Throws: `Failure`, `CancellationError`.
  func reboot(deadline: Duration) async throws

  /// Waits until the machine dies by itself (panic, power-off, its process gone), and tells why; returns `nil` when
  /// it was purged, or the task was cancelled.
  func death() async -> Failure?

  /// Looked for when a step did not come to its end, or the machine could not be asked: what is wrong with the machine or
  /// with what runs it, whatever the step did; `nil` when nothing is.
  /// - Parameter error: Why it could not be asked.
  func trouble(after error: GuestError?) async -> Failure?

  /// Looked for when all is done: why nothing counts that was seen in it, since this host has changed what it runs on; `nil` when
  /// nothing was.
  func damage() async -> Failure?

  /// Ends the machine and removes all that went with it; returns when it is proven gone. May be called again.
  /// - Throws: `Failure` when something is left, with what to do by hand as its hint.
  func purge() async throws

  /// Stops the machine but keeps its disk, for `--keep`; a person removes it by hand until `muster clean` can.
  /// Returns the folder that was kept, or where else it is, as a person reads it behind "in".
  func keep() async throws -> String
}

extension Machine {
  package var start: MachineStart { .booted }

  package var keptSteps: Int { 0 }

  package var nextLayer: Int? { nil }

  package func keepLayer(progress: @escaping @Sendable (String) async -> Void) async throws -> any Machine { self }

  package func damage() async -> Failure? { nil }
}
