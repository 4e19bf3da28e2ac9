import MusterCatalog
import MusterDiagnostics

/// What holds where the matrix says nothing.
enum Defaults {
  static let cpus = 2
  static let memory: Int64 = 2 << 30
  static let disk: Int64 = 10 << 30
  static let launchTimeout = Duration.seconds(5 * 60)
  static let stepTimeout = Duration.seconds(10 * 60)
  static let cellTimeout = Duration.seconds(30 * 60)
  static let launchAttempts = 3
  static let cellAttempts = 1
  static let logLimit = 10 << 20
}

extension Cell {
  /// The cell with every variable in place. It cannot fail: all that could be wrong was told when the file was read.
  package func resolved() -> CellPlan {
    let context = CellContext(self)
    let defaults = document.defaults
    let environment = VariableTemplate.merged([
      defaults.environment, context.distro.settings.environment, context.test.settings.environment,
    ])
    let resolve = { (steps: [StepTemplate]) in
      steps.filter(context.isMeant).map { $0.step(context, environment) }
    }
    let preparation = resolve(context.distro.provision)
    let installation = resolve(context.test.provision)
    let phases = [
      Phase(kind: .provision, steps: preparation + installation),
      Phase(kind: .verify, steps: resolve(context.test.verify)),
    ]
    return CellPlan(
      cell: name, test: test, distro: distro, axes: axes, family: context.distro.family, cpu: context.cpu,
      tags: context.distro.tags + context.test.tags.filter { !context.distro.tags.contains($0) },
      images: context.distro.images[context.cpu] ?? [], imagesLocation: context.distro.imageSpan?.location,
      resources: context.resources(defaults),
      machines: context.machines(defaults),
      timeouts: Timeouts(
        launch: context.value(defaults, \.launchTimeout, or: Defaults.launchTimeout),
        step: context.value(defaults, \.stepTimeout, or: Defaults.stepTimeout),
        cell: context.value(defaults, \.cellTimeout, or: Defaults.cellTimeout)),
      attempts: Attempts(
        launch: context.value(defaults, \.launchAttempts, or: Defaults.launchAttempts),
        cell: context.value(defaults, \.cellAttempts, or: Defaults.cellAttempts)),
      logLimit: context.value(defaults, \.logLimit, or: Defaults.logLimit),
      start: context.value(defaults, \.start, or: .warm),
      phases: phases.filter { !$0.steps.isEmpty }, distroSteps: preparation.count,
      lifecycle: context.test.lifecycle?.lifecycle(
        context.test.course(in: context.combination), of: installation, context, resolve),
      location: location)
  }
}

extension Cell {
  /// Bytes of memory that all its machines ask for at once.
  package var memory: Int64 {
    let context = CellContext(self)
    let machines = context.machines(document.defaults)
    return machines.isEmpty
      ? context.resources(document.defaults).memory : machines.reduce(0) { $0 + $1.resources.memory }
  }
}

extension CellContext {
  func machines(_ defaults: Settings) -> [MachinePlan] {
    test.machines.map { machine in
      var context = self
      context.machine = machine
      return MachinePlan(name: machine.name, resources: context.resources(defaults))
    }
  }

  func resources(_ defaults: Settings) -> Resources {
    Resources(
      cpus: value(defaults, \.cpus, or: Defaults.cpus), memory: value(defaults, \.memory, or: Defaults.memory),
      disk: value(defaults, \.disk, or: Defaults.disk))
  }
}

extension VariableTemplate {
  /// One list of several, in which a later variable takes the place of an earlier one of its name.
  static func merged(_ lists: [[VariableTemplate]]) -> [VariableTemplate] {
    var merged: [VariableTemplate] = []
    for variable in lists.joined() {
      if let index = merged.firstIndex(where: { $0.name == variable.name }) {
        merged[index] = variable
      } else {
        merged.append(variable)
      }
    }
    return merged
  }
}
