import MusterYAML

extension MatrixDecoder {
  /// How many machines a test may have.
  private static let mostMachines = 8

  /// Names that lead a machine to itself.
  private static let ownNames = [
    "localhost", "muster", "ip6-localhost", "ip6-loopback", "ip6-localnet", "ip6-mcastprefix", "ip6-allnodes",
    "ip6-allrouters",
  ]

  /// The key `machines` of a test.
  func machines(_ node: Node, _ scope: Scope) -> [MachineTemplate] {
    guard let mapping = mapping(node, "'machines'", hint: "write {primary: {}, secondary: {}}") else { return [] }
    if mapping.entries.isEmpty {
      report("there is no machine in it", at: node.span, hint: "write {primary: {}, secondary: {}}")
    }
    if mapping.entries.count > Self.mostMachines {
      report(
        "a test has \(Self.mostMachines) machines at most, and this has \(mapping.entries.count)", at: node.span)
    }
    return mapping.entries.map { entry in
      if Self.ownNames.contains(entry.key) {
        report(
          "\(quoted(entry.key)) is what every machine calls itself", at: entry.keySpan,
          hint: "choose another name, such as primary")
      } else if !PlainValues.isHostName(entry.key) {
        report(
          "\(quoted(entry.key)) cannot be the name of a machine, by which the others know it", at: entry.keySpan,
          hint: "use lowercase letters, digits and '-', a letter first, 30 at most")
      }
      return MachineTemplate(name: entry.key, settings: settings(of: entry.value, scope))
    }
  }

  private func settings(of node: Node, _ scope: Scope) -> Settings {
    var settings = Settings()
    if case .scalar(let scalar) = node.content, scalar.isNull { return settings }
    guard let mapping = mapping(node, "a machine", hint: "write {} or {resources: {memory: 1G}}") else {
      return settings
    }
    for entry in mapping.entries {
      if entry.key == "resources" {
        _ = takeSetting(entry, into: &settings, scope)
      } else {
        reportUnknown(entry, in: "a machine", known: ["resources"])
      }
    }
    return settings
  }
}
