import MusterHost
import Synchronization

extension JobRunner {
  /// `Guest.download`.
  func download(_ path: String, into folder: String, deadline: Duration?) async throws -> [String] {
    guard path.hasPrefix("/"), !path.utf8.contains(0) else {
      throw GuestError(.transfer, "'\(path)' is no absolute path of the machine")
    }
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    let end = path.lastIndex(of: "/") ?? path.startIndex
    let pattern = String(path[path.index(after: end)...])
    guard !pattern.isEmpty, pattern != ".", pattern != ".." else {
      throw GuestError(.transfer, "'\(path)' names no file or folder of the machine")
    }
    let reader = Mutex(TarReader(folder: folder))
    // A link that was asked for by its name is followed in the machine; those inside of folders are left out.
    let lane = takeLane()
    let job = GuestJob(
      """
      cd \(ShellText.quoted(end == path.startIndex ? "/" : String(path[..<end]))) || finish none
      set --
      follow=
      for f in \(ShellText.glob(pattern)); do
        [ -e "$f" ] || continue
        [ -L "$f" ] && follow=h
        set -- "$@" "./$f"
      done
      [ $# -gt 0 ] || finish none
      command -v tar >/dev/null 2>&1 || finish no-tar
      tar -c${follow}f - "$@" 2>&4
      finish "exit $?"
      """, lane: lane?.name)
    do {
      try FileSystem.createFolder(folder)
      let (word, errorText) = try await perform(
        job, by: lane, deadline: deadline, stdout: { bytes in try reader.withLock { try $0.take(bytes) } })
      switch word {
      case "none": return []
      case "no-tar": throw GuestError(.transfer, "cannot fetch '\(path)': tar is not installed in the machine")
      case "exit 0", "exit 1":
        // 1 is GNU tar's word for a file that changed while it was read, as logs do.
        return try reader.withLock { try $0.finish() }
      default: throw GuestError(.transfer, "cannot fetch '\(path)' from the machine: \(errorText)")
      }
    } catch let error as TarReader.Damaged {
      throw GuestError(.transfer, "cannot fetch '\(path)': what the machine sent is no proper archive: \(error.reason)")
    } catch let failure as Failure {
      throw GuestError(.host, "\(failure)")
    }
  }
}
