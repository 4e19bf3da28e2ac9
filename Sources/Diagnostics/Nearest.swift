/// The candidate that a person most likely meant by what they wrote, for "did you mean 'x'?"; `nil` when none is near.
///
/// Near is a third of the word's length in slips of the hand (a letter added, left out, wrong, or two swapped), at
/// most three. Case does not count. Among equals the first wins.
package func nearest(to word: String, in candidates: some Sequence<String>) -> String? {
  let letters = Array(word.lowercased())
  let threshold = min(3, max(letters.count > 2 ? 1 : 0, letters.count / 3))
  var best: (candidate: String, distance: Int)?
  for candidate in candidates {
    let limit = best.map { $0.distance - 1 } ?? threshold
    guard limit >= 0 else { break }
    let other = Array(candidate.lowercased())
    guard abs(other.count - letters.count) <= limit else { continue }
    let distance = editDistance(letters, other)
    if distance <= limit { best = (candidate, distance) }
  }
  return best?.candidate
}

/// The Damerau-Levenshtein distance in which no letter is touched twice (optimal string alignment).
private func editDistance(_ left: [Character], _ right: [Character]) -> Int {
  var twoBack: [Int] = []
  var previous = Array(0...right.count)
  for row in left.indices {
    var current = [row + 1]
    for column in right.indices {
      var distance = min(
        previous[column + 1] + 1, current[column] + 1, previous[column] + (left[row] == right[column] ? 0 : 1))
      if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
        distance = min(distance, twoBack[column - 1] + 1)
      }
      current.append(distance)
    }
    twoBack = previous
    previous = current
  }
  return previous[right.count]
}
