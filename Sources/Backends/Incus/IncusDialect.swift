import MusterManagers

/// What differs between Incus and LXD, which Incus was forked from: all that Muster asks of them is the same but for names.
package struct IncusDialect: Sendable, Hashable {
  /// The name of the backend.
  package var name: String
  package var title: String
  /// The client.
  package var tool: String
  /// What the names of its environment variables begin with.
  var variables: String
  /// How it is installed, as a hint.
  var installation: @Sendable () -> String
  var update: String
  /// What gives a new installation its storage and its network.
  var initialization: String
  /// What starts its daemon on a host with systemd.
  var start: String
  /// The group whose members may use its socket.
  var group: String
  /// Where images of Ubuntu are, by version.
  var ubuntu: @Sendable (_ version: String) -> String

  package static let incus = IncusDialect(
    name: "incus", title: "Incus", tool: "incus", variables: "INCUS",
    installation: { "install it as linuxcontainers.org/incus says (a package of Debian 13 and Ubuntu 24.04)" },
    update: "sudo apt-get install --only-upgrade incus", initialization: "sudo incus admin init --auto",
    start: "sudo systemctl start incus", group: "incus-admin"
  ) { "images:ubuntu/\($0)/cloud" }

  package static let lxd = IncusDialect(
    name: "lxd", title: "LXD", tool: "lxc", variables: "LXD", installation: { LinuxPackage.snap("lxd") },
    update: "sudo snap refresh lxd", initialization: "sudo lxd init --auto",
    start: "sudo snap start lxd' or 'sudo systemctl start lxd", group: "lxd"
  ) { "ubuntu:\($0)" }

  package static func == (left: IncusDialect, right: IncusDialect) -> Bool { left.name == right.name }
  package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
