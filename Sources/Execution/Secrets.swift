package import MusterHost
import MusterMatrix

/// The values that must never be shown, known only while the run lasts.
package struct Secrets: Sendable {
  private let values: [String: String]
  /// What replaces them wherever something is written or told.
  package let mask: SecretMask

  /// No secrets.
  package init() {
    values = [:]
    mask = SecretMask(hiding: [])
  }

  /// Takes the values from the environment.
  /// - Throws: `Failure`, with the names of all that are missing or empty.
  package init(
    _ names: [String], environment: (String) -> String? = HostFacts.environment
  ) throws(Failure) {
    var values: [String: String] = [:]
    var missing: [String] = []
    for name in names {
      if let value = environment(name), !value.isEmpty { values[name] = value } else { missing.append(name) }
    }
    guard missing.isEmpty else {
      let list = missing.joined(separator: ", ")
      throw Failure(
        .host, missing.count == 1 ? "the secret \(list) has no value" : "the secrets \(list) have no value",
        hint: missing.count == 1
          ? "set \(list) in the environment, or take it out of the matrix's 'secrets'"
          : "set them in the environment, or take them out of the matrix's 'secrets'")
    }
    self.values = values
    mask = SecretMask(hiding: Array(values.values))
  }

  func reveal(_ text: MaskedText) -> String {
    text.revealed { values[$0] ?? "" }
  }

  func value(_ name: String) -> String {
    values[name] ?? ""
  }
}
