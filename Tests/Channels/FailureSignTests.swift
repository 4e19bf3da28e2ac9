import MusterCatalog
import Testing

@testable import MusterChannels

@Suite struct FailureSignTests {
  struct Sample: Sendable, CustomTestStringConvertible {
    var family: Family
    var output: String
    var status = 1
    var cause: FailureSign.Cause?
    var line: String?

    var testDescription: String { "\(family): \(output.prefix(60))" }
  }

  static let installs = [
    Sample(
      family: .debian,
      output: """
        Err:1 http://deb.debian.org/debian bookworm InRelease
          Temporary failure resolving 'deb.debian.org'
        Reading package lists...
        E: Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease  Temporary failure resolving 'deb.debian.org'
        E: Some index files failed to download. They have been ignored, or old ones used instead.
        """, status: 100, cause: .network, line: "Temporary failure resolving 'deb.debian.org'"),
    Sample(
      family: .debian,
      output:
        "E: Failed to fetch http://m/x  Could not connect to 127.0.0.1:9 (127.0.0.1). - connect (111: Connection refused)",
      status: 100, cause: .network),
    Sample(family: .debian, output: "E: Unable to locate package nonesuch", status: 100, cause: .noSuchPackage),
    Sample(
      family: .debian,
      output: "dpkg: error: cannot write: No space left on device\nE: Failed to fetch x  Could not resolve",
      status: 100, cause: .diskFull),
    Sample(
      family: .debian,
      output: "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 712 (apt-get)", status: 100,
      cause: .locked),
    Sample(
      family: .debian,
      output:
        "W: GPG error: http://m InRelease: The following signatures couldn't be verified: NO_PUBKEY 0E98404D386FA1D9",
      status: 100, cause: .signature),
    Sample(
      family: .debian,
      output: "E: Release file for http://m/InRelease is not valid yet (invalid for another 2d 3h 4min 5s).",
      status: 100,
      cause: .clock),
    Sample(
      family: .fedora,
      output: """
        Errors during downloading metadata for repository 'fedora':
          - Curl error (6): Couldn't resolve host name for https://mirrors.fedoraproject.org/x
        Error: Failed to download metadata for repo 'fedora': Cannot prepare internal mirrorlist
        """, cause: .network,
      line: "- Curl error (6): Couldn't resolve host name for https://mirrors.fedoraproject.org/x"),
    Sample(family: .fedora, output: "Error: Unable to find a match\nNo match for argument: x", cause: .noSuchPackage),
    Sample(family: .suse, output: "", status: 106, cause: .network, line: "zypper: exit status 106"),
    Sample(family: .suse, output: "System management is locked by the application", status: 7, cause: .locked),
    Sample(family: .debian, output: "", status: 4, cause: nil),
    Sample(
      family: .arch, output: "error: failed retrieving file 'core.db' from m : Could not resolve host: m",
      cause: .network),
    Sample(family: .arch, output: "error: x: signature from \"A\" is unknown trust", cause: .signature),
    Sample(family: .arch, output: "error: target not found: nonesuch", cause: .noSuchPackage),
    Sample(
      family: .alpine,
      output: """
        WARNING: fetching https://dl-cdn.alpinelinux.org/x: temporary error (try again later)
        ERROR: unable to select packages:
          nonesuch (no such package):
        """, cause: .network),
    Sample(
      family: .alpine, output: "ERROR: unable to select packages:\n  nonesuch (no such package):", cause: .noSuchPackage
    ),
    Sample(
      family: .alpine,
      output: "WARNING: updating and opening https://repo.example/apk: DNS: transient error (try again later)",
      cause: .network),
    Sample(
      family: .alpine, output: "ERROR: greeter-1.2.0-r0: temporary error (try again later)", cause: .network),
    Sample(
      family: .alpine, output: "ERROR: greeter-1.2.0-r0: remote server returned error (try 'apk update')",
      cause: .network),
    Sample(
      family: .alpine, output: "WARNING: opening /var/lib/muster/apk-1/repository: UNTRUSTED signature",
      cause: .signature),
    Sample(family: .alpine, output: "ERROR: greeter-1.2.0-r0: BAD signature", cause: .signature),
    Sample(family: .alpine, output: "ERROR: greeter-1.2.0-r0: v2 package integrity error", cause: .checksum),
    Sample(
      family: .alpine, output: "ERROR: Unable to lock database: Resource temporarily unavailable", cause: .locked),
    Sample(
      family: .alpine, output: "ERROR: greeter-1.2.0-r0: trying to overwrite usr/bin/greet owned by other-1-r0.",
      cause: .conflict),
    Sample(
      family: .alpine,
      output: "ERROR: unable to select packages:\n  greeter-1.2.0-r0:\n    error: uninstallable\n    arch: aarch64",
      cause: .architecture),
    Sample(
      family: .alpine, output: "ERROR: greeter-1.2.0-r0.post-install: script exited with error 3", cause: .scriptlet),
    Sample(
      family: .alpine, output: "ERROR: lib/apk/exec/greeter-1.2.0-r0.post-install: exited with error 3",
      cause: .scriptlet),
    Sample(
      family: .debian, output: "curl: (22) The requested URL returned error: 503\nError: greeter: Failed to download",
      cause: .network),
    Sample(
      family: .debian,
      output: "Error: Failed to download resource \"greeter\"\nSHA-256 mismatch\nExpected: 00\n  Actual: 11",
      cause: .checksum, line: "SHA-256 mismatch"),
    Sample(
      family: .debian, output: "Error: No available formula with the name \"greeter/tap/gretter\".",
      cause: .noSuchPackage),
    Sample(
      family: .fedora, output: "Error: A `brew install x` process has already locked /home/linuxbrew/x.", cause: .locked
    ),
    Sample(
      family: .fedora, output: "Error: The `brew link` step did not complete successfully", cause: .conflict),
    Sample(
      family: .suse, output: "Warning: The post-install step did not complete successfully", cause: .scriptlet),
    Sample(
      family: .arch, output: "greeter: The x86_64 architecture is required for this software.", cause: .architecture),
    // The address is wrong, or what is there went: the release's.
    Sample(
      family: .debian,
      output: "curl: (22) The requested URL returned error: 404\nError: Download failed: https://g.example/x",
      cause: nil),
    Sample(family: .arch, output: "==> ERROR: One or more files did not pass the validity check!", cause: .checksum),
    Sample(
      family: .fedora,
      output: "OpenPGP check for package \"greeter-1.2.0-1.x86_64\" (/x.rpm) from repo \"muster-1\" has failed: ",
      cause: .signature),
    Sample(
      family: .fedora, output: ">>> Error in post-install scriptlet: greeter-0:1.2.0-1.x86_64", cause: .scriptlet),
    Sample(family: .debian, output: "something else", cause: nil),
  ]

  @Test(arguments: installs)
  func install(sample: Sample) {
    let sign = FailureSign.ofInstall(sample.output, exit: sample.status, family: sample.family)
    #expect(sign?.cause == sample.cause)
    if let line = sample.line { #expect(sign?.line == line) }
  }

  @Test(arguments: [
    "W: Failed to fetch http://deb.debian.org/x  Temporary failure resolving 'deb.debian.org'",
    "E: Failed to fetch http://127.0.0.1:9/x  Could not connect to 127.0.0.1:9 (127.0.0.1). - connect (111: Connection refused)",
    "  - Curl error (7): Couldn't connect to server for http://m/x",
    "WARNING: Retrying (Retry(total=4, connect=None)) after connection broken by 'NewConnectionError(...)': /simple/x/",
    "Download (curl) error for 'http://m/x': Error code: Connection failed",
    "error: failed retrieving file 'core.db' from m : Resolving timed out after 10000 milliseconds",
    "WARNING: fetching https://dl-cdn.alpinelinux.org/x: temporary error (try again later)",
    "WARNING: updating and opening https://m/x: Connection refused",
    "WARNING: updating https://m/x: HTTP 503: Service Unavailable",
    "ERROR: greeter-1.2.0-r0: network error (check Internet connection and firewall)",
  ])
  func mirrors(line: String) {
    #expect(FailureSign.ofUnreachableMirror("before\n\(line)\nafter") == line.drop { $0 == " " }.description)
  }

  /// What a release may print by itself, or a wrong address in the matrix may cause.
  @Test(arguments: [
    "curl: (7) Failed to connect to localhost port 8080 after 0 ms: Connection refused",
    "greeter: connection refused", "Error: could not resolve configuration", "Could not resolve host: db.internal",
    "E: Failed to fetch http://m/x  404  Not Found [IP: 127.0.0.1 80]", "E: Unable to locate package greeter",
    "error: failed retrieving file 'x' from m : The requested URL returned error: 404",
    "  - Status code: 404 for http://m/x",
    "WARNING: updating and opening https://m/x: HTTP 404: Not Found", "WARNING: opening /r: UNTRUSTED signature",
    "ERROR: greeter-1.2.0-r0.post-install: script exited with error 1",
    "ERROR: greeter-1.2.0-r0: v2 package integrity error", "Error: muster/tap/greeter: failed", "SHA-256 mismatch",
    "curl: (22) The requested URL returned error: 404",
  ])
  func noMirrors(line: String) {
    #expect(FailureSign.ofUnreachableMirror(line) == nil)
  }

  @Test func tools() {
    #expect(FailureSign.ofUnreachableHost("curl: (6) Could not resolve host: example.org") != nil)
    #expect(FailureSign.ofUnreachableHost("wget: unable to resolve host address 'example.org'") != nil)
    #expect(FailureSign.ofUnreachableHost("curl: (22) The requested URL returned error: 404") == nil)
    #expect(FailureSign.ofUnreachableHost("curl: (7) Failed to connect to localhost port 80") == nil)
    #expect(FailureSign.ofUnreachableHost("curl: (7) Failed to connect to 127.0.0.1 port 80") == nil)
  }
}
