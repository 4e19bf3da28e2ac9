import MusterDiagnostics
import MusterYAML

/// The key `backends`: what is said of the machines of some backends, by their names.
extension MatrixDecoder {
  private static let settingKeys = ["instance", "project", "remote", "target"]
  /// The backends that there is something to say of.
  private static let settled: [BackendName] = [.incus, .lxd]

  func backendSettings(_ node: Node) -> [String: BackendSettings] {
    guard let mapping = mapping(node, "'backends'", hint: "write {incus: {instance: container}}") else { return [:] }
    var settings: [String: BackendSettings] = [:]
    for entry in mapping.entries {
      guard let name = BackendName(rawValue: entry.key) else {
        reportUnknown(entry, in: "'backends'", known: Self.settled.map(\.rawValue))
        continue
      }
      guard Self.settled.contains(name) else {
        report(
          "there is nothing to say of the machines of '\(entry.key)'", at: entry.keySpan,
          hint: "'backend: \(entry.key)' chooses it")
        continue
      }
      settings[entry.key] = self.settings(entry)
    }
    return settings
  }

  private func settings(_ entry: Mapping.Entry) -> BackendSettings? {
    guard let mapping = mapping(entry.value, "'\(entry.key)'", hint: "write {instance: container}") else { return nil }
    var settings = BackendSettings()
    for setting in mapping.entries {
      switch setting.key {
      case "instance": settings.instance = word(setting.value, "a kind of instance")
      case "project": settings.project = place(setting.value, "a project")
      case "remote": settings.remote = place(setting.value, "a remote")
      case "target": settings.target = place(setting.value, "a member of a cluster")
      default: reportUnknown(setting, in: "the settings of '\(entry.key)'", known: Self.settingKeys)
      }
    }
    return settings
  }

  /// A name that can stand in a command line and in an address.
  private func place(_ node: Node, _ what: String) -> String? {
    constant(node, what) { text throws(ValueProblem) in
      let isPlain = text.utf8.allSatisfy { byte in
        PlainValues.isLetter(byte) || PlainValues.isDigit(byte) || [0x2D, 0x2E, 0x5F].contains(byte)
      }
      guard isPlain, !text.isEmpty, !text.hasPrefix("-"), text != ".", text != ".." else {
        throw ValueProblem(
          "\(quoted(text)) cannot be the name of \(what)", hint: "use letters, digits, '-', '.' and '_'")
      }
      return text
    }
  }
}
