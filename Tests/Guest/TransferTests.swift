import MusterGuest
import MusterHost
import MusterTestSupport
import SystemPackage
import Testing

@Suite(.timeLimit(.minutes(5))) struct TransferTests {
  private func mode(_ path: String) throws -> String? {
    try FileSystem.information(path).map { String($0.permissions.rawValue, radix: 8) }
  }

  @Test(arguments: SSHServer.Tools.allCases)
  func copiesAFile(tools: SSHServer.Tools) async throws {
    try await SSHServer.with(tools: tools) { server, guest in
      let folder = server.folder
      let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      try FileSystem.write(bytes, to: folder / "it's a file", mode: 0o751)
      try await guest.upload(
        folder / "it's a file", to: folder / "in/new folder/copy", mode: nil, owner: nil, deadline: .seconds(60))
      #expect(try FileSystem.read(folder / "in/new folder/copy") == bytes)
      #expect(try mode(folder / "in/new folder/copy") == "751")
      try await guest.upload(
        folder / "it's a file", to: folder / "in/", mode: 0o600, owner: "65534:65534", deadline: .seconds(60))
      #expect(try mode(folder / "in/it's a file") == "600")
      #expect(try FileSystem.information(folder / "in/it's a file")?.userID.rawValue == 65534)
      // An empty one takes the place of what is there.
      try FileSystem.write("", to: folder / "empty")
      try await guest.upload(folder / "empty", to: folder / "in/it's a file", mode: nil, owner: nil, deadline: nil)
      #expect(try FileSystem.read(folder / "in/it's a file") == [])
      #expect(try FileSystem.names(in: folder / "in") == ["it's a file", "new folder"])
    }
  }

  @Test(arguments: SSHServer.Tools.allCases)
  func copiesAFolder(tools: SSHServer.Tools) async throws {
    try await SSHServer.with(tools: tools) { server, guest in
      let folder = server.folder
      let script = """
        mkdir -p tree/sub tree/empty; chmod 750 tree; printf 1 >tree/sub/file; chmod 640 tree/sub/file
        ln -s sub/file tree/link; ln -s /no/such tree/dangling; printf x >"tree/odd
        name"; printf '#!/bin/sh' >tree/run; chmod 755 tree/run
        """
      #expect(try await HostCommand("sh", ["-ec", script], directory: folder.path).run().ending.isSuccess)
      try await guest.upload(folder / "tree", to: folder / "in/", mode: nil, owner: nil, deadline: .seconds(60))
      let listing = "find . | sort; stat -c '%a %u' . sub/file run; readlink link dangling"
      let original = try await HostCommand("sh", ["-c", listing], directory: folder / "tree").run()
      let copy = try await HostCommand("sh", ["-c", listing], directory: folder / "in/tree").run()
      #expect(copy.text == original.text)
      // Into one that is there: what it has stays.
      try FileSystem.write("mine", to: folder / "in/tree/mine")
      try await guest.upload(folder / "tree", to: folder / "in/tree", mode: 0o640, owner: "65534", deadline: nil)
      #expect(try FileSystem.readText(folder / "in/tree/mine") == "mine")
      #expect(try mode(folder / "in/tree/run") == "640")
      #expect(try mode(folder / "in/tree/sub") == "750")
      #expect(try FileSystem.information(folder / "in/tree/sub")?.userID.rawValue == 65534)
      #expect(try FileSystem.names(in: folder / "in") == ["tree"])
    }
  }

  @Test func saysWhatCannotBeCopied() async throws {
    try await SSHServer.with { server, guest in
      let folder = server.folder
      _ = try await HostCommand("sh", ["-c", "mkdir -p tree/a; mkfifo tree/a/pipe"], directory: folder.path).run()
      try FileSystem.write("x", to: folder / "file")
      func message(_ local: String, _ path: String, owner: String? = nil) async throws -> String {
        do {
          try await guest.upload(local, to: path, mode: nil, owner: owner, deadline: .seconds(60))
          return "copied"
        } catch let error as GuestError {
          #expect(error.code == .transfer)
          return error.message
        }
      }
      let none = try await message(folder / "none", "/tmp/")
      #expect(none == "'\(folder / "none")' does not exist")
      #expect(try await message(folder / "tree", folder / "in").hasPrefix("'\(folder / "tree/a/pipe")' is neither"))
      #expect(try await message("/dev/null", folder / "in").hasPrefix("'/dev/null' is neither"))
      #expect(try await message(folder / "file", "relative").contains("no absolute path"))
      #expect(try await message(folder / "file", folder / "tree").contains("it is a folder there"))
      #expect(try await message(folder / "tree/a", folder / "file").contains("neither"))
      #expect(try await message(folder / "file", folder / "in", owner: "muster-nobody").contains("muster-nobody"))
      #expect(try await message(folder / "file", "/proc/none/file").contains("/proc/none"))
      #expect(try FileSystem.readText(folder / "file") == "x")
      #expect(!FileSystem.exists(folder / "in"))
      #expect(try FileSystem.names(in: folder.path).filter { $0.hasPrefix(".muster") } == [])
    }
  }

  @Test func aFolderTakesNoFilesPlace() async throws {
    try await SSHServer.with { server, guest in
      try FileSystem.createFolder(server.folder / "tree")
      try FileSystem.write("x", to: server.folder / "file")
      let error = await #expect(throws: GuestError.self) {
        try await guest.upload(
          server.folder / "tree", to: server.folder / "file", mode: nil, owner: nil, deadline: .seconds(60))
      }
      #expect(error?.message.contains("there is a file of that name") == true)
      let names = try FileSystem.names(in: server.folder.path)
      #expect(names.filter { $0.hasPrefix(".muster") } == [])
    }
  }

  /// The machine's disk is full, or takes no more.
  @Test func nothingIsLeftOfACopyThatFails() async throws {
    guard HostFacts.isRoot else { return }
    try await SSHServer.with { server, guest in
      let folder = server.folder
      try FileSystem.createFolder(folder / "small")
      let mounted = try await HostCommand("mount", ["-t", "tmpfs", "-o", "size=1m", "none", folder / "small"]).run()
      guard mounted.ending.isSuccess else { return }
      _ = try await HostCommand(
        "sh", ["-c", "mkdir tree; head -c 3000000 /dev/zero >tree/large"], directory: folder.path
      )
      .run()
      for local in ["tree/large", "tree"] {
        let error = await #expect(throws: GuestError.self) {
          try await guest.upload(
            folder / local, to: folder / "small/copy", mode: nil, owner: nil, deadline: .seconds(60))
        }
        #expect(error?.code == .transfer)
        #expect(error?.message.contains("No space left") == true || error?.message.contains("Wrote only") == true)
        #expect(try FileSystem.names(in: folder / "small") == [])
      }
      _ = try await HostCommand("umount", [folder / "small"]).run()
    }
  }

  @Test(arguments: SSHServer.Tools.allCases)
  func fetchesFilesByGlob(tools: SSHServer.Tools) async throws {
    try await SSHServer.with(tools: tools) { server, guest in
      let folder = server.folder
      let script = """
        mkdir -p logs/deep; printf 1 >logs/a.log; printf 2 >'logs/b c.log'; printf 3 >logs/other; printf 4 >logs/-dash.log
        printf 5 >logs/deep/x.log; ln -s a.log logs/link.log; ln -s /etc/passwd logs/deep/link
        head -c 2000000 /dev/urandom >logs/large
        """
      #expect(try await HostCommand("sh", ["-ec", script], directory: folder.path).run().ending.isSuccess)
      let logs = try await guest.download(folder / "logs/*.log", into: folder / "out", deadline: .seconds(60))
      #expect(logs == ["-dash.log", "a.log", "b c.log", "link.log"])
      #expect(try FileSystem.readText(folder / "out/b c.log") == "2")
      #expect(try FileSystem.readText(folder / "out/link.log") == "1")
      let all = try await guest.download(folder / "logs/", into: folder / "all", deadline: .seconds(60))
      #expect(all.contains("logs/deep/x.log") && !all.contains("logs/deep/link"))
      #expect(try FileSystem.read(folder / "all/logs/large") == FileSystem.read(folder / "logs/large"))
      #expect(try await guest.download(folder / "logs/[ab]*", into: folder / "out", deadline: nil).count == 2)
      #expect(try await guest.download(folder / "logs/none*", into: folder / "out", deadline: nil) == [])
      #expect(try await guest.download("/no/such/folder/file", into: folder / "out", deadline: nil) == [])
      #expect(try await guest.download(folder / "logs/$(id)`id`'*", into: folder / "out", deadline: nil) == [])
    }
  }

  @Test func whatAMachineSendsIsNotTrusted() async throws {
    try await SSHServer.with(tools: .bash) { server, guest in
      let folder = server.folder
      let archive = """
        mkdir evil; printf x >evil/file; tar -P -cf \(folder / "evil.tar") --transform 's,^,../../,' evil/file
        printf '#!/bin/sh\\ncat \(folder / "evil.tar")' >tools/tar; chmod 755 tools/tar
        """
      let made = try await HostCommand("sh", ["-ec", archive], directory: folder.path).run()
      #expect(made.ending.isSuccess)
      let error = await #expect(throws: GuestError.self) {
        _ = try await guest.download("/etc/hostname", into: folder / "a/b", deadline: .seconds(60))
      }
      #expect(error?.code == .transfer)
      #expect(error?.message.contains("leads out of its folder") == true)
      #expect(!FileSystem.exists(folder / "evil/evil"))
    }
  }

  @Test func aTransferEndsAtItsDeadline() async throws {
    try await SSHServer.with(tools: .bash) { server, guest in
      let slow = "#!/bin/sh\necho $$ >>'\(server.folder / "pids")'\nexec sleep 600\n"
      try FileSystem.write(slow, to: server.folder / "tools/tar", mode: 0o755)
      try FileSystem.write("x", to: server.folder / "file")
      for seconds in [1, 4, 16, 64] {
        let error = await #expect(throws: GuestError.self) {
          _ = try await guest.download(
            server.folder / "file", into: server.folder / "out", deadline: .seconds(seconds))
        }
        #expect(error?.code == .transfer)
        // On a busy host a short deadline may come before tar has begun.
        guard let pid = try? server.folder.processID("pids") else { continue }
        #expect(!isAlive(pid))
        break
      }
      let again = try await guest.result("echo still")
      #expect(again.text == "still\n")
    }
  }
}
