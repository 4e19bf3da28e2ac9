import MusterCatalog
package import MusterHost

/// What the store knows of one image that it made: a file of lines `key value` beside the image.
package struct ImageRecord: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable {
    case downloaded
    case built
  }

  package var kind: Kind
  /// What a person called it when it was made ready last.
  package var name: String
  /// The URL, or the recipe in words.
  package var origin: String
  /// What the disk's content is known by.
  package var digest: Digest
  /// The disk's path, seen from the folder of images.
  package var disk: String
  package var format: String
  /// What was downloaded, where it is not the disk itself but compressed.
  package var archive: Digest?
  /// Kernel and initrd, seen from the folder of images.
  package var kernel: String?
  package var initrd: String?
  /// Digests of kernel and initrd.
  package var kernelDigest: Digest?
  package var initrdDigest: Digest?
  /// What its files are told by, in the order of `files`: as long as they are told by the same, their content is what the
  /// digests say.
  var identities: [FileIdentity] = []
  /// When it was made; when it was last compared with its origin; when it was last asked for.
  package var made: Timestamp
  package var checked: Timestamp
  package var used: Timestamp

  /// The digest that the origin's checksum is compared with.
  var originDigest: Digest { archive ?? digest }

  init(
    kind: Kind, name: String, origin: String, digest: Digest, disk: String, format: String, archive: Digest? = nil,
    now: Timestamp = .now
  ) {
    self.kind = kind
    self.name = name
    self.origin = origin
    self.digest = digest
    self.disk = disk
    self.format = format
    self.archive = archive
    made = now
    checked = now
    used = now
  }
}

extension ImageRecord {
  private static let header = "muster-image 1"

  var text: String {
    var lines = [Self.header]
    func add(_ key: String, _ value: String?) {
      guard let value else { return }
      lines.append("\(key) \(value.split(whereSeparator: \.isNewline).joined(separator: " "))")
    }
    add("kind", kind.rawValue)
    add("name", name)
    add("origin", origin)
    add("digest", digest.hex)
    add("disk", disk)
    add("format", format)
    add("archive", archive?.hex)
    add("kernel", kernel)
    add("kernel-digest", kernelDigest?.hex)
    add("initrd", initrd)
    add("initrd-digest", initrdDigest?.hex)
    add("identities", identities.isEmpty ? nil : identities.map(\.description).joined(separator: " "))
    add("made", "\(made.milliseconds)")
    add("checked", "\(checked.milliseconds)")
    add("used", "\(used.milliseconds)")
    return lines.joined(separator: "\n") + "\n"
  }

  /// `nil` for what is no record of this version.
  init?(_ text: String) {
    let lines = text.split(separator: "\n")
    guard lines.first.map(String.init) == Self.header else { return nil }
    var values: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: " ", maxSplits: 1)
      if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
    }
    func time(_ key: String) -> Timestamp? { values[key].flatMap { Int64($0) }.map { Timestamp(milliseconds: $0) } }
    // Paths lead nowhere but into the folder of images.
    func path(_ key: String) -> String? {
      values[key].flatMap { $0.hasPrefix("/") || $0.split(separator: "/").contains("..") ? nil : $0 }
    }
    guard let kind = values["kind"].flatMap(Kind.init), let name = values["name"], let origin = values["origin"],
      let digest = values["digest"].flatMap({ Digest($0) }), let disk = path("disk"), let format = values["format"],
      let made = time("made"), let checked = time("checked"), let used = time("used")
    else { return nil }
    self.init(kind: kind, name: name, origin: origin, digest: digest, disk: disk, format: format, now: made)
    archive = values["archive"].flatMap { Digest($0) }
    kernel = path("kernel")
    kernelDigest = values["kernel-digest"].flatMap { Digest($0) }
    initrd = path("initrd")
    initrdDigest = values["initrd-digest"].flatMap { Digest($0) }
    identities = (values["identities"] ?? "").split(separator: " ").map { FileIdentity(String($0)) }
    self.checked = checked
    self.used = used
  }
}
