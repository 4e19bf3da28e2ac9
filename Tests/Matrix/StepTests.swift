import MusterCatalog
import MusterDiagnostics
import Testing

@testable import MusterMatrix

struct StepTests {
  /// The steps of one cell.
  static func steps(_ text: String, distro: String = "{image: debian/12, tags: [old]}") throws -> [Step] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { "      \($0)" }
    return try plan(
      """
      muster: 1
      secrets: [TOKEN]
      env: {A: matrix, B: matrix, C: matrix, D: matrix}
      vars: {version: 1.2.0}
      distros:
        d: \(distro)
      tests:
        t:
          env: {C: test, D: test}
          axes: {locale: [C, tr_TR]}
          verify:
      \(lines.joined(separator: "\n"))
      """
    ).cells[1].resolved().phases.flatMap(\.steps)
  }

  @Test func readsRun() throws {
    let steps = try Self.steps(
      """
      - run: greeter
      - name: greets in ${locale}
        run: |
          greeter
          greeter --again
        shell: bash
        as: nobody
        cwd: /tmp/${locale}
        env: {D: step, E: "${TOKEN}", F: no}
        exit: [0, 64]
        stdout: {equals: "1.0", contains: [a, "${version}"], not-contains: x, matches: '^a\\d$'}
        stderr: {contains: "${TOKEN}"}
        timeout: 1h30m
        retry: {count: 3, delay: 500ms}
      - {run: x, retry: 2, shell: [python3, -u], exit: 3}
      - {run: x, shell: bash -euo pipefail}
      """, distro: "{image: debian/12, env: {B: distro, D: distro}}")
    #expect(
      steps[0].environment == [
        EnvironmentVariable(name: "A", value: "matrix"), EnvironmentVariable(name: "B", value: "distro"),
        EnvironmentVariable(name: "C", value: "test"), EnvironmentVariable(name: "D", value: "test"),
      ])
    #expect(steps[0].action == .run(RunStep(script: "greeter")))
    #expect(steps[0].title == "run greeter")
    #expect(steps[1].title == "greets in tr_TR")
    #expect(steps[1].user == "nobody")
    #expect(steps[1].directory == "/tmp/tr_TR")
    #expect(steps[1].timeout == .seconds(5400))
    #expect(steps[1].retry == Retry(count: 3, delay: .milliseconds(500)))
    #expect(
      steps[1].environment.suffix(3) == [
        EnvironmentVariable(name: "D", value: "step"),
        EnvironmentVariable(name: "E", value: MaskedText(segments: [.secret("TOKEN")])),
        EnvironmentVariable(name: "F", value: "no"),
      ])
    guard case .run(let run) = steps[1].action else {
      Issue.record("no run")
      return
    }
    #expect(run.script == "greeter\ngreeter --again\n")
    #expect(run.shell == ["bash", "-e"])
    #expect(run.exit == [0, 64])
    #expect(run.stdout.map(\.kind) == [.equals, .contains, .contains, .notContains, .matches])
    #expect(run.stdout.map(\.text.description) == ["1.0", "a", "1.2.0", "x", "^a\\d$"])
    #expect(run.stderr.map(\.text.secrets) == [["TOKEN"]])
    #expect(steps[2].action == .run(RunStep(script: "x", shell: ["python3", "-u"], exit: [3])))
    #expect(steps[2].retry == Retry(count: 2, delay: .seconds(1)))
    #expect(steps[3].action == .run(RunStep(script: "x", shell: ["bash", "-euo", "pipefail"])))
  }

  @Test func readsTheOtherActions() throws {
    let steps = try Self.steps(
      """
      - copy: {from: "/abs/${locale}", to: "/${locale}/", mode: 0755, owner: "root:adm"}
      - fetch: /var/log/*.log
      - fetch: {from: /a, to: "kept/${test}", optional: yes}
      - install: curl
      - install: [curl, {debian: [libfuse2, fuse], fedora: fuse-libs}, {debian: , default: x}]
      - install: {default: y}
      - check: {command: jq}
      - check: {file: /etc, type: directory, mode: "0700", owner: root}
      - check: {file: /a, contains: "${TOKEN}", sha256: \(String(repeating: "AB", count: 32))}
      - check: {package: {debian: jq}, version: "${version}"}
      - check: {service: a.socket}
      - check: {service: b, state: disabled}
      - check: {port: 53, transport: udp, open: no}
      - check: {user: greeter, home: /home/g, shell: /bin/sh, groups: [adm, "${test}"]}
      - check: {user: nope, exists: false}
      - check: {process: greeterd}
      - reboot:
      - wait: test -e /ready
        interval: 2s
        timeout: 90s
      """)
    #expect(
      steps.map(\.action) == [
        .copy(CopyStep(from: "/abs/tr_TR", to: "/tr_TR/", mode: 0o755, owner: "root:adm")),
        .fetch(FetchStep(from: "/var/log/*.log")),
        .fetch(FetchStep(from: "/a", to: "kept/t", optional: true)),
        .install(InstallStep(packages: ["curl"])),
        .install(InstallStep(packages: ["curl", "libfuse2", "fuse"])),
        .install(InstallStep(packages: ["y"])),
        .check(.command(name: "jq")),
        .check(.file(FileCheck(path: "/etc", kind: .directory, mode: 0o700, owner: "root"))),
        .check(
          .file(
            FileCheck(
              path: "/a", contains: MaskedText(segments: [.secret("TOKEN")]),
              sha256: String(repeating: "ab", count: 32)))),
        .check(.package(name: "jq", version: "1.2.0")),
        .check(.service(name: "a.socket", state: .active)),
        .check(.service(name: "b", state: .disabled)),
        .check(.port(number: 53, transport: .udp, open: false)),
        .check(.user(UserCheck(name: "greeter", home: "/home/g", shell: "/bin/sh", groups: ["adm", "t"]))),
        .check(.user(UserCheck(name: "nope", exists: false))),
        .check(.process(name: "greeterd", running: true)),
        .reboot,
        .wait(WaitStep(script: "test -e /ready", interval: .seconds(2))),
      ])
    #expect(
      steps.map(\.title) == [
        "copy /abs/tr_TR to /tr_TR/", "fetch /var/log/*.log", "fetch /a", "install curl",
        "install curl libfuse2 fuse", "install y", "check command jq", "check file /etc", "check file /a",
        "check package jq 1.2.0", "check service a.socket is active", "check service b is disabled",
        "check port 53/udp is closed", "check user greeter", "check user nope does not exist",
        "check process greeterd", "reboot", "wait until test -e /ready",
      ])
    #expect(steps.last?.timeout == .seconds(90))
  }

  @Test func shortensTitles() throws {
    let long = String(repeating: "x", count: 200)
    let steps = try Self.steps(
      "- run: |\n\n    first\n    second\n- run: \(long)\n- run: |\n    only\n- run: \"a\\tb ${TOKEN}\"")
    #expect(
      steps.map(\.title) == [
        "run first …", "run \(long.prefix(100)) …", "run only", "run a b ${TOKEN}",
      ])
  }

  @Test(
    arguments: [
      ("family:debian", true), ("family:suse", false), ("not family:suse", true), ("tag:old", true), ("d", true),
      ("t", true), ("t & not d", false), ("[d, not tag:old]", false), ("all", true), ("'d*'", true),
    ] as [(String, Bool)])
  func dropsStepsWhoseConditionDoesNotHold(_ condition: String, _ isKept: Bool) throws {
    let steps = try Self.steps("- {run: x, when: \(condition)}\n- run: y")
    #expect(steps.map(\.title) == (isKept ? ["run x", "run y"] : ["run y"]))
  }

  @Test func splicesListsIntoLists() throws {
    let plan = try plan(
      """
      muster: 1
      distros: {d: {image: arch}}
      tests:
        one: {provision: &both [{run: a}, {run: b}], verify: [run: c]}
        two: {provision: [run: x, *both, [[run: y]]], verify: *both}
      """)
    let phases = plan.cells[1].resolved().phases
    #expect(phases.map { $0.steps.map(\.title) } == [["run x", "run a", "run b", "run y"], ["run a", "run b"]])
  }

  @Test func leavesOutPhasesWithoutSteps() throws {
    let plan = try plan(
      """
      muster: 1
      distros: {a: {image: arch}, d: {image: debian/12}}
      tests: {t: {provision: [{run: x, when: family:debian}], verify: [run: y]}}
      """)
    #expect(plan.cells.map { $0.resolved().phases.map(\.kind) } == [[.verify], [.provision, .verify]])
  }
}
