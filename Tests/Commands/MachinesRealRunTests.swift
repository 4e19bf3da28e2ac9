import MusterHost
import MusterTestManagers
import MusterTestSupport
import Testing

/// Several machines in one test, real ones: they reach each other by name and by address, also after a restart, and none is
/// left.
@Suite(.serialized) struct MachinesRealRunTests {
  @Test func reachEachOther() async throws {
    let scratch = try Scratch()
    let disk = try await TestCache.tinyDisk()
    let matrix = try scratch.write(
      "matrix.yaml",
      """
      muster: 1
      resources: {cpus: 1, memory: 256M, disk: 256M}
      distros:
        tiny: {image: {path: '\(disk)'}, family: debian}
      tests:
        cluster:
          distros: all
          machines: {primary: {}, secondary: {resources: {memory: 320M}}, third: {}}
          provision:
            - run: echo "I am one of ${test}" >/tmp/who
          verify:
            - {run: cat /tmp/who, stdout: {equals: I am one of cluster}}
            - machine: primary
              run: mkdir /tmp/www && echo hello >/tmp/www/page && busybox httpd -p 8000 -h /tmp/www
            - {machine: secondary, run: "ping -c 1 ${primary.address}"}
            - {machine: secondary, run: "wget -q -O - http://primary:8000/page", stdout: {equals: hello}}
            - {machine: third, run: "wget -q -O - http://${primary.address}:8000/page", stdout: {equals: hello}}
            - {machine: third, run: ping -c 1 secondary}
            - {machine: secondary, run: cat /sys/class/net/*/address | sort | uniq -d}
            - {machine: secondary, reboot: }
            - {machine: primary, run: ping -c 1 secondary}
            - {machine: secondary, fetch: /etc/hosts}
      """)
    let output = "\(scratch.path)/out"
    let run = try await MusterProcess().run([
      "run", matrix, "--output", output, "--cache", TestCache.folder, "--state", scratch.path, "--lock-file",
      "\(scratch.path)/lock",
    ])
    #expect(run.ending == .exited(0), "\(run.text)\n\(run.errorText)")
    let summary = try JSON(file: "\(output)/summary.json")
    #expect(summary["machines"]["launched"].int == 3)
    #expect(summary["machines"]["left"].int == 0)
    let hosts = try FileSystem.readText("\(output)/cells/cluster-tiny/attempt-1/secondary/artifacts/hosts")
    #expect(hosts.contains("primary") && hosts.contains("third"))
    #expect(FileSystem.isFile("\(output)/cells/cluster-tiny/attempt-1/third/console.log"))
    let machines = try FileSystem.names(in: "/proc").compactMap { try? FileSystem.readText("/proc/\($0)/cmdline") }
    #expect(!machines.contains { $0.contains("muster-cluster-") })
  }

  /// Containers of a LXD, which has a network of its own.
  @Test(.enabled(Comment(rawValue: LXDServer.reason), LXDServer.works))
  func reachEachOtherOnLXD() async throws {
    let server = try await LXDServer.shared()
    let scratch = try Scratch()
    let matrix = try scratch.write(
      "matrix.yaml",
      """
      muster: 1
      backends: {lxd: {instance: container}}
      resources: {cpus: 1, memory: 256M, disk: 2G}
      distros:
        debian-12: {image: {debootstrap: bookworm}}
      tests:
        cluster:
          distros: all
          machines: {primary: {}, secondary: {}}
          verify:
            - machine: primary
              run: |
                cat >/root/serve <<'END'
                $s = IO::Socket::INET->new(LocalPort => 8000, Listen => 5, ReuseAddr => 1) or die $!;
                while ($c = $s->accept) { print $c "hello"; close $c }
                END
                systemd-run --quiet perl -MIO::Socket::INET /root/serve
            - {machine: primary, wait: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/8000'"}
            - {machine: secondary, run: "bash -c 'cat </dev/tcp/primary/8000'", stdout: {equals: hello}}
            - {machine: secondary, reboot: }
            - {machine: secondary, run: "bash -c 'cat </dev/tcp/${primary.address}/8000'", stdout: {equals: hello}}
      """)
    let run = try await MusterProcess(environment: server.environment).run([
      "run", matrix, "--backend", "lxd", "--output", "\(scratch.path)/out", "--cache", TestCache.folder, "--state",
      scratch.path, "--lock-file", "\(scratch.path)/lock",
    ])
    #expect(run.ending == .exited(0), "\(run.text)\n\(run.errorText)")
    let summary = try JSON(file: "\(scratch.path)/out/summary.json")
    #expect(summary["machines"]["launched"].int == 2 && summary["machines"]["left"].int == 0)
    #expect(try await server.names() == [])
  }

  /// One step in one machine fails: all end, and the logs of all are there.
  @Test func oneFails() async throws {
    let scratch = try Scratch()
    let disk = try await TestCache.tinyDisk()
    let matrix = try scratch.write(
      "matrix.yaml",
      """
      muster: 1
      resources: {cpus: 1, memory: 256M, disk: 256M}
      distros:
        tiny: {image: {path: '\(disk)'}, family: debian}
      tests:
        cluster:
          distros: all
          machines: {primary: {}, secondary: {}}
          verify:
            - {machine: secondary, run: "false"}
      """)
    let output = "\(scratch.path)/out"
    let run = try await MusterProcess().run([
      "run", matrix, "--output", output, "--cache", TestCache.folder, "--state", scratch.path, "--lock-file",
      "\(scratch.path)/lock",
    ])
    #expect(run.ending == .exited(1), "\(run.text)\n\(run.errorText)")
    #expect(run.text.contains("run false (secondary)"), "\(run.text)")
    #expect(try JSON(file: "\(output)/summary.json")["machines"]["left"].int == 0)
    for name in ["primary", "secondary"] {
      #expect(FileSystem.isFile("\(output)/cells/cluster-tiny/attempt-1/\(name)/console.log"))
    }
  }
}
