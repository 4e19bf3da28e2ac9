/// Text in which every variable has its value, except secrets: those stay names until the moment they are used,
/// so that no plan, log or report can hold one. Addresses of machines are known once they are launched.
package struct MaskedText: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
  package enum Segment: Sendable, Hashable {
    case text(String)
    /// The name of a secret, which is that of an environment variable.
    case secret(String)
    /// The address of the machine of this name.
    case address(String)
  }

  package var segments: [Segment]

  package init(segments: [Segment]) {
    self.segments = segments
  }

  package init(_ text: String) {
    segments = [.text(text)]
  }

  package init(stringLiteral value: String) {
    self.init(value)
  }

  /// The names of the secrets that occur, in order, each once.
  package var secrets: [String] {
    var seen: [String] = []
    for case .secret(let name) in segments where !seen.contains(name) { seen.append(name) }
    return seen
  }

  /// The text with each secret replaced by what `value` gives for its name.
  package func revealed(_ value: (String) -> String) -> String {
    segments.reduce(into: "") { text, segment in
      switch segment {
      case .text(let part): text += part
      case .secret(let name): text += value(name)
      case .address(let machine): text += "${\(machine).address}"
      }
    }
  }

  /// The text with the address of each machine in place.
  package func addressed(_ address: (String) -> String) -> MaskedText {
    MaskedText(
      segments: segments.map { segment in
        if case .address(let machine) = segment { .text(address(machine)) } else { segment }
      })
  }

  /// The text with each secret as `${NAME}`: what plans and logs show.
  package var description: String {
    revealed { "${\($0)}" }
  }
}
