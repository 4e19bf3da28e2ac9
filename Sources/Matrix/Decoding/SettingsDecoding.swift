import MusterYAML

/// The keys `resources`, `timeouts`, `attempts`, `logs`, `env` and `start`, which the matrix, a distro and a test may have.
extension MatrixDecoder {
  static let settingsKeys = ["resources", "timeouts", "attempts", "logs", "env", "start"]

  /// Takes one of these keys; `false` when the key is another.
  func takeSetting(_ entry: Mapping.Entry, into settings: inout Settings, _ scope: Scope) -> Bool {
    switch entry.key {
    case "resources": resources(entry.value, into: &settings, scope)
    case "timeouts": timeouts(entry.value, into: &settings, scope)
    case "attempts": attempts(entry.value, into: &settings, scope)
    case "logs": logs(entry.value, into: &settings, scope)
    case "env": settings.environment = environment(entry.value, scope)
    case "start": settings.start = setting(entry.value, "how machines start", scope, Bound.start)
    default: return false
    }
    return true
  }

  private func resources(_ node: Node, into settings: inout Settings, _ scope: Scope) {
    guard let mapping = mapping(node, "'resources'", hint: "write {cpus: 2, memory: 2G, disk: 10G}") else { return }
    for entry in mapping.entries {
      switch entry.key {
      case "cpus":
        settings.cpus = setting(entry.value, "the number of CPUs", scope) { text throws(ValueProblem) in
          try Bound.within(1...512, PlainValues.integer(text), "CPUs")
        }
      case "memory": settings.memory = setting(entry.value, "a size of memory", scope, Bound.memory)
      case "disk": settings.disk = setting(entry.value, "a size of a disk", scope, Bound.disk)
      default: reportUnknown(entry, in: "resources", known: ["cpus", "memory", "disk"])
      }
    }
  }

  private func timeouts(_ node: Node, into settings: inout Settings, _ scope: Scope) {
    guard let mapping = mapping(node, "'timeouts'", hint: "write {launch: 5m, step: 10m, cell: 30m}") else { return }
    for entry in mapping.entries {
      switch entry.key {
      case "launch": settings.launchTimeout = setting(entry.value, "a time-out", scope, Bound.timeout)
      case "step": settings.stepTimeout = setting(entry.value, "a time-out", scope, Bound.timeout)
      case "cell": settings.cellTimeout = setting(entry.value, "a time-out", scope, Bound.timeout)
      default: reportUnknown(entry, in: "timeouts", known: ["launch", "step", "cell"])
      }
    }
  }

  private func attempts(_ node: Node, into settings: inout Settings, _ scope: Scope) {
    guard let mapping = mapping(node, "'attempts'", hint: "write {launch: 3, cell: 1}") else { return }
    for entry in mapping.entries {
      switch entry.key {
      case "launch": settings.launchAttempts = setting(entry.value, "a number of attempts", scope, Bound.attempts)
      case "cell": settings.cellAttempts = setting(entry.value, "a number of attempts", scope, Bound.attempts)
      default: reportUnknown(entry, in: "attempts", known: ["launch", "cell"])
      }
    }
  }

  private func logs(_ node: Node, into settings: inout Settings, _ scope: Scope) {
    guard let mapping = mapping(node, "'logs'", hint: "write {limit: 10M}") else { return }
    for entry in mapping.entries {
      switch entry.key {
      case "limit": settings.logLimit = setting(entry.value, "a size of a log", scope, Bound.log)
      default: reportUnknown(entry, in: "logs", known: ["limit"])
      }
    }
  }

  func environment(_ node: Node, _ scope: Scope) -> [VariableTemplate] {
    guard let mapping = mapping(node, "'env'", hint: "write {NAME: value}") else { return [] }
    return mapping.entries.compactMap { entry in
      guard PlainValues.isVariable(entry.key) else {
        report(
          "\(quoted(entry.key)) cannot be the name of an environment variable", at: entry.keySpan,
          hint: "use letters, digits and '_', and no digit first")
        return nil
      }
      if case .scalar(let scalar) = entry.value.content, scalar.isNull, scalar.text.isEmpty {
        report("'\(entry.key)' has no value", at: entry.keySpan, hint: "write \"\" for an empty one")
        return nil
      }
      return template(entry.value, "an environment variable", scope, .all)
        .map { VariableTemplate(name: entry.key, value: $0) }
    }
  }
}

/// The least and the most that makes sense of each value.
enum Bound {
  static func within(_ range: ClosedRange<Int>, _ value: Int, _ what: String) throws(ValueProblem) -> Int {
    if value < range.lowerBound {
      throw ValueProblem("\(value) is too few \(what)", hint: "\(range.lowerBound) at least")
    }
    if value > range.upperBound {
      throw ValueProblem("\(value) is too many \(what)", hint: "\(range.upperBound) at most")
    }
    return value
  }

  static func memory(_ text: String) throws(ValueProblem) -> Int64 {
    try size(text, 128 << 20, 64 << 40, "for the memory of a machine")
  }

  static func disk(_ text: String) throws(ValueProblem) -> Int64 {
    try size(text, 256 << 20, 1 << 50, "for the disk of a machine")
  }

  static func log(_ text: String) throws(ValueProblem) -> Int {
    Int(try size(text, 4 << 10, 1 << 40, "for a log"))
  }

  static func timeout(_ text: String) throws(ValueProblem) -> Duration {
    let duration = try TimeSpan.parse(text)
    if duration < .milliseconds(1) { throw ValueProblem("\(quoted(text)) is no time at all") }
    return duration
  }

  /// How long what a step does is kept: `true` stands for a day, since package indexes age; `nil` for not at all.
  static func cache(_ text: String) throws(ValueProblem) -> Duration? {
    switch text {
    case "true": .seconds(86_400)
    case "false": nil
    default: try timeout(text)
    }
  }

  static func attempts(_ text: String) throws(ValueProblem) -> Int {
    try within(1...100, PlainValues.integer(text), "attempts")
  }

  static func start(_ text: String) throws(ValueProblem) -> Start {
    guard let start = Start(rawValue: text) else {
      throw ValueProblem(
        "machines do not start \(quoted(text))", hint: "write warm (from a saved machine) or cold (each boots)")
    }
    return start
  }

  private static func size(
    _ text: String, _ least: Int64, _ most: Int64, _ purpose: String
  ) throws(ValueProblem) -> Int64 {
    let bytes = try Size.parse(text)
    if bytes < least {
      throw ValueProblem("\(quoted(text)) is too small \(purpose)", hint: "\(Size.text(least)) at least")
    }
    if bytes > most {
      throw ValueProblem("\(quoted(text)) is too large \(purpose)", hint: "\(Size.text(most)) at most")
    }
    return bytes
  }
}
