import MusterCatalog
import MusterDiagnostics

/// What a matrix file says, with every name looked up and every value decoded: all that its cells share.
final class Document: Sendable {
  let defaults: Settings
  let distros: [Distro]
  let tests: [Test]
  let exclusions: [Rule]
  let expectedFailures: [Rule]

  init(defaults: Settings, distros: [Distro], tests: [Test], exclusions: [Rule], expectedFailures: [Rule]) {
    self.defaults = defaults
    self.distros = distros
    self.tests = tests
    self.exclusions = exclusions
    self.expectedFailures = expectedFailures
  }
}

/// What may be said for the whole matrix, for a distro and for a test; the later wins, value by value.
struct Settings: Sendable {
  var cpus: Setting<Int>?
  var memory: Setting<Int64>?
  var disk: Setting<Int64>?
  var launchTimeout: Setting<Duration>?
  var stepTimeout: Setting<Duration>?
  var cellTimeout: Setting<Duration>?
  var launchAttempts: Setting<Int>?
  var cellAttempts: Setting<Int>?
  var logLimit: Setting<Int>?
  var start: Setting<Start>?
  var environment: [VariableTemplate] = []
}

struct VariableTemplate: Sendable {
  var name: String
  var value: Template
}

struct Distro: Sendable {
  var name: String
  var tags: [String]
  var family: Family
  /// The architecture of its machines, where a test has no axis `cpu`.
  var cpu: CPU
  var images: [CPU: [ImageChoice]]
  var imageSpan: Span?
  var settings: Settings
  var provision: [StepTemplate]
}

struct Test: Sendable {
  var name: String
  var span: Span
  var tags: [String]
  /// The distros it runs on.
  var distros: Bits
  var axes: [Axis]
  var settings: Settings
  var provision: [StepTemplate]
  var verify: [StepTemplate]
  var lifecycle: LifecycleTemplate?
  /// Its machines, where it has more than the one that every test has.
  var machines: [MachineTemplate] = []

  /// How many cells it makes on each of its distros.
  var combinations: Int { axes.first.map { $0.stride * $0.values.count } ?? 1 }

  /// The number of the axis `cpu`.
  var cpuAxis: Int? { axes.firstIndex { $0.name == BuiltIn.cpu.rawValue } }
}

/// One of the machines of a test that has several.
struct MachineTemplate: Sendable {
  var name: String
  /// What it needs beyond what the test says.
  var settings = Settings()
}

/// An entry of `exclude` or `expect-failure`.
struct Rule: Sendable {
  var tests: Selector
  var distros: Selector
  /// Each axis must have one of its values.
  var axes: [(name: String, values: [String])]
  var reason: String
  /// What a failure must tell to be the expected one.
  var message: String?
  var span: Span

  var remark: Remark { Remark(reason: reason, location: span.location) }
}
