import MusterGuest
import MusterHost
import MusterTestSupport
import SystemPackage
import Testing

@Suite(.timeLimit(.minutes(2))) struct GuestIdentityTests {
  let folder: TestFolder

  init() throws {
    folder = try TestFolder()
  }

  @Test func isMadeOnceAndStays() async throws {
    let first = try await GuestIdentity.load(in: folder / "cache/identity")
    #expect(first.publicKey.hasPrefix("ssh-ed25519 "))
    #expect(first.hostPrivateKey.hasPrefix("-----BEGIN OPENSSH PRIVATE KEY-----\n"))
    #expect(try FileSystem.readText(first.knownHostsPath) == "muster-guest \(first.hostPublicKey)\n")
    #expect(try FileSystem.information(first.privateKeyPath)?.permissions.rawValue == 0o600)
    #expect(try FileSystem.information(folder / "cache/identity")?.permissions.rawValue == 0o700)
    #expect(try await GuestIdentity.load(in: folder / "cache/identity") == first)
  }

  @Test func manyAtOnceAgree() async throws {
    let path = folder / "identity"
    let keys = try await withThrowingTaskGroup(of: GuestIdentity.self) { group in
      for _ in 0..<6 { group.addTask { try await GuestIdentity.load(in: path) } }
      return try await group.reduce(into: Set<GuestIdentity>()) { $0.insert($1) }
    }
    #expect(keys.count == 1)
    #expect(try FileSystem.names(in: folder.path) == ["identity"])
  }

  @Test func mendsTheModeOfAKey() async throws {
    let identity = try await GuestIdentity.load(in: folder / "identity")
    try FileSystem.setMode(0o644, of: identity.privateKeyPath)
    _ = try await GuestIdentity.load(in: folder / "identity")
    #expect(try FileSystem.information(identity.privateKeyPath)?.permissions.rawValue == 0o600)
  }

  @Test func saysWhatIsDamaged() async throws {
    let identity = try await GuestIdentity.load(in: folder / "identity")
    try FileSystem.remove(identity.knownHostsPath)
    let error = await #expect(throws: Failure.self) { try await GuestIdentity.load(in: folder / "identity") }
    #expect(error?.message.contains("known_hosts' is missing") == true)
    #expect(error?.hint?.contains(folder / "identity") == true)
  }
}
