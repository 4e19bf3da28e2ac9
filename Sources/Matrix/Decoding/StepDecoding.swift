import MusterDiagnostics
import MusterYAML

/// Where steps stand, and so which of them make sense.
enum StepPlace {
  case cell
  /// In a machine, before the release is looked at.
  case provision
  /// On the host, before any machine.
  case setup
}

extension MatrixDecoder {
  static let actionKeys =
    ["run", "copy", "fetch", "install", "check", "reboot", "wait"] + ChannelStep.Channel.allCases.map(\.rawValue)
  private static let scriptKeys = ["shell", "as", "cwd", "env"]
  private static let commonKeys = ["name", "machine", "when", "timeout", "retry"]

  private static let runKeys = commonKeys + scriptKeys + ["exit", "stdout", "stderr", "cache"]
  private static let waitKeys = ["name", "machine", "when", "timeout"] + scriptKeys + ["interval"]
  private static let installKeys = commonKeys + ["env", "cache"]
  private static let copyKeys = commonKeys + ["cache"]
  private static let rebootKeys = ["name", "machine", "when", "timeout"]

  /// The keys that may stand beside an action.
  private static func keys(of action: String) -> [String] {
    switch action {
    case "run": runKeys
    case "wait": waitKeys
    case "install": installKeys
    case "copy": copyKeys
    case let key where ChannelStep.Channel(rawValue: key) != nil: commonKeys
    case "reboot": rebootKeys
    default: commonKeys
    }
  }

  /// A list of steps; a list within it, such as an alias of one, stands for its steps.
  func steps(_ node: Node, _ what: String, _ scope: Scope, _ place: StepPlace = .cell) -> [StepTemplate] {
    guard let nodes = list(node, what, hint: "write each step as an item: '- run: …'") else { return [] }
    var steps: [StepTemplate] = []
    steps.reserveCapacity(nodes.count)
    for node in nodes {
      switch node.content {
      case .mapping(let mapping): if let step = step(mapping, at: node.span, scope, place) { steps.append(step) }
      case .sequence(let nodes):
        if nodes.isEmpty { report("a list of steps that is empty", at: node.span) }
        steps += self.steps(node, what, scope, place)
      case .scalar(let scalar):
        report(
          "expected a step, found \(kind(of: node))", at: node.span,
          hint: Self.actionKeys.contains(scalar.text)
            ? "write '\(scalar.text):'" : "write 'run: …' to run a command")
      }
    }
    return steps
  }

  /// The key `provision`, in which only the first steps can be kept.
  func provision(_ node: Node, _ scope: Scope) -> [StepTemplate] {
    let steps = self.steps(node, "'provision'", scope, .provision)
    if let first = steps.firstIndex(where: { $0.details?.cache == nil }) {
      for step in steps[first...] where step.details?.cache != nil {
        report(
          "a step is only kept behind kept ones", at: step.span,
          hint: "write it before those that are not, or add 'cache: true' to them",
          notes: [.init("this one is not", at: steps[first].span)])
      }
    }
    return steps
  }

  private func step(_ mapping: Mapping, at span: Span, _ scope: Scope, _ place: StepPlace) -> StepTemplate? {
    let entries = mapping.entries
    var found: Int?
    for index in entries.indices where Self.actionKeys.contains(entries[index].key) {
      if let found {
        let action = entries[found]
        let entry = entries[index]
        report(
          "a step does one thing, and this is both '\(action.key)' and '\(entry.key)'", at: entry.keySpan,
          hint: "write two steps", notes: [.init("'\(action.key)' is here", at: action.keySpan)])
        return nil
      }
      found = index
    }
    guard let found else {
      reportNoAction(mapping, at: span)
      return nil
    }
    let action = entries[found]
    if place == .setup, action.key != "run" {
      report(
        "'\(action.key)' needs a machine, and 'setup' runs on the host", at: action.keySpan,
        hint: "use 'run' here, or move the step to a test")
      return nil
    }
    var form = StepForm()
    for index in entries.indices where index != found {
      take(entries[index], of: action, into: &form, scope, place)
    }
    guard let done = self.action(action, form, scope) else { return nil }
    if form.cache != nil, done.seesSecrets || form.environment.contains(where: { $0.value.hasSecrets }) {
      report("what a step does that sees a secret is never kept", at: action.keySpan, hint: "leave 'cache' out")
      form.cache = nil
    }
    return StepTemplate(
      action: done, span: action.keySpan, details: form.hasDetails ? StepTemplate.Details(form) : nil)
  }

  private func reportNoAction(_ mapping: Mapping, at span: Span) {
    let others = Self.commonKeys + Self.keys(of: "run") + Self.keys(of: "wait")
    guard let entry = mapping.entries.first(where: { !others.contains($0.key) }) else {
      report(
        "a step that does nothing", at: mapping.entries.first?.keySpan ?? span,
        hint: "a step has one of \(Self.actionKeys.joined(separator: ", "))")
      return
    }
    report(
      "unknown step \(quoted(entry.key))", at: entry.keySpan,
      hint: Nearest.hint(entry.key, among: Self.actionKeys, listing: "the steps are"))
  }

  private func take(
    _ entry: Mapping.Entry, of action: Mapping.Entry, into form: inout StepForm, _ scope: Scope, _ place: StepPlace
  ) {
    let known = Self.keys(of: action.key)
    guard known.contains(entry.key) else {
      if let owner = Self.actionKeys.first(where: { Self.keys(of: $0).contains(entry.key) }) {
        report(
          "'\(entry.key)' goes with '\(owner)', not with '\(action.key)'", at: entry.keySpan,
          hint: entry.key == "cache" ? "what 'run', 'install' and 'copy' do can be kept" : nil)
      } else {
        reportUnknown(entry, in: "a step with '\(action.key)'", known: [action.key] + known)
      }
      return
    }
    if place == .setup, ["as", "when", "machine"].contains(entry.key) {
      report(
        "'\(entry.key)' makes no sense in 'setup', which runs once on the host", at: entry.keySpan,
        hint: entry.key == "as" ? "it runs as whoever runs Muster" : nil)
      return
    }
    if entry.key == "cache", place != .provision {
      report(
        "only what is done first in 'provision' can be kept", at: entry.keySpan,
        hint: "leave 'cache' out, or move the step")
      return
    }
    let node = entry.value
    form.hasDetails = true
    switch entry.key {
    case "name": form.name = template(node, "the name of a step", scope)
    case "when": form.when = condition(node)
    case "machine": form.machine = machine(node, scope)
    case "timeout": form.timeout = setting(node, "a time-out", scope, Bound.timeout)
    case "retry": form.retry = retry(node)
    case "shell": form.shell = shell(node) ?? form.shell
    case "as": form.user = user(node, scope)
    case "cwd":
      form.directory = place == .setup ? template(node, "a folder", scope) : guestPath(node, "a folder", scope)
    case "env": form.environment = environment(node, scope)
    case "exit": form.exit = exitStatuses(node)
    case "stdout": form.stdout = expectations(node, scope)
    case "stderr": form.stderr = expectations(node, scope)
    case "cache": form.cache = constant(node, "how long what a step does is kept", Bound.cache) ?? nil
    case "interval": form.interval = constant(node, "an interval", Bound.timeout) ?? form.interval
    default: break
    }
  }

  private func machine(_ node: Node, _ scope: Scope) -> String? {
    guard let name = constant(node, "the name of a machine", { text in text }) else { return nil }
    if scope.machines.contains(name) { return name }
    report(
      scope.machines.isEmpty ? "there is one machine here, and no other" : "the test has no machine \(quoted(name))",
      at: node.span,
      hint: scope.machines.isEmpty
        ? "give the test several: 'machines: {\(name): {}, …}'"
        : Nearest.hint(name, among: scope.machines, listing: "its machines are"))
    return nil
  }

  private func action(_ entry: Mapping.Entry, _ form: StepForm, _ scope: Scope) -> StepTemplate.Action? {
    let node = entry.value
    switch entry.key {
    case "run":
      return script(entry, scope).map {
        .run(
          StepTemplate.Run(
            script: $0, shell: form.shell, exit: form.exit, stdout: form.stdout, stderr: form.stderr))
      }
    case "wait":
      return script(entry, scope).map { .wait(script: $0, shell: form.shell, interval: form.interval) }
    case "copy": return copy(node, scope).map { .copy($0) }
    case "fetch": return fetch(node, scope)
    case "install": return install(node, scope).map { .install($0) }
    case let key where ChannelStep.Channel(rawValue: key) != nil: return channel(entry, scope).map { .channel($0) }
    case "check": return check(node, scope).map { .check($0) }
    default: return reboot(entry) ? .reboot : nil
    }
  }

  private func script(_ entry: Mapping.Entry, _ scope: Scope) -> Template? {
    guard let text = textNode(entry.value, "a script", hint: "write '\(entry.key): command', or a block after '|'")
    else { return nil }
    if text.utf8.allSatisfy({ $0 == 0x20 || $0 == 0x0A || $0 == 0x09 }) {
      report("a script that is empty", at: entry.value.span)
      return nil
    }
    return template(text, at: entry.value.span, "a script", scope, .all)
  }

  private func reboot(_ entry: Mapping.Entry) -> Bool {
    switch entry.value.content {
    case .scalar(let scalar) where scalar.isNull: return true
    case .mapping(let mapping) where mapping.entries.isEmpty: return true
    default:
      report("'reboot' takes nothing", at: entry.value.span, hint: "write 'reboot:'")
      return false
    }
  }
}

/// What stands beside a step's action.
struct StepForm {
  static let shell = ["sh", "-e"]
  static let success = [0]

  /// Whether there is anything at all.
  var hasDetails = false
  var name: Template?
  var when: Selector?
  var machine: String?
  var timeout: Setting<Duration>?
  var retry = Retry()
  var shell = StepForm.shell
  var user: Template?
  var directory: Template?
  var environment: [VariableTemplate] = []
  var exit = StepForm.success
  var stdout: [StepTemplate.Expected] = []
  var stderr: [StepTemplate.Expected] = []
  var interval = Duration.seconds(1)
  var cache: Duration?
}
