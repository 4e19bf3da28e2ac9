/// Entries of a mapping with a quick answer to whether a key is among them.
struct UniqueEntries {
  private(set) var entries: [Mapping.Entry] = []
  /// Where each key stands, once there are too many to compare one by one.
  private var indices: [String: Int] = [:]

  private static let compared = 8

  var count: Int { entries.count }

  subscript(index: Int) -> Mapping.Entry { entries[index] }

  func index(of key: String) -> Int? {
    entries.count <= Self.compared ? entries.firstIndex { $0.key == key } : indices[key]
  }

  mutating func append(_ entry: Mapping.Entry) {
    if entries.count == Self.compared {
      for (index, entry) in entries.enumerated() { indices[entry.key] = index }
    }
    if entries.count >= Self.compared { indices[entry.key] = entries.count }
    entries.append(entry)
  }

  /// Puts in entries whose keys are not there yet, the first of each key.
  mutating func insert(_ added: [Mapping.Entry], at position: Int) {
    let own = entries
    var keys = Set(own.map(\.key))
    self = UniqueEntries()
    own[..<position].forEach { append($0) }
    for entry in added where keys.insert(entry.key).inserted { append(entry) }
    own[position...].forEach { append($0) }
  }
}
