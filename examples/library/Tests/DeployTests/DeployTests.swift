import MusterKit
import Testing

/// Tests of a deployment, each on a machine of its own. They run in parallel, and so may several `swift test` at once.
@Suite struct DeployTests {
  /// A small Debian that is built from packages at its first use. `"debian/12"` would download Debian's own cloud image.
  static let debian = MachineImage.debootstrap("bookworm", packages: ["python3"])

  static var options: MachineOptions {
    var options = MachineOptions()
    options.memory = 1 << 30
    options.disk = 4 << 30
    return options
  }

  @Test func serviceSurvivesARestart() async throws {
    try await withMachine(Self.debian, prefix: "deploy-test", options: Self.options) { machine in
      let unit = """
        [Service]
        ExecStart=/usr/bin/python3 -m http.server 8000 --directory /srv
        [Install]
        WantedBy=multi-user.target
        """
      try await machine.run(
        "cat >/etc/systemd/system/site.service <<'END'\n\(unit)\nEND\nsystemctl enable --now site")
      try await machine.reboot()
      let page = try await machine.run(
        """
        python3 - <<'END'
        import time, urllib.request
        for attempt in range(60):
            try:
                print(urllib.request.urlopen("http://127.0.0.1:8000/").status)
                break
            except OSError:
                time.sleep(1)
        END
        """)
      #expect(page.standardOutput == "200")
    }
  }

  @Test func theScriptRefusesASecondInstallation() async throws {
    try await withMachine(Self.debian, prefix: "deploy-test", options: Self.options) { machine in
      let script = "test ! -e /opt/site || { echo 'already there' >&2; exit 1; }\nmkdir /opt/site"
      try await machine.run(script)
      let second = try await machine.run(script, checked: false)
      #expect(second.ending == .exited(1))
      #expect(second.standardError == "already there")
    }
  }
}
