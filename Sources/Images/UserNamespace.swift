import MusterHost

/// Whether this user may have a user namespace with users of its own in it, which a system is installed as without root.
enum UserNamespace {
  /// - Throws: `Failure` with the commands that mend it.
  static func check() throws(Failure) {
    let user = HostFacts.userName
    for tool in ["newuidmap", "newgidmap"] where HostFacts.tool(tool) == nil {
      throw Failure(
        .host, "an image cannot be built without root: '\(tool)' is not installed", hint: "apt-get install uidmap")
    }
    for (file, option) in [("/etc/subuid", "--add-subuids"), ("/etc/subgid", "--add-subgids")] {
      let text = (try? FileSystem.readText(file)) ?? ""
      guard !hasRange(text, user: user) else { continue }
      let start = freeRange(text)
      throw Failure(
        .host, "an image cannot be built without root: '\(user)' has no 65536 users of its own in \(file)",
        hint: "as root: usermod \(option) \(start)-\(start + 65535) \(user)")
    }
    if let allowed = try? FileSystem.readText("/proc/sys/kernel/unprivileged_userns_clone"), allowed.hasPrefix("0") {
      throw Failure(
        .host, "an image cannot be built without root: user namespaces are switched off",
        hint: "as root: sysctl kernel.unprivileged_userns_clone=1")
    }
  }

  /// Whether a file of lines `user:first:count` gives the user enough.
  static func hasRange(_ text: String, user: String) -> Bool {
    ranges(text).contains { $0.user == user && $0.count >= 65536 }
  }

  /// The first number from 100000 on that nobody has.
  static func freeRange(_ text: String) -> Int {
    ranges(text).map { $0.first + $0.count }.reduce(100_000, max)
  }

  private static func ranges(_ text: String) -> [(user: String, first: Int, count: Int)] {
    text.split(whereSeparator: \.isNewline).compactMap { line in
      let parts = line.split(separator: ":")
      guard parts.count == 3, let first = Int(parts[1]), let count = Int(parts[2]) else { return nil }
      return (String(parts[0]), first, count)
    }
  }
}
