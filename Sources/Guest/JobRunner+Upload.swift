import MusterHost
import SystemPackage

extension JobRunner {
  /// `Guest.upload`.
  func upload(
    _ local: String, to path: String, mode: UInt16?, owner: String?, deadline: Duration?
  ) async throws {
    guard path.hasPrefix("/"), !path.utf8.contains(0) else {
      throw GuestError(.transfer, "'\(path)' is no absolute path of the machine")
    }
    do {
      guard let source = try FileSystem.information(local) else {
        throw GuestError(.transfer, "'\(local)' does not exist")
      }
      let place = Place(path, of: local)
      switch source.type {
      case .regular:
        try await uploadFile(local, source, to: place, mode: mode, owner: owner, deadline: deadline)
      case .directory:
        try await uploadFolder(local, source, to: place, mode: mode, owner: owner, deadline: deadline)
      default:
        throw GuestError(.transfer, "'\(local)' is neither a file nor a folder")
      }
    } catch let failure as Failure {
      throw GuestError(.transfer, "\(failure)")
    }
  }

  /// Where something goes in a machine.
  private struct Place {
    let path: String
    /// The path of what is there until the whole of it has arrived.
    let temporary: String
    let parent: String

    init(_ path: String, of local: String) {
      var path = path
      if path.hasSuffix("/") {
        let name = Directories.absolute(local).split(separator: "/").last { $0 != "." } ?? ""
        path += name
      }
      while path.count > 1, path.hasSuffix("/") { path.removeLast() }
      self.path = path
      let end = path.lastIndex(of: "/") ?? path.startIndex
      parent = end == path.startIndex ? "/" : String(path[..<end])
      temporary = "\(parent == "/" ? "" : parent)/.muster-\(ShellText.randomName())"
    }

    /// Definitions of the shell variables that jobs use.
    var variables: String {
      """
      path=\(ShellText.quoted(path))
      parent=\(ShellText.quoted(parent))
      temporary=\(ShellText.quoted(temporary))
      """
    }
  }

  /// A larger file is not worth the memory, and goes by the carrier.
  private static let mostByLane = 16 << 20

  private func uploadFile(
    _ local: String, _ source: Stat, to place: Place, mode: UInt16?, owner: String?, deadline: Duration?
  ) async throws {
    // A lane has no end of file: what is sent must have the size that is told.
    var content: [UInt8]?
    if isOnLane, source.size <= Self.mostByLane {
      content = try FileSystem.read(local, limit: max(Self.mostByLane, Int(source.size)))
      if content?.count != Int(source.size) {
        throw GuestError(.transfer, "cannot copy '\(local)': it changed while it was copied")
      }
    }
    let lane = content == nil ? nil : takeLane()
    let copy = lane == nil ? "cat" : "head -c \(source.size)"
    let mode = mode ?? UInt16(truncatingIfNeeded: source.permissions.rawValue & 0o7777)
    let job = GuestJob(
      """
      \(place.variables)
      {
        if [ -d "$path" ]; then
          echo "it is a folder there; end the path in / to put the file into it"
          false
        else
          mkdir -p "$parent" && \(copy) >"$temporary" &&
            chown \(ShellText.quoted(owner ?? "0:0")) "$temporary" && chmod \(String(mode, radix: 8)) "$temporary"
        fi
      } >&4 2>&4
      status=$?
      if [ $status -eq 0 ] && [ "$(wc -c <"$temporary")" -eq \(source.size) ]; then
        mv -f "$temporary" "$path" 2>&4 && finish "exit 0"
        status=1
      fi
      rm -f "$temporary"
      finish "exit $status"
      """, lane: lane?.name, input: lane == nil ? [] : content ?? [])
    let file = lane == nil ? try openLocal(local) : nil
    defer { try? file?.close() }
    let (word, errorText) = try await perform(job, by: lane, deadline: deadline, feed: file.map(Self.feed))
    guard word == "exit 0" else {
      let reason = errorText.isEmpty ? "it changed while it was copied, or the machine's disk is full" : errorText
      throw GuestError(.transfer, "cannot copy '\(local)' to '\(place.path)' in the machine: \(reason)")
    }
  }

  /// Hands on all of a file, until nobody reads any more.
  private static func feed(_ file: FileDescriptor) -> JobFeed {
    { input in
      while true {
        let chunk = unsafe try [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
          unsafe count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
        }
        guard !chunk.isEmpty, await input.write(chunk) else { return }
      }
    }
  }

  private func uploadFolder(
    _ local: String, _ source: Stat, to place: Place, mode: UInt16?, owner: String?, deadline: Duration?
  ) async throws {
    if let special = try specialFile(in: local) {
      throw GuestError(.transfer, "'\(special)' is neither a file nor a folder nor a link")
    }
    let clock = AwakeClock()
    let end = deadline.map { clock.now.advanced(by: $0) }
    func failure(_ reason: String) -> GuestError {
      GuestError(.transfer, "cannot copy the folder '\(local)' to '\(place.path)' in the machine: \(reason)")
    }
    do {
      let unpacking = GuestJob(
        """
        \(place.variables)
        command -v tar >/dev/null 2>&1 || finish no-tar
        mkdir -p "$parent" 2>&4 && mkdir -m 700 "$temporary" 2>&4 && tar -xpof - -C "$temporary" >&4 2>&4
        finish "exit $?"
        """)
      let packed = try await perform(unpacking, deadline: deadline, feed: { try await Self.pack(local, into: $0) })
      if packed.word == "no-tar" { throw failure("tar is not installed in the machine") }
      guard packed.word == "exit 0" else { throw failure(packed.errorText) }
      let placed = try await perform(
        GuestJob(Self.placing(place, source: source, mode: mode, owner: owner)),
        deadline: end.map { clock.now.duration(to: $0) })
      guard placed.word == "exit 0" else { throw failure(placed.errorText) }
    } catch {
      // Nothing under the final name was touched yet, or what was is complete.
      await uncancelled { [self] in
        let job = GuestJob("rm -rf \(ShellText.quoted(place.temporary))\nfinish \"exit 0\"")
        _ = try? await perform(job, deadline: .seconds(30), untilDeath: true)
      }
      if let failure = error as? PackingFailure {
        throw GuestError(.transfer, "cannot read '\(local)': \(failure.reason)")
      }
      throw error
    }
  }

  /// Gives what was unpacked its modes, its owner and its name.
  private static func placing(_ place: Place, source: Stat, mode: UInt16?, owner: String?) -> String {
    var steps = ["chown -Rh \(ShellText.quoted(owner ?? "0:0")) \"$temporary\""]
    if let mode {
      // Whoever may read a file may search the folders.
      let folders = mode | (mode & 0o444) >> 2
      steps += [
        "find \"$temporary\" -type d -exec chmod \(String(folders, radix: 8)) {} +",
        "find \"$temporary\" -type f -exec chmod \(String(mode, radix: 8)) {} +",
      ]
    } else {
      steps.append("chmod \(String(source.permissions.rawValue & 0o7777, radix: 8)) \"$temporary\"")
    }
    return """
      \(place.variables)
      {
        \(steps.joined(separator: " && ")) &&
        if [ -d "$path" ]; then
          tar -cf - -C "$temporary" . | tar -xpf - -C "$path" && rm -rf "$temporary"
        elif [ -e "$path" ] || [ -L "$path" ]; then
          echo "there is a file of that name"
          false
        else
          mv "$temporary" "$path"
        fi
      } >&4 2>&4
      finish "exit $?"
      """
  }

  private struct PackingFailure: Error {
    var reason: String
  }

  /// Packs a folder of this host and hands the archive on as it comes.
  private static func pack(_ folder: String, into input: ProcessInput) async throws {
    let errors = LastSaid(limit: 4096)
    let tar = HostCommand(
      "tar", ["-C", folder, "-cf", "-", "."], environment: ["COPYFILE_DISABLE": "1", "LC_ALL": "C"])
    do {
      let ending = try await tar.run { stream, bytes in
        if stream == .stderr { return errors.append(bytes) }
        // The machine's own answer says why it reads no more.
        _ = await input.write(bytes)
      }
      guard ending.isSuccess else { throw PackingFailure(reason: errors.text ?? "tar ended with \(ending)") }
    } catch let error as HostCommandError {
      throw PackingFailure(reason: "\(error)")
    }
  }

  /// The first thing in a folder that cannot be copied: a pipe, a socket, a device.
  private func specialFile(in folder: String) throws(Failure) -> String? {
    for name in try FileSystem.names(in: folder) {
      let path = "\(folder)/\(name)"
      switch try FileSystem.information(path, followingLink: false)?.type {
      case .directory?: if let special = try specialFile(in: path) { return special }
      case .regular?, .symbolicLink?, nil: continue
      default: return path
      }
    }
    return nil
  }

  private func openLocal(_ path: String) throws(Failure) -> FileDescriptor {
    do {
      return try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
    } catch {
      throw Failure(error, "read", path)
    }
  }
}
