import MusterCatalog
import MusterDiagnostics

/// A step as the file says it, for whichever cell: `Step` with what is left open in it. Small, for a large matrix has
/// very many, and most of them say nothing beside their action.
struct StepTemplate: Sendable {
  var action: Action
  var span: Span
  /// What stands beside the action.
  var details: Details?

  /// The cells it is for; `nil` for all.
  var when: Selector? { details?.when }

  final class Details: Sendable {
    let name: Template?
    let when: Selector?
    /// The machine that it is done in; `nil` for each that the test has.
    let machine: String?
    let user: Template?
    let directory: Template?
    let environment: [VariableTemplate]
    let timeout: Setting<Duration>?
    let retry: Retry
    /// How long what it does is kept for other cells; `nil` for not at all.
    let cache: Duration?

    init(_ form: StepForm) {
      name = form.name
      when = form.when
      machine = form.machine
      user = form.user
      directory = form.directory
      environment = form.environment
      timeout = form.timeout
      retry = form.retry
      cache = form.cache
    }
  }

  indirect enum Action: Sendable {
    case run(Run)
    case copy(Copy)
    case fetch(from: Template, to: Template?, optional: Bool)
    case install([Package])
    case channel(Channel)
    case check(Check)
    case reboot
    case wait(script: Template, shell: [String], interval: Duration)
  }

  struct Channel: Sendable {
    var channel: ChannelStep.Channel
    var source: Source
    var packages: [Template]
    var version: Template?
    var checks: [ChannelStep.Check]
    /// The absolute folder that relative paths start in.
    var base: String

    enum Source: Sendable, Equatable {
      case repository(Repository)
      case file(Template)
      case pkgbuild(Template)
      case userRepository
      case formula(tap: Template?)
      case appImage(AppImage)
    }

    struct AppImage: Sendable, Equatable {
      /// A path, or a URL.
      var place: Template
      var command: String
      var run: Setting<ChannelStep.AppImage.Run>
      var sha256: String?
    }

    struct Repository: Sendable, Equatable {
      /// A path, or a URL.
      var place: Template
      /// `./` for a flat repository, as it is in what apt reads.
      var suite: Template?
      var components: [Template] = []
      var key: Template?
      var fingerprint: String?
      /// `nil` where nothing is said.
      var isServed: Bool?
    }
  }

  struct Run: Sendable {
    var script: Template
    var shell: [String]
    var exit: [Int]
    var stdout: [Expected]
    var stderr: [Expected]
  }

  struct Expected: Sendable {
    var kind: Expectation.Kind
    var text: Template
    var span: Span
  }

  struct Copy: Sendable {
    var from: Template
    /// The absolute folder that a relative `from` starts in.
    var base: String
    var to: Template
    var mode: UInt16?
    var owner: Template?
  }

  /// A package, or what each family has in its place.
  enum Package: Sendable {
    case named(Template)
    case perFamily(Names)

    /// Whether some family may be without a name for it.
    var isPartial: Bool {
      if case .perFamily(let names) = self { names.others == nil } else { false }
    }

    func names(_ family: Family) -> [Template] {
      switch self {
      case .named(let name): [name]
      case .perFamily(let names): names.perFamily[family] ?? names.others ?? []
      }
    }
  }

  struct Names: Sendable {
    /// None where a family needs nothing.
    var perFamily: [Family: [Template]]
    /// For the families that are not listed.
    var others: [Template]?
    var span: Span

    /// Whether it is said what a family has.
    func knows(_ family: Family) -> Bool { others != nil || perFamily[family] != nil }
  }

  enum Check: Sendable {
    case command(Template)
    case file(File)
    case package(Package, version: Template?)
    case service(Template, CheckStep.ServiceState)
    case port(Int, CheckStep.Transport, open: Bool)
    case user(User)
    case process(Template, running: Bool)
  }

  struct File: Sendable {
    var path: Template
    var kind: FileCheck.Kind?
    var mode: UInt16?
    var owner: Template?
    var contains: Template?
    var sha256: Template?
  }

  struct User: Sendable {
    var name: Template
    var exists = true
    var home: Template?
    var shell: Template?
    var groups: [Template] = []
  }
}

extension StepTemplate.Action {
  /// Whether a script of a person's, or what is expected of it, has a secret in it.
  var seesSecrets: Bool {
    guard case .run(let run) = self else { return false }
    return ([run.script] + (run.stdout + run.stderr).map(\.text)).contains { $0.hasSecrets }
  }
}

extension Template {
  var hasSecrets: Bool { parts.contains { if case .secret = $0 { true } else { false } } }
}
