import MusterGuest
import MusterHost
import MusterTestSupport
import Synchronization
import Testing

/// A client whose machine is this host itself.
private func hostClient(_ folder: TestFolder) -> GuestClient {
  GuestClient(
    write: { path in HostCommand("sh", ["-c", "cat >\"$1\"", "sh", path]) },
    execute: { words in HostCommand("setsid", ["-w"] + words) })
}

@Suite(.timeLimit(.minutes(5))) struct ClientGuestTests {
  private func result(_ guest: ClientGuest, _ script: String) async throws -> (GuestEnding, String, String) {
    let streams = Mutex<[GuestStream: [UInt8]]>([:])
    let ending = try await guest.run(GuestCommand(script), deadline: .seconds(60)) { stream, bytes in
      streams.withLock { $0[stream, default: []] += bytes }
    }
    let kept = streams.withLock { $0 }
    let text = { (stream: GuestStream) in String(decoding: kept[stream] ?? [], as: UTF8.self) }
    return (ending, text(.stdout), text(.stderr))
  }

  @Test func theStatusIsTheScriptsWhateverTheClientEndsWith() async throws {
    let folder = try TestFolder()
    var client = hostClient(folder)
    let execute = client.execute
    client.execute = { words in
      let command = execute(words)
      return HostCommand("sh", ["-c", "\"$@\"; exit 2", "sh", command.executable] + command.arguments)
    }
    let losses = Mutex(0)
    let guest = ClientGuest(client) { losses.withLock { $0 += 1 } }
    for status in [0, 1, 2, 5, 255] {
      #expect(try await result(guest, "printf out; printf err >&2; exit \(status)") == (.exited(status), "out", "err"))
    }
    #expect(await guest.probe(deadline: .seconds(60)) == nil)
    await guest.close()
    #expect(losses.withLock { $0 } == 0)
  }

  @Test func nothingIsLeftBeside() async throws {
    let folder = try TestFolder()
    let paths = Mutex<[String]>([])
    var client = hostClient(folder)
    let write = client.write
    client.write = { path in
      paths.withLock { $0.append(path) }
      return write(path)
    }
    let guest = ClientGuest(client)
    _ = try await result(guest, "true")
    try FileSystem.write([UInt8](repeating: 7, count: 3_000_000), to: folder / "file")
    try await guest.upload(folder / "file", to: folder / "in/", mode: 0o600, owner: nil, deadline: .seconds(60))
    #expect(try FileSystem.read(folder / "in/file").count == 3_000_000)
    #expect(paths.withLock { $0.count } == 2)
    for path in paths.withLock({ $0 }) { #expect(!FileSystem.exists(path)) }
  }

  @Test func aClientThatFailsIsNoVerdict() async throws {
    let folder = try TestFolder()
    let losses = Mutex(0)
    var client = hostClient(folder)
    client.write = { _ in HostCommand("sh", ["-c", "cat >/dev/null"]) }
    client.execute = { _ in HostCommand("sh", ["-c", "echo 'exec failed: instance \"x\" does not exist' >&2; exit 2"]) }
    let guest = ClientGuest(client) { losses.withLock { $0 += 1 } }
    await #expect(
      throws: GuestError(.unreachable, "the machine cannot be reached: exec failed: instance \"x\" does not exist")
    ) {
      _ = try await result(guest, "true")
    }
    client.write = { _ in HostCommand("sh", ["-c", "echo 'no room' >&2; exit 1"]) }
    let other = ClientGuest(client) { losses.withLock { $0 += 1 } }
    await #expect(throws: GuestError(.unreachable, "the machine takes no file: no room")) {
      _ = try await result(other, "true")
    }
    #expect(losses.withLock { $0 } == 2)
  }

  /// A file of which a part is missing is never executed.
  @Test func halfAJobDoesNothing() async throws {
    let folder = try TestFolder()
    var client = hostClient(folder)
    client.write = { path in HostCommand("sh", ["-c", "head -c 900 >\"$1\"", "sh", path]) }
    let guest = ClientGuest(client)
    await #expect(throws: GuestError.self) { _ = try await result(guest, "touch \(folder / "done")") }
    #expect(!FileSystem.exists(folder / "done"))
  }
}
