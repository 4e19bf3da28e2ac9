/// What a checksum file says: digests in hexadecimal, with the names of the files they belong to.
struct ChecksumFile: Sendable, Hashable {
  struct Entry: Sendable, Hashable {
    /// `nil` in a file that holds nothing but a digest.
    var name: String?
    var digest: Digest
  }

  var entries: [Entry]

  /// Reads the forms that distros use, one entry a line: `<hex> [*]file`, BSD's `SHA256 (file) = hex`, and a bare digest.
  /// Other lines (a signature around the sums, comments, weaker algorithms) are passed over.
  init(_ text: String) {
    entries = text.split(whereSeparator: \.isNewline).compactMap { line in
      Self.bsd(line) ?? Self.gnu(line)
    }
  }

  /// The entry for a file, by its name without folders; a `*` in `name` stands for any characters. Of several the one
  /// with the highest numbers is taken. A file with a single digest is about what stands beside it, under whatever name.
  func entry(for name: String) -> Entry? {
    let named = entries.filter { $0.name.map { Self.matches($0, pattern: name) } ?? false }
    if let best = named.max(by: { Self.isOlder($0.name ?? "", $1.name ?? "") }) {
      // The stronger digest of the same file.
      return named.filter { $0.name == best.name }.max { $0.digest.hex.count < $1.digest.hex.count }
    }
    return entries.count == 1 && !name.contains("*") ? entries.first : nil
  }

  private static func bsd(_ line: Substring) -> Entry? {
    guard let open = line.firstIndex(of: "("), let close = line.lastIndex(of: ")"), open < close else { return nil }
    let digest = line[line.index(after: close)...].drop { $0 == " " || $0 == "=" }
    return entry(digest, name: line[line.index(after: open)..<close])
  }

  private static func gnu(_ line: Substring) -> Entry? {
    let digest = line.prefix { $0 != " " && $0 != "\t" }
    let rest = line[digest.endIndex...].drop { $0 == " " || $0 == "\t" }
    return entry(digest, name: rest.first == "*" ? rest.dropFirst() : rest)
  }

  private static func entry(_ digest: Substring, name: Substring) -> Entry? {
    let hex = digest.filter { !$0.isWhitespace }
    guard let digest = Digest(hex) else { return nil }
    let last = name.split(separator: "/").last.map { String($0).trimmingEnd() }
    return Entry(name: last?.isEmpty == false ? last : nil, digest: digest)
  }

  /// One `*` at most.
  private static func matches(_ name: String, pattern: String) -> Bool {
    guard let star = pattern.firstIndex(of: "*") else { return name == pattern }
    let (head, tail) = (pattern[..<star], pattern[pattern.index(after: star)...])
    return name.count >= head.count + tail.count && name.hasPrefix(head) && name.hasSuffix(tail)
  }

  /// Compares numbers inside of names as numbers: build 9 is older than build 10.
  private static func isOlder(_ one: String, _ other: String) -> Bool {
    let (one, other) = (parts(one), parts(other))
    for (a, b) in zip(one, other) where a != b {
      if let a = Int(a), let b = Int(b), a != b { return a < b }
      return a < b
    }
    return one.count < other.count
  }

  private static func parts(_ name: String) -> [String] {
    var parts: [String] = []
    for character in name {
      if let last = parts.last?.last, last.isNumber == character.isNumber {
        parts[parts.count - 1].append(character)
      } else {
        parts.append(String(character))
      }
    }
    return parts
  }
}

extension String {
  fileprivate func trimmingEnd() -> String {
    var text = self
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
