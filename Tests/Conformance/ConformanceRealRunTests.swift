import MusterGuest
import MusterHost
import MusterMachines
import MusterTestSupport
import Testing

/// What every backend does alike, whatever its machines are made of.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ConformanceRealRunTests {
  private func run(_ subject: Subject, _ body: (Site) async throws -> Void) async throws {
    if let obstacle = await subject.obstacle() { try Test.cancel("\(obstacle)") }
    try await subject.with(body)
  }

  @Test(arguments: Subject.all) func launchesListsAndPurges(_ subject: Subject) async throws {
    try await run(subject) { site in
      #expect(await site.backend.status().problem == nil)
      #expect(site.backend.supports(site.request.image))
      var others: Set = ["muster-of-somebody"]
      if site.tellsOwnByMore {
        others.insert(MachineName(test: "alike", seconds: 1, processID: 2, limit: site.backend.nameLimit).text)
      }
      for other in others { try await site.makeOther?(other) }
      let request = try site.newRequest("a-test-with-a-name-that-is-much-too-long-for-any-of-them")
      #expect(request.name.text.count <= site.backend.nameLimit)
      #expect(try await !site.isListed(request.name))
      let told = Told()
      let machine = try await site.backend.launch(request) { told.append($0) }
      #expect(machine.name == request.name)
      #expect(!told.lines.isEmpty)
      // Ready for its first step at once, and as large as it was asked for.
      let facts = try await machine.guest.result(
        "id -u; nproc; sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")
      let lines = facts.text.split(separator: "\n")
      try #require(lines.count == 3, "\(facts.text)\(facts.errorText)")
      #expect(lines[0] == "0")
      #expect(lines[1] == "\(request.cpus)")
      let memory = try #require(Int64(lines[2])) << 10
      #expect(memory > request.memory * 6 / 10 && memory <= request.memory)
      if let diskSize = site.diskSize {
        #expect(try await machine.guest.result(diskSize).text == "\(request.disk)\n")
      }
      let listed = try await site.backend.machines()
      #expect(listed.contains { $0.name == request.name && $0.backend == site.backend.name })
      #expect(!listed.contains { others.contains($0.name.text) })
      // Once by the machine, once more by it, and by what a dead run leaves.
      try await machine.purge()
      #expect(try await !site.isListed(request.name))
      #expect(await machine.death() == nil)
      try await machine.purge()
      try await site.backend.purge(site.relic(request))
      #expect(!FileSystem.exists(request.workspace))
    }
  }

  /// What is left of a machine whose run is dead is ended by its name and its folder alone.
  @Test(arguments: Subject.all) func purgesWhatWasLeft(_ subject: Subject) async throws {
    try await run(subject) { site in
      let request = try site.newRequest("left")
      let relic = site.relic(request)
      // One that never came to be.
      try await site.backend.purge(relic)
      #expect(!FileSystem.exists(request.workspace))
      // One whose launch nobody waits for any more.
      let hasty = try site.newRequest("hasty")
      let told = Told()
      let launch = Task {
        defer { told.append("over") }
        return try await site.backend.launch(hasty) { told.append($0) }
      }
      // The second comes when the backend is at it: the first is told before it is asked.
      await told.lines(2)
      launch.cancel()
      _ = try? await launch.value
      try await site.backend.purge(site.relic(hasty))
      #expect(try await !site.isListed(hasty.name))
      #expect(!FileSystem.exists(hasty.workspace))
    }
  }

  @Test(arguments: Subject.all) func executes(_ subject: Subject) async throws {
    try await run(subject) { site in
      try await site.withMachine("executes") { machine in
        let guest = machine.guest
        // The status is the script's own, whatever the manager's client says with the same one.
        for status in [0, 1, 2, 5, 69, 126, 127, 137, 255] {
          let result = try await guest.result("printf out; printf err >&2; exit \(status)")
          #expect(result.ending == .exited(status))
          #expect(result.text == "out")
          #expect(result.errorText == "err")
        }
        #expect(try await guest.result("kill -9 $$").ending == .signaled(9))
        let told = try await guest.result("echo 'exec failed: instance does not exist' >&2; exit 2")
        #expect(told.ending == .exited(2))
        // Standard input is empty.
        #expect(try await guest.result("cat; echo end").text == "end\n")
        let large = try await guest.result("head -c 5000000 /dev/zero; head -c 1000000 /dev/zero >&2", deadline: nil)
        #expect(large.stdout.count == 5_000_000)
        #expect(large.stderr.count == 1_000_000)
        #expect(try await guest.result("pwd", directory: "/etc").text == "/etc\n")
        await #expect(throws: GuestError.self) { try await guest.result("true", directory: "/no/such/folder") }
        await #expect(throws: GuestError.self) { try await guest.result("true", user: "no-such-user") }
        if site.hasPlainUser {
          #expect(try await guest.result("id -un; echo $HOME", user: "muster").text == "muster\n/home/muster\n")
        }
      }
    }
  }

  @Test(arguments: Subject.all) func everyByteArrives(_ subject: Subject) async throws {
    try await run(subject) { site in
      try await site.withMachine("bytes") { machine in
        let odd = (1...127).map { String(UnicodeScalar($0)) }.joined() + "ä€𝄞'\"\\$(x)`y`!*?\n\n  -n end\n"
        let result = try await machine.guest.result(
          "printf '%s' \"$ODD\"; printf '%s' '\(odd.replacing("'", with: "'\\''"))' >&2",
          environment: [.init(name: "ODD", value: odd)])
        #expect(result.text == odd)
        #expect(result.errorText == odd)
        // Those too that are no text, and what looks like the markers of Muster's own.
        let octal = (0...255).map { byte in
          let digits = String(byte, radix: 8)
          return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
        let all = try await machine.guest.result("printf '\(octal.joined())'; printf '\\036muster:1:end\\n'")
        #expect(all.stdout == (0...255).map { UInt8($0) } + Array("\u{1E}muster:1:end\n".utf8))
      }
    }
  }

  @Test(arguments: Subject.all) func copiesBothWays(_ subject: Subject) async throws {
    try await run(subject) { site in
      try await site.withMachine("copies") { machine in
        let (guest, tree) = (machine.guest, "\(site.folder)/tree")
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let odd = "-it's a \"file\"; $(x) ä"
        try FileSystem.createFolder("\(tree)/sub")
        try FileSystem.createFolder("\(tree)/empty")
        try FileSystem.write(bytes, to: "\(tree)/sub/\(odd)", mode: 0o751)
        try FileSystem.write("x", to: "\(tree)/run", mode: 0o644)
        let minute = Duration.seconds(60)
        try await guest.upload("\(tree)/sub/\(odd)", to: "/new folder/", mode: nil, owner: nil, deadline: minute)
        try await guest.upload("\(tree)/run", to: "/new folder/run", mode: 0o4755, owner: "0:0", deadline: minute)
        try await guest.upload(tree, to: "/root/", mode: nil, owner: nil, deadline: minute)
        let listing = try await guest.result(
          """
          cd '/new folder'; for file in ./-it* run; do stat -c '%a %u %s' "$file"; done
          cd /root/tree; find . -type d | sort; cat run; find /var/tmp /tmp -name 'muster-*' | wc -l
          rm -r '/new folder'
          """)
        #expect(listing.text.hasPrefix("751 0 1000000\n4755 0 1\n.\n./empty\n./sub\nx"), "\(listing)")
        let files = try await guest.download("/root/tr*", into: "\(site.folder)/out", deadline: minute)
        #expect(Set(files) == ["tree/run", "tree/sub/\(odd)"])
        #expect(try FileSystem.read("\(site.folder)/out/tree/sub/\(odd)") == bytes)
        #expect(try await guest.download("/root/none*", into: "\(site.folder)/out", deadline: minute) == [])
        await #expect(throws: GuestError.self) {
          try await guest.upload("\(tree)/run", to: "/root/tree", mode: nil, owner: nil, deadline: minute)
        }
        await #expect(throws: GuestError.self) {
          try await guest.upload("\(tree)/none", to: "/root/none", mode: nil, owner: nil, deadline: minute)
        }
      }
    }
  }

  /// What hangs is ended at its deadline, and when nobody waits any more: with all that it has started.
  @Test(arguments: Subject.all) func endsWhatHangs(_ subject: Subject) async throws {
    try await run(subject) { site in
      try await site.withMachine("hangs") { machine in
        let guest = machine.guest
        let result = try await guest.result(
          "trap '' TERM; sleep 76541 & (setsid sleep 76542 &); echo up; wait; sleep 76543", deadline: .seconds(3))
        #expect(result.ending == .timedOut)
        #expect(result.text == "up\n")
        try await expectNoSleepers(guest)
        let isUp = Told()
        let task = Task {
          try await guest.run(GuestCommand("sleep 76544 & echo up; sleep 76545"), deadline: nil) { _, _ in
            isUp.append("up")
          }
        }
        await isUp.first()
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        try await expectNoSleepers(guest)
        #expect(try await guest.result("echo still here").text == "still here\n")
      }
    }
  }

  /// None of the processes that hung is there, by the guest's own table.
  private func expectNoSleepers(_ guest: any Guest) async throws {
    let left = try await guest.result(
      """
      for file in /proc/[0-9]*/cmdline; do
        line=$(tr '\\0' ' ' 2>/dev/null <"$file") || continue
        case $line in *'sleep 7654'[1-5]*) echo "$line" ;; esac
      done
      """)
    #expect(left.text == "", "\(left.text)\(left.errorText)")
  }

  @Test(arguments: Subject.all) func restarts(_ subject: Subject) async throws {
    try await run(subject) { site in
      try await site.withMachine("restarts") { machine in
        let boot = "cat /proc/sys/kernel/random/boot_id"
        let before = try await machine.guest.result("sleep 100000 & \(boot)")
        try await machine.reboot(deadline: site.request.deadline)
        let after = try await machine.guest.result(boot)
        #expect(after.ending == .exited(0))
        #expect(after.text != before.text)
      }
    }
  }
}
