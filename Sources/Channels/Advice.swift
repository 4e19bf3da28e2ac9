package import MusterMatrix

/// What a publisher can do about a release that does not hold: lowercase fragments.
extension ChannelStep.Check {
  package var advice: String {
    switch self {
    case .version:
      "publish that version, and make the index anew; a package that is not configured has a script that failed"
    case .scripts: "let the script end with 0 only when it has done its work, and with another status else"
    case .files: "a script of the package, or another package, changes what the package ships"
    case .libraries: "ship the library, or depend on the package that has it"
    case .glibc: "build it on the oldest distro that it is for"
    case .desktop: "mend the file, and ship what it names"
    case .units: "ship what the unit starts, and look at its journal above"
    case .permissions:
      "ship the file with the mode 0644 or 0755, or switch the check off with 'checks: {permissions: false}'"
    case .sha256: "publish the checksum of the very file"
    case .format: "publish the whole file, for each architecture"
    case .start: "start it by hand on such a machine: 'muster run --keep failed'"
    case .dependencies: "depend on versions that go together"
    case .linkage: "declare what it links to with 'depends_on', and build the bottle anew"
    case .test: "run 'brew test --verbose' by hand: 'muster run --keep failed'"
    }
  }
}

extension ChannelPart {
  /// What is looked at, in the words of the report; `nil` where something is done.
  package var noun: String? {
    switch self {
    case .check(let check): check.rawValue
    case .key: "key"
    case .removed: "removed"
    case .settings: "configuration files"
    case .leftovers: "leftovers"
    default: nil
    }
  }

  package var advice: String? {
    switch self {
    case .check(let check): check.advice
    case .key:
      "'gpg --show-keys FILE' tells which key a file has: publish the one that the repository is signed with, as 'gpg "
        + "--armor --export' writes it, and correct 'fingerprint' if that is the old one's"
    case .removed: "let the package own all that it ships, and its scripts remove the rest"
    case .settings: "ship it as a configuration file, and let no script of the package write to it"
    case .leftovers:
      "let the package's scripts remove it, or allow it with 'leftovers: {ignore: [{path: …, reason: …}]}'"
    default: nil
    }
  }

  /// What it means that it failed.
  package var failure: String {
    switch self {
    case .bring: "Homebrew cannot be installed"
    case .fetch: "it cannot be downloaded"
    case .prepareTest: "what its test needs cannot be installed"
    case .serve: "it cannot be served"
    case .download: "it cannot be downloaded"
    case .upgrade: "it cannot be upgraded"
    case .downgrade: "it cannot be downgraded"
    case .reinstall: "it cannot be installed anew"
    case .remove: "it cannot be removed"
    case .purge: "it cannot be purged"
    default: "it cannot be installed"
    }
  }
}

extension Lifecycle.Refusal {
  package var description: String {
    switch self {
    case .unsigned: "a repository without signatures"
    case .wrongKey: "a repository that another key has signed"
    case .tamperedIndex: "an index that was tampered with"
    case .tamperedPackage: "a package that was tampered with"
    case .expired: "an index whose time is over"
    }
  }

  package var advice: String {
    switch self {
    case .expired: "sign a Release file with 'Valid-Until'"
    default: "sign the repository's index, and let the index tell the digests of all that it lists"
    }
  }
}
