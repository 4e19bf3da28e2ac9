import MusterGuest
import MusterHost
import Synchronization

extension Machine {
  /// What a backend whose machines share a network need not tell: the machine itself knows.
  package func address() async throws -> String {
    let words = Mutex<[UInt8]>([])
    let command = GuestCommand(
      """
      found=$(ip -4 route get 192.0.2.1 2>/dev/null | sed -n 's/.* src \\([0-9.]*\\).*/\\1/p')
      test -n "$found" || found=$(ip -4 -o address show scope global | sed -n 's|.* inet \\([0-9.]*\\)/.*|\\1|p')
      echo "$found" | head -n 1
      """, shell: ["sh"])
    do {
      _ = try await guest.run(command, deadline: .seconds(120)) { stream, bytes in
        if stream == .stdout { words.withLock { $0 += bytes } }
      }
    } catch let error as GuestError {
      throw await trouble(after: error) ?? Failure(.guest, "'\(name)' does not tell its address: \(error.message)")
    }
    let text = words.withLock { String(decoding: $0.filter { $0 != 0x0A }, as: UTF8.self) }
    guard !text.isEmpty else {
      throw Failure(
        .backend, "'\(name)' has no address that others could reach it at",
        hint: "look at the network that the backend gives its machines, or take another backend")
    }
    return text
  }
}
