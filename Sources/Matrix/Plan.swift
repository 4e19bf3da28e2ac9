package import MusterCatalog
package import MusterDiagnostics

/// Everything a run will do, before it does any of it. Inert: printing a plan and running it read the same values.
package struct Plan: Sendable {
  /// The matrix's `name`, or its file's name without the extension.
  package var name: String
  /// The matrix file as the person gave it.
  package var file: String
  /// The absolute folder that relative paths of the matrix start from.
  package var directory: String
  /// The backends to try, in order; empty means `auto`.
  package var backends: [String]
  /// What is said of the machines of some backends, by their names.
  package var backendSettings: [String: BackendSettings]
  /// Names of environment variables whose values must never be shown.
  package var secrets: [String]
  /// Steps on the host, run once, with `--setup`.
  package var setup: [Step]
  /// The cells in order: distro by distro as in the file, so that cells that share an image stand together; for each
  /// distro test by test; for each test its axes' values, the last axis changing first. Cells that the matrix excludes
  /// are among them, and say so.
  package var cells: [Cell]
  /// What the cells share.
  let document: Document

  /// How many cells a matrix may have.
  package static let cellLimit = 1_000_000
}

/// One value of a further axis.
package struct AxisValue: Sendable, Hashable, Codable {
  package var axis: String
  package var value: String

  package init(axis: String, value: String) {
    self.axis = axis
    self.value = value
  }
}

/// A person's statement about a cell, with their reason.
package struct Remark: Sendable, Hashable, Codable {
  package var reason: String
  package var location: Location

  package init(reason: String, location: Location) {
    self.reason = reason
    self.location = location
  }
}

/// What a cell needs of a machine.
package struct Resources: Sendable, Hashable {
  package var cpus: Int
  /// Bytes.
  package var memory: Int64
  /// Bytes.
  package var disk: Int64

  package init(cpus: Int, memory: Int64, disk: Int64) {
    self.cpus = cpus
    self.memory = memory
    self.disk = disk
  }
}

/// How long each part of a cell may take, before a backend's factor for slow acceleration.
package struct Timeouts: Sendable, Hashable {
  package var launch: Duration
  package var step: Duration
  package var cell: Duration

  package init(launch: Duration, step: Duration, cell: Duration) {
    self.launch = launch
    self.step = step
    self.cell = cell
  }
}

/// How often a launch and a cell are tried, at most.
package struct Attempts: Sendable, Hashable {
  package var launch: Int
  package var cell: Int

  package init(launch: Int, cell: Int) {
    self.launch = launch
    self.cell = cell
  }
}

/// How the machines of a cell start.
package enum Start: String, Sendable, Hashable, CaseIterable {
  /// From one that was saved when it was ready, where the backend has such.
  case warm
  /// As a computer starts.
  case cold
}

/// A cell with every variable in place: what the executor works from.
package struct CellPlan: Sendable {
  package var cell: String
  package var test: String
  package var distro: String
  package var axes: [AxisValue]
  package var family: Family
  package var cpu: CPU
  package var tags: [String]
  /// Candidates in order: the first that the backend can have is used. Each may name the one backend it is for.
  package var images: [ImageChoice]
  /// Where the matrix says them.
  package var imagesLocation: Location?
  package var resources: Resources
  /// The machines of a test that has several, in the matrix's order; empty for the one that every cell has.
  package var machines: [MachinePlan]
  package var timeouts: Timeouts
  package var attempts: Attempts
  /// Bytes of a step's log that are kept; beyond it the middle is cut out, with a note.
  package var logLimit: Int
  package var start: Start
  /// The phases that hold steps, in order.
  package var phases: [Phase]
  /// How many steps at the beginning of `provision` are the distro's own.
  package var distroSteps: Int
  /// What happens to the release beside that; `MusterChannels` makes steps of it.
  package var lifecycle: Lifecycle?
  /// Where the test stands in the matrix.
  package var location: Location

  package init(
    cell: String, test: String, distro: String, axes: [AxisValue], family: Family, cpu: CPU,
    tags: [String], images: [ImageChoice], imagesLocation: Location? = nil, resources: Resources,
    machines: [MachinePlan] = [], timeouts: Timeouts,
    attempts: Attempts, logLimit: Int, start: Start = .warm, phases: [Phase], distroSteps: Int = 0,
    lifecycle: Lifecycle? = nil,
    location: Location
  ) {
    self.cell = cell
    self.test = test
    self.distro = distro
    self.axes = axes
    self.family = family
    self.cpu = cpu
    self.tags = tags
    self.images = images
    self.imagesLocation = imagesLocation
    self.resources = resources
    self.machines = machines
    self.timeouts = timeouts
    self.attempts = attempts
    self.logLimit = logLimit
    self.start = start
    self.phases = phases
    self.distroSteps = distroSteps
    self.lifecycle = lifecycle
    self.location = location
  }
}

/// One of the machines of a cell that has several.
package struct MachinePlan: Sendable, Hashable {
  /// By which the others know it, and steps are said to be done in it.
  package var name: String
  package var resources: Resources

  package init(name: String, resources: Resources) {
    self.name = name
    self.resources = resources
  }
}

/// An image that a cell may start from.
package struct ImageChoice: Sendable, Hashable {
  /// The only backend it is meant for; `nil` for any.
  package var backend: String?
  package var image: ImageDescription

  package init(backend: String? = nil, image: ImageDescription) {
    self.backend = backend
    self.image = image
  }
}

/// A run of steps whose failure means the same.
package struct Phase: Sendable {
  package enum Kind: String, Sendable, Codable, CaseIterable {
    case provision
    case verify
    case lifecycle
  }

  package var kind: Kind
  package var steps: [Step]

  package init(kind: Kind, steps: [Step]) {
    self.kind = kind
    self.steps = steps
  }
}

/// A step whose work is kept for cells that begin with the same.
package struct KeptStep: Sendable {
  package var step: Step
  /// How long all that was done until then is used.
  package var lifetime: Duration
  /// Whether a machine is saved behind it.
  package var isSaved: Bool
}

extension CellPlan {
  /// The steps before all others whose work is kept. None that sees a secret, also one of the whole matrix, and none where
  /// machines boot, or share a network. Machines are saved behind the distro's own, from where all its tests go on, and
  /// behind the last.
  package var keptSteps: [KeptStep] {
    guard start == .warm, machines.isEmpty, let phase = phases.first, phase.kind == .provision else { return [] }
    var kept: [KeptStep] = []
    for step in phase.steps {
      guard let cache = step.cache, step.environment.allSatisfy({ $0.value.secrets.isEmpty }) else { break }
      let lifetime = min(cache, kept.last?.lifetime ?? cache)
      kept.append(KeptStep(step: step, lifetime: lifetime, isSaved: kept.count + 1 == distroSteps))
    }
    if !kept.isEmpty { kept[kept.count - 1].isSaved = true }
    return kept
  }
}
