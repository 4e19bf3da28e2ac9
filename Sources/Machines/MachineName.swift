import Synchronization

/// The name of a machine: `muster-<test>-<time>-<pid>-<six hex digits>`. Unique in a process since its last part counts,
/// and over processes and hosts since it begins to count anywhere; it is never cut.
package struct MachineName: Sendable, Hashable, Codable, CustomStringConvertible {
  package let text: String

  package init(text: String) {
    self.text = text
  }

  /// Makes a new name. Only `[a-z0-9-]` remains of `test`, which is cut so that the whole is at most `limit` long.
  /// - Parameter seconds: Seconds since 1970.
  package init(test: String, seconds: Int, processID: Int32, limit: Int = 63) {
    let number = Self.counter.wrappingAdd(1, ordering: .relaxed).newValue % 0x100_0000
    var digits = String(number, radix: 16)
    digits = String(repeating: "0", count: 6 - digits.count) + digits
    let tail = "-\(seconds)-\(processID)-\(digits)"
    let room = max(0, limit - "muster-".count - tail.count)
    var word = ""
    for character in test.lowercased().unicodeScalars {
      switch character {
      case "a"..."z", "0"..."9": word.unicodeScalars.append(character)
      default: if !word.isEmpty, word.last != "-" { word.append("-") }
      }
    }
    word = String(word.prefix(room))
    while word.last == "-" { word.removeLast() }
    text = word.isEmpty ? "muster\(tail)" : "muster-\(word)\(tail)"
  }

  private static let counter = Atomic<UInt32>(.random(in: .min ... .max))

  /// Whether it is made as the names of Muster's machines are.
  package var isMusters: Bool {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[0] == "muster", parts.last?.count == 6 else { return false }
    return parts.suffix(3).allSatisfy { $0.allSatisfy(\.isHexDigit) }
  }

  package var description: String { text }
}
