package import MusterGuest
package import MusterHost

extension Machine {
  /// Of a backend whose machines tell of all their troubles by themselves.
  package func trouble(after error: GuestError?) async -> Failure? { nil }
}
