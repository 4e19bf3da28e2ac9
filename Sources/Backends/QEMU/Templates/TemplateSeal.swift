import MusterHost
import MusterImages

/// What is known of a template whose files are all there: a file of lines `key value` that is written last. A template
/// without a whole one is none.
struct TemplateSeal: Sendable, Hashable {
  /// A file that the template needs, and what it was when it was looked at.
  struct File: Sendable, Hashable {
    /// Absolute, or seen from the template's folder.
    var path: String
    var digest: Digest
    /// As long as this is the same, the content is what the digest says.
    var identity: FileIdentity
  }

  /// The key that the template was made for.
  var key: String
  /// The image's name as a person gave it.
  var name: String
  /// Why no machine can go on from it, so that it is not tried again and again; `nil` for one that can be used.
  var unfit: String?
  /// Whether shells wait on its lanes.
  var hasLanes = false
  var files: [File] = []
  /// Milliseconds since 1970.
  var made: Timestamp
  var used: Timestamp

  private static let header = "muster-template 1"

  var text: String {
    var lines = [Self.header, "key \(key)", "name \(name.split(whereSeparator: \.isNewline).joined(separator: " "))"]
    if let unfit { lines.append("unfit \(unfit.split(whereSeparator: \.isNewline).joined(separator: " "))") }
    lines.append("lanes \(hasLanes)")
    lines += files.map { "file \($0.digest.hex) \($0.identity) \($0.path)" }
    lines += ["made \(made.milliseconds)", "used \(used.milliseconds)"]
    let body = lines.joined(separator: "\n") + "\n"
    return body + "sum \(Self.sum(body))\n"
  }

  init(key: String, name: String, unfit: String? = nil, now: Timestamp = .now) {
    self.key = key
    self.name = name
    self.unfit = unfit
    made = now
    used = now
  }

  /// `nil` for what is no whole seal of this version.
  init?(_ text: String) {
    let lines = text.split(separator: "\n")
    guard let last = lines.last, lines[0] == Self.header,
      last == "sum \(Self.sum(lines.dropLast().map { "\($0)\n" }.joined()))"
    else { return nil }
    var values: [Substring: Substring] = [:]
    var files: [File] = []
    for line in lines.dropFirst().dropLast() {
      let parts = line.split(separator: " ", maxSplits: 1)
      guard parts.count == 2 else { return nil }
      guard parts[0] == "file" else {
        values[parts[0]] = parts[1]
        continue
      }
      let words = parts[1].split(separator: " ", maxSplits: 2).map(String.init)
      guard words.count == 3, let digest = Digest(words[0]) else { return nil }
      files.append(File(path: words[2], digest: digest, identity: FileIdentity(words[1])))
    }
    func time(_ key: Substring) -> Timestamp? {
      values[key].flatMap { Int64($0) }.map { Timestamp(milliseconds: $0) }
    }
    guard let key = values["key"], let name = values["name"], let made = time("made"), let used = time("used") else {
      return nil
    }
    self.init(key: String(key), name: String(name), unfit: values["unfit"].map(String.init), now: made)
    hasLanes = values["lanes"] == "true"
    self.files = files
    self.used = used
  }

  /// FNV-1a of 64 bits: no two texts that differ in one byte have the same.
  private static func sum(_ text: String) -> String {
    let hash = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    return String(hash, radix: 16)
  }
}
