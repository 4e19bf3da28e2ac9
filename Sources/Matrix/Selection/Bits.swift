/// A set of small numbers, one bit each.
struct Bits: Sendable, Hashable {
  private var words: [UInt64]

  init(count: Int) {
    words = Array(repeating: 0, count: (count + 63) / 64)
  }

  init(count: Int, where isMember: (Int) -> Bool) {
    self.init(count: count)
    for index in 0..<count where isMember(index) { insert(index) }
  }

  mutating func insert(_ index: Int) {
    words[index >> 6] |= 1 << UInt64(index & 63)
  }

  func contains(_ index: Int) -> Bool {
    index >= 0 && words[index >> 6] & (1 << UInt64(index & 63)) != 0
  }

  var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
  var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
}
