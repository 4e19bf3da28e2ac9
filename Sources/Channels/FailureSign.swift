package import MusterCatalog

/// A line of a package manager's or a tool's output that tells why it failed.
package struct FailureSign: Sendable, Hashable {
  /// In the order they are looked for: an earlier one is often the cause of a later one.
  package enum Cause: Sendable, Hashable, CaseIterable {
    case diskFull
    /// The machine's clock is wrong.
    case clock
    /// A signature is missing, unknown or wrong.
    case signature
    /// What was downloaded is not what its digest says.
    case checksum
    /// A mirror cannot be reached, or is not in order.
    case network
    /// Another process holds the package manager's lock.
    case locked
    /// A question was asked, and nobody was there.
    case prompt
    /// The package is for other machines.
    case architecture
    /// Two packages have the same file.
    case conflict
    case noSuchPackage
    /// A package's own script failed.
    case scriptlet
  }

  package var cause: Cause
  /// The line as it was printed, without white space at its ends.
  package var line: String

  /// What makes a failed `install` step fail, by its output and its exit status; `nil` when nothing in it is known.
  package static func ofInstall(_ output: String, exit status: Int, family: Family) -> FailureSign? {
    let lines = Self.lines(of: output)
    for cause in Cause.allCases {
      if let line = first(of: lines, matching: patterns(of: cause)) {
        return FailureSign(cause: cause, line: line)
      }
    }
    guard family == .suse, let cause = zypperCauses[status] else { return nil }
    return FailureSign(cause: cause, line: "zypper: exit status \(status)")
  }

  /// The line by which a package manager says that a package's own script failed; `nil` when none does. Many go on as if
  /// nothing had happened.
  package static func ofScript(_ output: String) -> String? {
    first(of: lines(of: output), matching: patterns(of: .scriptlet))
  }

  /// The line by which a package manager says that what it was given is not what was signed; `nil` when none does.
  package static func ofRefusal(_ output: String) -> String? {
    first(of: lines(of: output), matching: patterns(of: .signature) + digestPatterns)
  }

  /// The line by which a package manager says that it cannot reach a mirror; `nil` when none does.
  ///
  /// Only forms that package managers print and nothing else, and nothing that a wrong address in the matrix can cause
  /// as well, such as a 404: a script that fails on those has failed.
  package static func ofUnreachableMirror(_ output: String) -> String? {
    first(of: lines(of: output), matching: mirrorPatterns)
  }

  /// The line by which a download tool (curl, wget, git, …) says that it cannot reach another host; `nil` when none
  /// does. The machine itself is no other host.
  package static func ofUnreachableHost(_ output: String) -> String? {
    Self.lines(of: output).first { line in
      toolPatterns.contains { $0.matches(line) } && !ownNames.contains { line.contains($0) }
    }
  }

  /// The line by which curl or wget says that it did not get the file it was to download; `nil` when neither does.
  package static func ofDownload(_ output: String) -> String? {
    first(of: lines(of: output), matching: toolPatterns + downloadPatterns)
  }

  /// Whether a line says that a file is another one than the repository's index tells of.
  package static func tellsOfWrongDigest(_ line: String) -> Bool {
    (["Hash Sum mismatch"] + dnfDigestTexts).contains { line.contains($0) }
  }

  /// Whether a package manager says that it does not know a package.
  package static func tellsOfUnknownPackage(_ output: String) -> Bool {
    first(of: lines(of: output), matching: patterns(of: .noSuchPackage)) != nil
  }

  private static func first(of lines: [String], matching patterns: [Pattern]) -> String? {
    lines.first { line in patterns.contains { $0.matches(line) } }
  }

  private static func lines(of output: String) -> [String] {
    output.split(whereSeparator: \.isNewline).map { String($0.drop(while: \.isWhitespace)) }
  }
}

/// The zypper exit statuses that tell the cause by themselves (zypper's manual, "EXIT CODES").
private let zypperCauses: [Int: FailureSign.Cause] = [
  4: .network, 7: .locked, 104: .noSuchPackage, 106: .network, 107: .scriptlet,
]

private let ownNames = ["localhost", "127.0.0.1", "[::1]", "::1 "]

/// A line that begins with `start` and holds one of `texts`, if there are any.
private struct Pattern {
  var start = ""
  var texts: [String]

  func matches(_ line: String) -> Bool {
    line.hasPrefix(start) && (texts.isEmpty || texts.contains { line.contains($0) })
  }
}

private func anywhere(_ texts: String...) -> [Pattern] {
  [Pattern(texts: texts)]
}

private func patterns(of cause: FailureSign.Cause) -> [Pattern] {
  switch cause {
  case .diskFull:
    anywhere(
      "No space left on device", "You don't have enough free space", "not enough free disk space",
      "needs more space on the", "Not enough space", "Insufficient space")
  case .clock: anywhere("not valid yet", "is not yet valid")
  case .signature:
    anywhere(
      "NO_PUBKEY", "BADSIG", "EXPKEYSIG", "is not signed", "GPG check FAILED", "Bad GPG signature",
      "GPG signature is not available", "wrong key", "Signature verification failed", "is unknown trust",
      "could not be looked up", "invalid or corrupted package", "invalid or corrupted database",
      "UNTRUSTED signature", "BAD signature", "missing required signature", "NODATA",
      "signature is invalid", "is invalid (PGP signature)", "File is unsigned", "Repository is not signed",
      "OpenPGP check for package") + [Pattern(start: "E: Release file for ", texts: ["is expired"])]
  case .checksum:
    anywhere(
      // Homebrew, makepkg, pip
      "SHA-256 mismatch", "SHA256 mismatch", "did not pass the validity check", "DO NOT MATCH THE HASHES")
      // apk
      + [Pattern(start: "ERROR: ", texts: ["integrity error", "BAD archive"])]
  case .network:
    mirrorPatterns
      + anywhere(
        "Status code: 404", "All mirrors were tried", "404  Not Found", "Cannot download", "Release file for",
        "failed retrieving file", "Valid metadata not found", "corrupted during transfer", "Skipping repository",
        "File not found - ",
        // dnf and zypper, of a folder
        "Error opening /", "not found on medium '",
        // apk, which says no more of what a server answers
        "remote server returned error (try 'apk update')", "package mentioned in index not found",
        "HTTP 404: Not Found",
        // pip, and what is asked of its index after it
        "ERROR: HTTP error ", "Connection broken: ", "The index cannot be read: ",
        // curl, by Homebrew
        "curl: (22) The requested URL returned error: 50") + [Pattern(texts: dnfDigestTexts)]
  case .locked:
    anywhere(
      "Could not get lock", "Unable to acquire the dpkg frontend lock", "System management is locked",
      "unable to lock database", "Unable to lock database", "process has already locked")
  case .noSuchPackage:
    anywhere(
      "Unable to locate package", "has no installation candidate", "Couldn't find any package by",
      "No match for argument", "No package matches", "No package ", "nothing provides", "but it is not installable",
      "but it is not going to be installed",
      "is to be installed", "not found in package names",
      "No provider of", "target not found", "(no such package)", "No matching distribution found",
      "No available formula ", "No formulae or casks found")
  case .prompt: anywhere("end of file on stdin at conffile prompt")
  case .architecture:
    anywhere(
      "package architecture (", "wrong architecture", "does not have a compatible architecture",
      "incompatible architecture", "error: uninstallable", " architecture is required for this software",
      "is not a supported wheel on this platform", "is not valid for this architecture")
  case .conflict:
    anywhere(
      "trying to overwrite '", ": trying to overwrite ", "conflicts with file from package", "exists in filesystem",
      "File conflict", "because conflicting formulae are installed", "The `brew link` step did not complete")
  case .scriptlet:
    anywhere(
      // dpkg, today's and that of ten years ago
      " script subprocess returned error", " script subprocess was killed", "installation script returned error",
      "removal script returned error",
      "scriptlet failed", "command failed to execute",
      "The post-install step did not complete",
      // dnf 5
      "rror in pre-install scriptlet", "rror in post-install scriptlet", "rror in pre-uninstall scriptlet",
      "rror in post-uninstall scriptlet", "rror in pre-transaction scriptlet", "rror in post-transaction scriptlet")
      // apk 2 and 3
      + [
        Pattern(
          start: "ERROR: ", texts: [": script exited with error ", ": exited with error ", ": killed by signal "])
      ]
  }
}

/// What dnf says of a file that is not what the index tells.
private let dnfDigestTexts = ["has incorrect checksum", "hecksum doesn't match"]

private let digestPatterns = anywhere(
  "Hash Sum mismatch", "unexpected size", "hecksum doesn't match", "ncorrect checksum", "oes not match",
  "Digest verification failed",
  "corrupted during transfer", "failed integrity check", "DIGESTS", "cannot be opened", "wrong checksum")

private let mirrorPatterns: [Pattern] =
  ["E: ", "W: ", "Err:", "Temporary failure resolving '", "Could not connect to "].map { start in
    Pattern(
      start: start,
      texts: [
        "Temporary failure resolving", "Could not resolve", "Could not connect", "onnection timed out",
        "Connection refused", "onnection failed", "Network is unreachable", "Unable to connect to",
        "Mirror sync in progress", "Hash Sum mismatch", "unexpected size", "NOSPLIT", "503  Service Unavailable",
        "502  Bad Gateway", "504  Gateway", "Undetermined Error",
      ])
  } + [
    // dnf and librepo, by curl's own numbers: only those of connections.
    Pattern(texts: [5, 6, 7, 18, 28, 35, 52, 55, 56, 92].map { "Curl error (\($0))" } + ["Status code: 50"]),
    // zypper
    Pattern(texts: ["Download (curl) error for '", "Timeout exceeded when accessing '", "Connection failed for '"]),
    // pip
    Pattern(start: "WARNING: Retrying (Retry(", texts: []),
  ]
  // apk 2 and 3, which tell of a package by its name alone
  + ["WARNING: ", "ERROR: "].map { start in
    Pattern(
      start: start,
      texts: [
        "temporary error (try again later)", "DNS lookup error", "DNS: ", "HTTP 408: Timeout", "HTTP 50",
        "TLS: handshake failed",
        "network error (check Internet connection and firewall)", "could not connect to server (check",
      ])
  }
  + ["error: failed retrieving file", "WARNING: ", "ERROR: http"].map { start in
    Pattern(
      start: start,
      texts: [
        // pacman
        ": Could not resolve host", ": Failed to connect to", ": Connection timed out", ": Operation too slow",
        "Resolving timed out", "The requested URL returned error: 50",
        // apk: what the system says of a connection
        ": Connection refused", ": Connection reset", ": Operation timed out", ": operation timed out",
        ": Network unreachable", ": Host is unreachable",
      ])
  }

private let downloadPatterns = [
  Pattern(start: "curl: (", texts: ["curl: (18)", "The requested URL returned error: "]),
  Pattern(texts: ["ERROR 404: ", "ERROR 403: ", "ERROR 50", "wget: server returned error: "]),
]

private let toolPatterns: [Pattern] =
  [
    Pattern(start: "curl: (", texts: [5, 6, 7, 28, 35, 52, 55, 56].map { "curl: (\($0))" }),
    Pattern(
      start: "wget: ", texts: ["unable to resolve host address", "bad address '", "can't connect to remote host"]),
    Pattern(
      start: "fatal: unable to access '", texts: ["Could not resolve host", "Failed to connect", "Could not connect"]),
    Pattern(start: "ssh: Could not resolve hostname", texts: []),
    Pattern(texts: ["failed: Connection timed out.", "failed: Network is unreachable.", "failed: Connection refused."]),
    Pattern(texts: ["Temporary failure in name resolution", "getaddrinfo EAI_AGAIN", "getaddrinfo ENOTFOUND"]),
  ]
