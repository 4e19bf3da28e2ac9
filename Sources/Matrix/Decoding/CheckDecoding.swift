import MusterDiagnostics
import MusterYAML

/// The step `check`: one subject, and what must hold of it.
extension MatrixDecoder {
  private static let subjects = ["command", "file", "package", "service", "port", "user", "process"]
  private static let fileKeys = ["type", "mode", "owner", "contains", "sha256"]
  private static let userKeys = ["exists", "home", "shell", "groups"]

  /// The keys that may stand beside a subject.
  private static func keys(of subject: String) -> [String] {
    switch subject {
    case "file": fileKeys
    case "package": ["version"]
    case "service": ["state"]
    case "port": ["transport", "open"]
    case "user": userKeys
    case "process": ["running"]
    default: []
    }
  }

  func check(_ node: Node, _ scope: Scope) -> StepTemplate.Check? {
    guard let mapping = mapping(node, "'check'", hint: "write {command: …}, {file: …}, {service: …}, …"),
      let subject = subject(of: mapping, at: node.span)
    else { return nil }
    let keys = Self.keys(of: subject.key)
    let entries = mapping.entries
    for index in entries.indices where !keys.contains(entries[index].key) && entries[index].key != subject.key {
      reportUnknown(entries[index], in: "a check of '\(subject.key)'", known: [subject.key] + keys)
    }
    switch subject.key {
    case "command": return checkedName(subject.value, "the name of a command", scope).map { .command($0) }
    case "file": return fileCheck(subject.value, mapping, scope)
    case "package":
      let version = mapping["version"].flatMap { self.version($0, scope, hint: "leave 'version' out for any") }
      return package(subject.value, scope).flatMap { package in
        guard case .perFamily(let names) = package,
          let wrong = ([names.others ?? [.text("")]] + names.perFamily.values).first(where: { $0.count != 1 })
        else { return .package(package, version: version) }
        report(
          "a check of a package needs one name for each family, not \(wrong.count)", at: subject.value.span,
          hint: "leave families out with 'when'")
        return nil
      }
    case "service":
      let state: CheckStep.ServiceState? = mapping["state"].map { word($0, "the state of a service") } ?? .active
      guard let name = checkedName(subject.value, "the name of a service", scope), let state else { return nil }
      return .service(name, state)
    case "port": return portCheck(subject.value, mapping)
    case "user": return userCheck(subject.value, mapping, scope)
    default:
      let running = mapping["running"].map { bool($0, "'running'") } ?? true
      guard let name = checkedName(subject.value, "the name of a process", scope), let running else { return nil }
      return .process(name, running: running)
    }
  }

  /// The one subject of a check.
  private func subject(of mapping: Mapping, at span: Span) -> Mapping.Entry? {
    let entries = mapping.entries
    var found: Int?
    for index in entries.indices where Self.subjects.contains(entries[index].key) {
      guard let found else {
        found = index
        continue
      }
      let (subject, other) = (entries[found], entries[index])
      report(
        "a check has one subject, and this has both '\(subject.key)' and '\(other.key)'", at: other.keySpan,
        hint: "write two steps", notes: [.init("'\(subject.key)' is here", at: subject.keySpan)])
      return nil
    }
    if let found { return entries[found] }
    if let entry = entries.first {
      reportUnknown(entry, in: "check", known: Self.subjects)
    } else {
      report("a check of nothing", at: span, hint: "the subjects are \(Self.subjects.joined(separator: ", "))")
    }
    return nil
  }

  private func checkedName(_ node: Node, _ what: String, _ scope: Scope) -> Template? {
    guard let name = template(node, what, scope) else { return nil }
    if name.constant?.isEmpty ?? false {
      report("\(what) is empty", at: node.span)
      return nil
    }
    return name
  }

  private func fileCheck(_ node: Node, _ mapping: Mapping, _ scope: Scope) -> StepTemplate.Check? {
    guard let path = guestPath(node, "a path", scope) else { return nil }
    var file = StepTemplate.File(path: path)
    for entry in mapping.entries {
      switch entry.key {
      case "type": file.kind = word(entry.value, "a type of file")
      case "mode": file.mode = constant(entry.value, "a file mode", PlainValues.mode)
      case "owner": file.owner = owner(entry.value, scope)
      case "contains": file.contains = template(entry.value, "the content of a file", scope, .all)
      case "sha256":
        file.sha256 = constant(entry.value, "a checksum") { text throws(ValueProblem) in
          Template.text(try PlainValues.digest(text, count: 64))
        }
      default: break
      }
    }
    if file.kind == .absent, let other = mapping.entries.first(where: { $0.key != "file" && $0.key != "type" }) {
      report("a file that is absent has no '\(other.key)'", at: other.keySpan)
      return nil
    }
    return .file(file)
  }

  private func portCheck(_ node: Node, _ mapping: Mapping) -> StepTemplate.Check? {
    let number = constant(node, "a port") { text throws(ValueProblem) in
      let number = try PlainValues.integer(text)
      guard (1...65535).contains(number) else {
        throw ValueProblem("\(number) is not a port", hint: "they go from 1 to 65535")
      }
      return number
    }
    let transport: CheckStep.Transport? = mapping["transport"].map { word($0, "a transport") } ?? .tcp
    let open = mapping["open"].map { bool($0, "'open'") } ?? true
    guard let number, let transport, let open else { return nil }
    return .port(number, transport, open: open)
  }

  private func userCheck(_ node: Node, _ mapping: Mapping, _ scope: Scope) -> StepTemplate.Check? {
    guard let name = checkedName(node, "the name of a user", scope) else { return nil }
    var user = StepTemplate.User(name: name)
    user.exists = mapping["exists"].flatMap { bool($0, "'exists'") } ?? true
    user.home = mapping["home"].flatMap { guestPath($0, "a path", scope) }
    user.shell = mapping["shell"].flatMap { guestPath($0, "a path", scope) }
    user.groups =
      mapping["groups"].flatMap { node in
        oneOrMore(node, "'groups'")?.compactMap { checkedName($0, "the name of a group", scope) }
      } ?? []
    if !user.exists, let other = mapping.entries.first(where: { $0.key != "user" && $0.key != "exists" }) {
      report("a user who does not exist has no '\(other.key)'", at: other.keySpan)
      return nil
    }
    return .user(user)
  }
}
