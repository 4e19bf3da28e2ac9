package import MusterHost

/// The name of a run: `20261121T040355Z-1f9a3c`. It sorts by time, and is unique by its random part.
package struct RunID: Sendable, Hashable, Codable, CustomStringConvertible {
  package let text: String

  package init(time: Timestamp = .now) {
    let digits = String(UInt32.random(in: 0..<0x100_0000), radix: 16)
    text = "\(time.compact)-\(String(repeating: "0", count: 6 - digits.count))\(digits)"
  }

  package var description: String { text }
}
