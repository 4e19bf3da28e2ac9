import MusterGuest
import MusterHost
import MusterMachines
import Synchronization

/// A machine's place on the network that it shares with the other machines of its attempt. No bridge of the host's is needed,
/// and nobody else can come in: the first machine's QEMU is the hub, and the others connect to sockets in its workspace.
struct NetworkPlug: Sendable, Hashable {
  var network: MachineNetwork
  /// Its hardware address, which no other machine has.
  var hardwareAddress: String

  init(_ network: MachineNetwork) {
    self.network = network
    let random = (0..<3).map { _ in UInt8.random(in: .min ... .max) }
    // The range of addresses that QEMU's machines have, and the number that keeps those of one network apart.
    hardwareAddress = (["52", "54"] + (random + [UInt8(network.index)]).map { Self.digits($0) }).joined(separator: ":")
  }

  private static func digits(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

  /// Everybody has the same network: none reaches another.
  var address: String { "192.168.77.\(11 + network.index)" }

  /// QEMU's options.
  var arguments: [String] {
    var list: [String] = []
    if network.index == 0 {
      for other in 1..<network.count {
        list += ["-netdev", "stream,id=peer\(other),server=on,addr.type=unix,addr.path=\(socket(other))"]
        list += ["-netdev", "hubport,id=port\(other),hubid=1,netdev=peer\(other)"]
      }
      list += ["-netdev", "hubport,id=shared,hubid=1"]
    } else {
      list += ["-netdev", "stream,id=shared,server=off,addr.type=unix,addr.path=\(socket(network.index))"]
    }
    return list + ["-device", "virtio-net-pci,netdev=shared,romfile=,mac=\(hardwareAddress)"]
  }

  private func socket(_ index: Int) -> String { "\(network.folder)/peer\(index)" }

  /// Gives the guest its address; again after each restart.
  /// - Throws: `Failure`, `CancellationError`.
  func join(_ guest: any Guest) async throws {
    let said = Mutex<[UInt8]>([])
    let ending: GuestEnding
    do {
      ending = try await guest.run(GuestCommand(script), deadline: .seconds(120)) { _, bytes in
        said.withLock { $0 += bytes }
      }
    } catch let error as GuestError {
      throw Failure(.guest, "the guest cannot join the network of its test: \(error.message)")
    }
    guard ending == .exited(0) else {
      throw Failure(
        .guest, "the guest cannot join the network of its test",
        evidence: String(decoding: said.withLock { $0 }, as: UTF8.self).split(separator: "\n").suffix(5).map(
          String.init))
    }
  }

  private var script: String {
    """
    interface=
    for folder in /sys/class/net/*; do
      if test "$(cat "$folder/address")" = \(hardwareAddress); then interface=${folder##*/}; fi
    done
    if test -z "$interface"; then
      echo 'there is no interface with the address \(hardwareAddress)' >&2
      exit 1
    fi
    if command -v nmcli >/dev/null; then nmcli device set "$interface" managed no || :; fi
    ip link set "$interface" up
    ip address replace \(address)/24 dev "$interface"
    """
  }
}
