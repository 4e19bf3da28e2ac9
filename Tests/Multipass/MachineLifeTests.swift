import Glibc
import MusterGuest
import MusterHost
import MusterMachines
import SystemPackage
import Testing

@testable import MusterMultipass

/// Machines of the fake, from their launch to what is done in them.
@Suite(.enabled(FakeMultipass.reason, FakeMultipass.makesMachines), .timeLimit(.minutes(5)))
struct MachineLifeTests {
  @Test func aMachineIsLaunchedUsedAndPurged() async throws {
    try await FakeMultipass.with { fake in
      let request = fake.request("a-test-with-a-name-that-is-much-too-long")
      #expect(request.name.text.count <= 40)
      let machine = try await fake.launch(request)
      #expect(
        try fake.calls.first == [
          "launch", "--name", request.name.text, "--cpus", "2", "--memory", "1073741824B", "--disk", "5368709120B",
          "--cloud-init", "-", "--timeout", "60", "noble",
        ])
      #expect(try fake.states == [request.name.text: "Running"])
      #expect(try fake.inits(of: request.name.text).count == 1)
      let result = try await machine.guest.result("id -u; id -un muster; printf '%s' \"$HOME$PWD$USER\"")
      #expect(result.text == "0\nmuster\n/root/rootroot")
      #expect(try await machine.guest.result("id -un", user: "muster").text == "muster\n")
      #expect(try await fake.backend().machines().map(\.name) == [request.name])
      try await machine.purge()
      #expect(try fake.states.isEmpty)
      #expect(try fake.inits(of: request.name.text).isEmpty)
      #expect(await machine.death() == nil)
      try await machine.purge()
    }
  }

  @Test func theStatusIsTheScriptsOwn() async throws {
    try await FakeMultipass.with { fake in
      let machine = try await fake.launch()
      for status in [0, 1, 2, 3, 5, 127, 137, 255] {
        let result = try await machine.guest.result("printf out; printf err >&2; exit \(status)")
        #expect(result.ending == .exited(status))
        #expect(result.text == "out")
        #expect(result.errorText == "err")
      }
      #expect(try await machine.guest.result("kill -9 $$").ending == .signaled(9))
      // What looks like the client's own words is the script's.
      let told = try await machine.guest.result("echo 'exec failed: instance \"x\" does not exist' >&2; exit 2")
      #expect(told.ending == .exited(2))
    }
  }

  @Test func everyByteArrives() async throws {
    try await FakeMultipass.with { fake in
      let machine = try await fake.launch()
      let odd = (1...127).map { String(UnicodeScalar($0)) }.joined() + "ä€𝄞'\"\\$(x)`y`!\n\n  end\n"
      let result = try await machine.guest.result(
        "printf '%s' \"$ODD\"; printf '%s' '\(odd.replacing("'", with: "'\\''"))' >&2",
        environment: [.init(name: "ODD", value: odd)])
      #expect(result.text == odd)
      #expect(result.errorText == odd)
      #expect(try await machine.guest.result("cat; echo end").text == "end\n")
      let long = try await machine.guest.result("head -c 20000000 /dev/zero; head -c 3000000 /dev/zero >&2")
      #expect(long.stdout.count == 20_000_000)
      #expect(long.stderr.count == 3_000_000)
    }
  }

  @Test func filesGoBothWays() async throws {
    try await FakeMultipass.with { fake in
      let machine = try await fake.launch()
      let (guest, folder) = (machine.guest, fake.folder)
      let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      try FileSystem.createFolder(folder / "tree/sub")
      try FileSystem.createFolder(folder / "tree/empty")
      try FileSystem.write(bytes, to: folder / "tree/sub/it's a file", mode: 0o751)
      try FileSystem.write("x", to: folder / "tree/run", mode: 0o644)
      try await guest.upload(
        folder / "tree/sub/it's a file", to: "/opt/new folder/", mode: nil, owner: nil, deadline: .seconds(60))
      try await guest.upload(
        folder / "tree/run", to: "/opt/new folder/run", mode: 0o4755, owner: "muster", deadline: .seconds(60))
      try await guest.upload(folder / "tree", to: "/srv/", mode: nil, owner: nil, deadline: .seconds(60))
      let listing = try await guest.result(
        """
        cd /opt/new*; stat -c '%a %U %s %n' *; cd /srv/tree; find . | sort
        find /var/tmp /tmp -name 'muster-*' -newer /run/cloud-init/done | grep . || echo nothing is left beside
        """)
      #expect(
        listing.text == """
          751 root 3000000 it's a file
          4755 muster 1 run
          .
          ./empty
          ./run
          ./sub
          ./sub/it's a file
          nothing is left beside

          """)
      let files = try await guest.download("/srv/tr*", into: folder / "out", deadline: .seconds(60))
      #expect(files == ["tree/run", "tree/sub/it's a file"])
      #expect(try FileSystem.read(folder / "out/tree/sub/it's a file") == bytes)
      #expect(try await guest.download("/srv/none*", into: folder / "out", deadline: .seconds(60)) == [])
      await #expect(throws: GuestError.self) {
        try await guest.upload(folder / "tree/run", to: "/srv/tree", mode: nil, owner: nil, deadline: .seconds(60))
      }
    }
  }

  @Test func whatADeadlineEndsIsGone() async throws {
    try await FakeMultipass.with { fake in
      let machine = try await fake.launch()
      let seconds = Int.random(in: 100_000..<900_000)
      let script = "trap '' TERM; sleep \(seconds).1 & (setsid sleep \(seconds).2 &); echo up; wait; sleep \(seconds).3"
      let result = try await machine.guest.result(script, deadline: .milliseconds(800))
      #expect(result.ending == .timedOut)
      #expect(result.text == "up\n")
      #expect(try sleepers(fake, seconds) == [])
      #expect(try await machine.guest.result("echo still here").text == "still here\n")
    }
  }

  @Test func whatACancellationEndsIsGone() async throws {
    try await FakeMultipass.with { fake in
      let machine = try await fake.launch()
      let seconds = Int.random(in: 100_000..<900_000)
      let task = Task { try await machine.guest.result("sleep \(seconds).1 & sleep \(seconds).2", deadline: nil) }
      while try sleepers(fake, seconds).count < 2 { try await Task.sleep(for: .milliseconds(5)) }
      task.cancel()
      await #expect(throws: CancellationError.self) { _ = try await task.value }
      #expect(try sleepers(fake, seconds) == [])
    }
  }

  private func sleepers(_ fake: FakeMultipass, _ seconds: Int) throws -> [Int32] {
    try fake.processes { $0.first == "sleep" && $0.last?.hasPrefix("\(seconds).") == true }
  }

  @Test func theClientGoesWithTheMachine() async throws {
    try await FakeMultipass.with { fake in
      let machine = try await fake.launch()
      // The script ends, and what it left keeps its streams open.
      let result = try await machine.guest.result("sleep 1000000 & echo done")
      #expect(result.text == "done\n")
      try await machine.purge()
      #expect(try fake.processes { $0.contains(machine.name.text) }.isEmpty)
    }
  }

  @Test func aRestartIsAnotherBoot() async throws {
    try await FakeMultipass.with { fake in
      let machine = try await fake.launch()
      let script = "cat /proc/sys/kernel/random/boot_id"
      _ = try await machine.guest.result("echo kept >/etc/kept")
      let before = try await machine.guest.result(script).text
      try await machine.reboot(deadline: .seconds(60))
      #expect(try await machine.guest.result(script).text != before)
      #expect(try await machine.guest.result("cat /etc/kept").text == "kept\n")
      try fake.set(#"{"restart": {"error": "instance is not in the mood"}}"#)
      await #expect(throws: Failure.self) { try await machine.reboot(deadline: .seconds(60)) }
    }
  }

  @Test func aMachineThatStopsByItselfIsDead() async throws {
    try await FakeMultipass.with { fake in
      let machine = try await fake.launch()
      let id = try #require(try fake.inits(of: machine.name.text).first)
      async let death = machine.death()
      kill(id, SIGKILL)
      #expect(await death?.message == "the machine stopped by itself")
      #expect(await machine.death()?.blame == .guest)
    }
  }

  @Test func nobodyWaitsForADeathThatIsCancelled() async throws {
    try await FakeMultipass.with { fake in
      let machine = try await fake.launch()
      let task = Task { await machine.death() }
      task.cancel()
      #expect(await task.value == nil)
    }
  }

  @Test func whatIsKeptIsStopped() async throws {
    try await FakeMultipass.with { fake in
      let machine = try await fake.launch()
      let place = try await machine.keep()
      #expect(place.contains("multipass shell \(machine.name)"))
      #expect(try fake.states == [machine.name.text: "Stopped"])
      #expect(try fake.inits(of: machine.name.text).isEmpty)
      try await fake.backend().purge(fake.relic(machine.name))
      #expect(try fake.states.isEmpty)
    }
  }

  @Test func aLaunchThatFailedIsPurged() async throws {
    let error = "timed out waiting for initialization to complete"
    try await FakeMultipass.with(#"{"launch": {"fail": "\#(error)", "leave": true}}"#) { fake in
      let request = fake.request()
      do {
        _ = try await fake.launch(request)
        Issue.record("it was launched")
      } catch let failure as Failure {
        #expect(failure.message == "multipass launch failed: \(error)")
        #expect(failure.blame == .backend)
        #expect(failure.canPass)
      }
      try await fake.backend().purge(fake.relic(request.name))
      #expect(try fake.count("delete") == 1)
      #expect(try fake.states.isEmpty)
      #expect(try fake.inits(of: request.name.text).isEmpty)
    }
  }

  @Test func aLaunchThatHangsIsEndedAndPurged() async throws {
    try await FakeMultipass.with(#"{"launch": {"hang": true, "ignoreTerm": true, "prepareSeconds": 0.3}}"#) { fake in
      var patience = fake.patience
      patience.launchGrace = .milliseconds(100)
      let request = fake.request(deadline: .milliseconds(500))
      await #expect(throws: Failure.self) { _ = try await fake.launch(request, patience) }
      try await fake.backend().purge(fake.relic(request.name))
      let states = try fake.states
      #expect(states.isEmpty)
    }
  }

  @Test func aMachineThatExecutesNothingIsNone() async throws {
    try await FakeMultipass.with(#"{"exec": {"hang": true}}"#) { fake in
      var patience = fake.patience
      patience.ending = .milliseconds(200)
      let request = fake.request(deadline: .seconds(3))
      do {
        _ = try await fake.launch(request, patience)
        Issue.record("it was launched")
      } catch let failure as Failure {
        #expect(failure.blame == .backend)
        #expect(failure.message.hasPrefix("the machine runs, and executes nothing within"))
      }
      try await fake.backend().purge(fake.relic(request.name))
      let states = try fake.states
      #expect(states.isEmpty)
    }
  }

  @Test func aLaunchThatWasCancelledIsPurged() async throws {
    try await FakeMultipass.with(#"{"launch": {"prepareSeconds": 0.6}}"#) { fake in
      let request = fake.request()
      let task = Task { try await fake.launch(request) }
      try await fake.awaited { $0[request.name.text] == "Preparing" }
      task.cancel()
      await #expect(throws: CancellationError.self) { _ = try await task.value }
      try await fake.backend().purge(fake.relic(request.name))
      #expect(try fake.states.isEmpty)
      #expect(try fake.inits(of: request.name.text).isEmpty)
      #expect(try fake.processes { $0.contains("--daemon-launch") && $0.contains(request.name.text) }.isEmpty)
    }
  }
}
