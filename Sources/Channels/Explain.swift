package import MusterCatalog
package import MusterMatrix

extension Step {
  /// The lines that a person reads to know what the step does in a machine of a family. What is executed there as a
  /// script stands here letter by letter; what Muster does from outside is a comment.
  package func explanation(for family: Family) -> [String] {
    switch action {
    case .run(let run): circumstances(run.shell) + lines(run.script.description)
    case .wait(let wait):
      ["# again every \(wait.interval) until it holds"] + circumstances(wait.shell) + lines(wait.script.description)
    case .install(let install): lines(install.script(for: family).script)
    case .channel(let channel, let part, let number):
      part.map { part in
        let script = channel.script(for: part, number: number, family: family)
        return lines(script.script) + script.facts.map { "# expected: \($0.name)=\($0.expectedText)" }
      } ?? []
    case .check(let check):
      lines(check.script(for: family).script)
        + check.script(for: family).facts.map { "# expected: \($0.name)=\($0.expectedText)" }
    case .copy(let copy):
      [
        "# copy '\(copy.from)' of this host to '\(copy.to)'" + (copy.mode.map { ", mode \(octal($0))" } ?? "")
          + (copy.owner.map { ", owner \($0)" } ?? "")
      ]
    case .fetch(let fetch):
      ["# fetch '\(fetch.from)'" + (fetch.to.map { " as '\($0)'" } ?? "") + (fetch.optional ? ", if it is there" : "")]
    case .reboot: ["# reboot the machine and wait until it is ready again"]
    }
  }

  private func lines(_ script: String) -> [String] {
    script.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// As whom, where, by what and with which variables a person's script runs, as far as it is not the default.
  private func circumstances(_ shell: [String]) -> [String] {
    var words: [String] = []
    if let user { words.append("as \(user)") }
    if let directory { words.append("in \(directory)") }
    if shell != ["sh", "-e"] { words.append("by \(shell.joined(separator: " "))") }
    let place = words.isEmpty ? [] : ["# " + words.joined(separator: ", ")]
    return place + environment.map { "# \($0.name)=\($0.value)" }
  }
}

/// Permissions as people write them: `0755`.
func octal(_ mode: UInt16) -> String {
  let digits = String(mode, radix: 8)
  return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
}
