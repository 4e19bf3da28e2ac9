/// A choice of cells, ready to be asked: every name in it is known to exist.
///
/// Items are united; within an item `&` means both. An item that only says `not` takes away from what the other items
/// chose, and does so last, wherever it stands; where there is nothing but such items, they take away from everything.
struct Selector: Sendable {
  enum Member: Sendable {
    case all
    /// One test or distro by its number; -1 for none. Where both are given, either is meant.
    case one(test: Int, distro: Int)
    case several(tests: Bits, distros: Bits)
    /// All three; an axis and a value that the cell must have.
    case cell(tests: Bits, axes: [AxisValue], distros: Bits)
  }

  struct Factor: Sendable {
    var negated: Bool
    var member: Member
  }

  var additions: [[Factor]] = []
  var removals: [[Factor]] = []

  static let all = Selector(additions: [[Factor(negated: false, member: .all)]])

  /// Whether it holds for a test on a distro, each by its number; -1 where there is none to be asked for.
  func contains(test: Int, distro: Int, axis: (String) -> String? = { _ in nil }) -> Bool {
    let added =
      additions.isEmpty
      ? !removals.isEmpty : additions.contains { holds($0, test, distro, axis) }
    return added && removals.allSatisfy { holds($0, test, distro, axis) }
  }

  private func holds(_ factors: [Factor], _ test: Int, _ distro: Int, _ axis: (String) -> String?) -> Bool {
    for factor in factors where factor.member.contains(test, distro, axis) == factor.negated { return false }
    return true
  }
}

extension Selector.Member {
  fileprivate func contains(_ test: Int, _ distro: Int, _ axis: (String) -> String?) -> Bool {
    switch self {
    case .all: true
    case .one(let one, let other): (one >= 0 && one == test) || (other >= 0 && other == distro)
    case .several(let tests, let distros): tests.contains(test) || distros.contains(distro)
    case .cell(let tests, let axes, let distros):
      tests.contains(test) && distros.contains(distro) && axes.allSatisfy { axis($0.axis) == $0.value }
    }
  }
}
