import MusterHost

/// What mmdebstrap's last words mean.
enum BuildFailure {
  /// - Parameter lines: What mmdebstrap, apt and dpkg wrote.
  static func failure(_ recipe: BuildRecipe, _ ending: ProcessEnding, _ lines: [String]) -> Failure {
    let what = "cannot build \(recipe.description)"
    func has(_ texts: String...) -> Bool { lines.contains { line in texts.contains { line.contains($0) } } }
    func line(_ text: String) -> String? { lines.first { $0.contains(text) } }
    let evidence = lines.filter { !$0.hasPrefix("I: ") }.suffix(20).map(\.self)

    if has("No space left on device", "not enough free space", "Disk quota exceeded") {
      return Failure(.host, "\(what): disk full", evidence: evidence, hint: "free space and run again")
    }
    if let package = line("Unable to locate package") ?? line("has no installation candidate") {
      return Failure(.matrix, "\(what): \(fragment(package))", evidence: evidence, hint: "correct the image's packages")
    }
    // A list of packages that is not there, though the mirror answers, is of a suite that does not exist.
    let isRefused = lines.contains { $0.hasPrefix("  40") || $0.hasPrefix("  41") || $0.contains("File not found") }
    if isRefused, let release = lines.last(where: { $0.contains("InRelease") || $0.contains(" Release") }) {
      return Failure(
        .matrix, "\(what): the mirror has no such suite (\(fragment(release)))", evidence: evidence,
        hint: "correct the image's suite, components or mirror")
    }
    if has(
      "Could not resolve", "Temporary failure resolving", "Could not connect", "Unable to connect",
      "Connection refused",
      "Connection timed out", "Connection failed", "Failed to fetch", "Hash Sum mismatch", "File has unexpected size",
      "does not have a Release file", "Some index files failed to download")
    {
      return Failure(
        .mirror, "\(what): the mirror cannot be reached or changes just now", evidence: evidence,
        hint: "check the network, or run with --offline to use what is there", canPass: true)
    }
    if has("NO_PUBKEY", "is not signed", "couldn't be verified", "sqv returned an error") {
      return Failure(
        .host, "\(what): the keys of the mirror are not known here", evidence: evidence,
        hint: recipe.keyring.map { "install them: apt-get install \($0.package)" }
          ?? "put the mirror's key into /etc/apt/trusted.gpg.d")
    }
    if has("unshare", "newuidmap", "newgidmap", "subuid", "Operation not permitted", "chroot mode") {
      return Failure(
        .host, "\(what): this user may not make a user namespace", evidence: evidence,
        hint: "run it as root, or allow it: sysctl kernel.unprivileged_userns_clone=1 (Debian), "
          + "sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu)")
    }
    if has("Exec format error", "arch-test", "can neither be executed natively") {
      return Failure(
        .host, "\(what): this host cannot run programs of that CPU", evidence: evidence,
        hint: "apt-get install qemu-user-static binfmt-support arch-test")
    }
    return Failure(.image, "\(what): mmdebstrap failed with \(ending)", evidence: evidence)
  }

  private static func fragment(_ line: String) -> String {
    let text = line.hasPrefix("E: ") ? String(line.dropFirst(3)) : line
    return text.prefix(1).lowercased() + text.dropFirst()
  }
}
