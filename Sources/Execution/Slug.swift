/// Names of files for what a person named.
enum Slug {
  /// Only `[a-z0-9.-]` remains of `text`, cut to 60 characters: `appimage[memory=512M]@debian-12` becomes
  /// `appimage-memory-512m-debian-12`.
  static func make(_ text: String) -> String {
    var slug = ""
    for character in text.lowercased().unicodeScalars where slug.utf8.count < 60 {
      switch character {
      case "a"..."z", "0"..."9": slug.unicodeScalars.append(character)
      case ".": if !slug.isEmpty { slug.append(".") }
      default: if !slug.isEmpty, slug.last != "-" { slug.append("-") }
      }
    }
    while let last = slug.last, last == "-" || last == "." { slug.removeLast() }
    return slug.isEmpty ? "unnamed" : slug
  }

  /// A slug for each text, in order; where two would be the same, a number makes them differ.
  static func unique(_ texts: [String]) -> [String] {
    var taken: Set<String> = []
    // The next number to try for a slug, so that many cells of one name do not ask for each number again.
    var next: [String: Int] = [:]
    return texts.map { text in
      let slug = make(text)
      var name = slug
      while !taken.insert(name).inserted {
        let number = next[slug, default: 2]
        name = "\(slug)-\(number)"
        next[slug] = number + 1
      }
      return name
    }
  }
}
