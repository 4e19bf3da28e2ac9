import MusterCatalog
import MusterGuest
import MusterHost
import Testing

@testable import MusterImages

struct BuildRecipeTests {
  private func recipe(_ debootstrap: Debootstrap, cpu: CPU = .x86_64, key: String = "ssh-ed25519 A") -> BuildRecipe {
    let identity = GuestIdentity(
      privateKeyPath: "/k", publicKey: key, hostPrivateKey: "h", hostPublicKey: "p", knownHostsPath: "/h")
    return BuildRecipe(debootstrap: debootstrap, cpu: cpu, preparation: GuestPreparation(identity: identity))
  }

  @Test func debianHasUpdatesAndSecurity() {
    let recipe = recipe(Debootstrap(suite: "bookworm", packages: ["jq"]))
    let keys = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    #expect(
      recipe.sources == [
        "deb \(keys) http://deb.debian.org/debian bookworm main",
        "deb \(keys) http://deb.debian.org/debian bookworm-updates main",
        "deb \(keys) http://deb.debian.org/debian-security bookworm-security main",
      ])
    #expect(recipe.packages.contains("linux-image-cloud-amd64"))
    #expect(recipe.packages.last == "jq")
    #expect(recipe.keyring?.package == "debian-archive-keyring")
    #expect(recipe.command(isRoot: true).arguments.contains("--mode=root"))
    #expect(recipe.command(isRoot: false).arguments.contains("--mode=unshare"))
  }

  @Test func ubuntuHasItsOwnMirrorsAndKernel() {
    let recipe = recipe(Debootstrap(suite: "noble", components: ["main", "universe"]), cpu: .arm64)
    #expect(recipe.sources.first?.hasSuffix("] http://ports.ubuntu.com/ubuntu-ports noble main universe") == true)
    #expect(recipe.packages.contains("linux-image-virtual"))
    #expect(recipe.keyring?.package == "ubuntu-keyring")
    #expect(BuildRecipe.kernelArguments(.arm64).contains("console=ttyAMA0"))
  }

  @Test func mirrorOfOnesOwnIsAskedAlone() {
    let recipe = recipe(Debootstrap(suite: "bookworm", mirror: "http://127.0.0.1/debian"))
    #expect(recipe.sources == ["deb http://127.0.0.1/debian bookworm main"])
    #expect(recipe.keyring == nil)
  }

  @Test func whatMakesAnotherImageMakesAnotherKey() async throws {
    let plain = recipe(Debootstrap(suite: "bookworm"))
    let key = try await plain.key()
    let same = try await recipe(Debootstrap(suite: "bookworm")).key()
    #expect(key == same)
    let others = [
      recipe(Debootstrap(suite: "trixie")), recipe(Debootstrap(suite: "bookworm", packages: ["jq"])),
      recipe(Debootstrap(suite: "bookworm", mirror: "http://a")), recipe(Debootstrap(suite: "bookworm"), cpu: .arm64),
      recipe(Debootstrap(suite: "bookworm"), key: "ssh-ed25519 B"),
    ]
    var keys: Set = [key]
    for other in others { keys.insert(try await other.key()) }
    #expect(keys.count == others.count + 1)
  }

  @Test(arguments: [
    (["E: Unable to locate package jqq"], Blame.matrix, false),
    (
      ["W: GPG error: … NO_PUBKEY 0E98404D386FA1D9", "E: The repository 'http://a bookworm InRelease' is not signed."],
      .host, false
    ),
    (
      [
        "Err:1 http://deb.debian.org/debian bookwurm Release", "  404  Not Found [IP: 1.2.3.4 80]",
        "E: The repository 'http://deb.debian.org/debian bookwurm Release' does not have a Release file.",
      ], .matrix, false
    ),
    (
      [
        "Err:1 http://127.0.0.1:9 bookworm InRelease",
        "  Could not connect to 127.0.0.1:9 (127.0.0.1). - connect (111: Connection refused)",
        "E: The repository 'http://127.0.0.1:9 bookworm Release' does not have a Release file.",
      ], .mirror, true
    ),
    (
      [
        "Err:1 http://a/debiax bookworm InRelease", "  403  Forbidden [IP: 1.2.3.4 80]",
        "E: The repository 'http://a/debiax bookworm InRelease' is not signed.",
      ], .matrix, false
    ),
    (["E: Failed to fetch http://a/b.deb  Hash Sum mismatch"], .mirror, true),
    (["tar: write error: No space left on device", "E: Failed to fetch x"], .host, false),
    (["E: unshare syscall failed: Operation not permitted"], .host, false),
    (["E: Sub-process /usr/bin/dpkg returned an error code (1)"], .image, false),
  ])
  func lastWordsTellWhoseFaultItIs(lines: [String], blame: Blame, canPass: Bool) {
    let failure = BuildFailure.failure(recipe(Debootstrap(suite: "bookworm")), .exited(25), ["I: going"] + lines)
    #expect(failure.blame == blame)
    #expect(failure.canPass == canPass)
    #expect(failure.message.hasPrefix("cannot build bookworm for x86_64: "))
    #expect(failure.evidence == lines)
  }

  @Test func rangesOfUsersAreRead() {
    let text = "alice:100000:65536\nbob:165536:1000\n"
    #expect(UserNamespace.hasRange(text, user: "alice"))
    #expect(!UserNamespace.hasRange(text, user: "bob"))
    #expect(!UserNamespace.hasRange("", user: "alice"))
    #expect(UserNamespace.freeRange(text) == 166_536)
    #expect(UserNamespace.freeRange("") == 100_000)
  }
}
