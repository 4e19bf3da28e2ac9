/// A quick answer to whether a mapping that is being read has a key already.
struct KeyIndex {
  /// Where each key stands, once there are too many to compare one by one: most mappings never need it.
  private var places: [String: Int]?

  private static let compared = 8

  /// Where the key stands among the entries so far.
  mutating func place(of key: String, in entries: [Mapping.Entry]) -> Int? {
    guard entries.count > Self.compared else {
      for index in entries.indices where entries[index].key == key { return index }
      return nil
    }
    var places = places.take() ?? [:]
    for index in places.count..<entries.count { places[entries[index].key] = index }
    defer { self.places = places }
    return places[key]
  }
}
