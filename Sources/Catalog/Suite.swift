/// A suite of packages that `debootstrap` images are built from.
package struct Suite: Sendable, Hashable {
  package enum Distribution: String, Sendable, Hashable {
    case debian
    case ubuntu
  }

  /// `bookworm`, `noble`.
  package var name: String
  package var distribution: Distribution
  /// All that is built from packages by dpkg is of one family.
  package var family: Family { .debian }
}

extension Catalog {
  /// The suites that are known, the oldest first. Others can be built too, from a mirror that is named.
  package static let suites: [Suite] =
    ["bullseye", "bookworm", "trixie", "forky", "sid"].map { Suite(name: $0, distribution: .debian) }
    + ["focal", "jammy", "noble", "questing", "resolute"].map { Suite(name: $0, distribution: .ubuntu) }

  package static func suite(named name: String) -> Suite? {
    suites.first { $0.name == name }
  }
}
