import MusterGuest
import MusterHost
import MusterTestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct GuestPreparationTests {
  let identity = GuestIdentity(
    privateKeyPath: "/k", publicKey: "ssh-ed25519 AAAA \"odd\\", hostPrivateKey: "-----BEGIN\nabc\n-----END\n",
    hostPublicKey: "ssh-ed25519 BBBB muster", knownHostsPath: "/known")
  var preparation: GuestPreparation { GuestPreparation(identity: identity, hostName: "muster-x") }

  @Test func namesTheInstance() {
    #expect(preparation.metaData(instance: "i-1") == "instance-id: \"i-1\"\nlocal-hostname: \"muster-x\"\n")
  }

  @Test func givesCloudInitKeysAndSettings() {
    let text = preparation.userData
    #expect(text.hasPrefix("#cloud-config\n"))
    #expect(text.contains("\ndisable_root: false\n"))
    #expect(text.contains("\nssh_pwauth: false\n"))
    #expect(text.contains("      - \"ssh-ed25519 AAAA \\\"odd\\\\\"\n"))
    #expect(text.contains("  ed25519_private: |\n    -----BEGIN\n    abc\n    -----END\n  ed25519_public"))
    #expect(text.contains("ln -sf /dev/null"))
    #expect(text.split(separator: "\n").allSatisfy { !$0.hasSuffix(" ") })
  }

  @Test func aManagersOwnUserStays() {
    let text = GuestPreparation.managedUserData
    #expect(text.hasPrefix("#cloud-config\n"))
    #expect(text.contains("\nusers:\n  - default\n  - name: muster\n    gecos: Muster\n"))
    #expect(text.contains("\nwrite_files:\n  - path: /etc/apt/apt.conf.d/99-muster\n    permissions: \"0644\"\n"))
    #expect(text.contains("\n    content: |\n      APT::Periodic::Enable \"0\";\n"))
    #expect(text.contains("\nbootcmd:\n  - - sh\n    - -c\n    - |\n      if command -v systemctl"))
    #expect(!text.contains("ssh"))
    #expect(text.split(separator: "\n").allSatisfy { !$0.hasSuffix(" ") })
  }

  /// The commands of a boot, run for real on copies of the files they change.
  @Test func theBootCommandsPutTheSettingsFirst() async throws {
    let folder = try TestFolder()
    try FileSystem.write("Subsystem sftp internal-sftp\nPermitRootLogin no\n", to: folder / "sshd_config")
    try FileSystem.write("root:!locked:1:2\nother:!:1\n", to: folder / "shadow")
    let lines = preparation.userData.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex(of: "    - |"))
    let script = lines[(start + 1)...].map { $0.dropFirst(6) }.joined(separator: "\n")
      .replacing("/etc/ssh/sshd_config", with: folder / "sshd_config")
      .replacing("/etc/shadow", with: folder / "shadow")
      .replacing("command -v systemctl", with: "false")
    for _ in 0..<2 {
      let output = try await HostCommand("sh", ["-c", script]).run()
      #expect(output.ending.isSuccess && output.stderr.isEmpty)
    }
    let settings = try FileSystem.readText(folder / "sshd_config").split(separator: "\n")
    #expect(settings.prefix(2) == ["# muster", "PermitRootLogin prohibit-password"])
    #expect(settings.suffix(2) == ["Subsystem sftp internal-sftp", "PermitRootLogin no"])
    #expect(settings.count { $0 == "# muster" } == 1)
    #expect(try FileSystem.readText(folder / "shadow") == "root:*:1:2\nother:!:1\n")
  }

  @Test func readinessIsJudgedByCloudInit() async throws {
    let folder = try TestFolder()
    func ready(status: Int) async throws -> ProcessOutput {
      let fake = "#!/bin/sh\n[ \"$2\" = --wait ] || echo 'status: error'\nexit \(status)\n"
      try FileSystem.write(fake, to: folder / "cloud-init", mode: 0o755)
      return try await HostCommand(
        "sh", ["-c", GuestPreparation.readinessScript], environment: ["PATH": "\(folder.path):/usr/bin:/bin"]
      ).run()
    }
    #expect(try await ready(status: 0).ending == .exited(0))
    #expect(try await ready(status: 2).ending == .exited(0))
    let failed = try await ready(status: 1)
    #expect(failed.ending == .exited(1))
    #expect(failed.text.hasPrefix("cloud-init status --wait ended with 1\nstatus: error"))
  }

  @Test func givesABuiltImageKeysAndUnits() async throws {
    let files = Dictionary(uniqueKeysWithValues: preparation.files.map { ($0.path, $0) })
    #expect(files["/root/.ssh/authorized_keys"]?.content == "ssh-ed25519 AAAA \"odd\\\n")
    #expect(files["/etc/ssh/ssh_host_ed25519_key"]?.mode == 0o600)
    #expect(files["/etc/hostname"]?.content == "muster-x\n")
    let syntax = try await HostCommand("sh", ["-n"], input: Array(GuestPreparation.buildScript().utf8)).run()
    #expect(syntax.ending.isSuccess)
  }
}
