/// The candidate that a person most likely meant by what they wrote, for "did you mean 'x'?"; `nil` when none is near.
///
/// Near is a third of the word's length in slips of the hand (a letter added, left out, wrong, or two swapped), at
/// most three. Case does not count. Among equals the first wins.
package func nearest(to word: String, in candidates: some Sequence<String>) -> String? {
  let letters = lowercased(word)
  let threshold = min(3, max(letters.count > 2 ? 1 : 0, letters.count / 3))
  var best: (candidate: String, distance: Int)?
  for candidate in candidates {
    let limit = best.map { $0.distance - 1 } ?? threshold
    guard limit >= 0 else { break }
    guard abs(candidate.utf8.count - letters.count) <= limit else { continue }
    if let distance = editDistance(letters, lowercased(candidate), limit: limit) { best = (candidate, distance) }
  }
  return best?.candidate
}

/// The bytes of a text, those of ASCII's capitals as small letters: the words that are compared are ASCII, and thousands
/// of them are compared with hundreds.
private func lowercased(_ text: String) -> [UInt8] {
  text.utf8.map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 ? $0 | 0x20 : $0 }
}

/// The Damerau-Levenshtein distance in which no letter is touched twice (optimal string alignment); `nil` when it is
/// more than `limit`.
private func editDistance(_ left: [UInt8], _ right: [UInt8], limit: Int) -> Int? {
  var twoBack: [Int] = []
  var previous = Array(0...right.count)
  for row in left.indices {
    var current = [row + 1]
    current.reserveCapacity(right.count + 1)
    var least = row + 1
    for column in right.indices {
      var distance = min(
        previous[column + 1] + 1, current[column] + 1, previous[column] + (left[row] == right[column] ? 0 : 1))
      if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
        distance = min(distance, twoBack[column - 1] + 1)
      }
      current.append(distance)
      least = min(least, distance)
    }
    if least > limit { return nil }
    (twoBack, previous) = (previous, current)
  }
  return previous[right.count] <= limit ? previous[right.count] : nil
}
