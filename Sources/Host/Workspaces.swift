import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Folders for what goes with a machine: overlay, sockets, seed. Their paths are short, since that of a socket must
/// not be longer than 104 bytes, so they do not follow `TMPDIR`; and nobody else can look into them.
package enum Workspaces {
  /// The folder that holds all of this user's: `/tmp/muster-1000`.
  package static var folder: String { "/tmp/muster-\(geteuid())" }

  /// The absolute path of a workspace that is still to be made.
  package static func newPath() -> String { "\(folder)/m-\(FileSystem.randomSuffix())" }

  /// Makes a new, empty workspace.
  /// - Throws: `Failure`.
  package static func create(_ path: String) throws(Failure) {
    do {
      try createInFolder(path)
    } catch {
      // Another run that just ended may have removed the folder between the two steps.
      try createInFolder(path)
    }
  }

  /// Whether a path is one that `create` may have returned to this user.
  package static func isOne(_ path: String) -> Bool {
    guard path.hasPrefix("\(folder)/m-") else { return false }
    return path.dropFirst(folder.utf8.count + 1).utf8.allSatisfy {
      $0 == 0x2D || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0
    }
  }

  /// Removes the folder that holds the workspaces, if none is left in it.
  package static func removeFolderIfEmpty() {
    unsafe rmdir(folder)
  }

  private static func createInFolder(_ path: String) throws(Failure) {
    try FileSystem.createFolder(folder, mode: 0o700)
    // Anyone may make folders in /tmp: one that another user made under this name is not to be trusted.
    guard let information = try FileSystem.information(folder, followingLink: false) else {
      throw Failure(.host, "the folder '\(folder)' has vanished")
    }
    guard information.type == .directory, information.userID == UserID(rawValue: geteuid()),
      information.permissions.isDisjoint(with: [.groupWrite, .otherWrite])
    else {
      throw Failure(
        .host, "'\(folder)' is not a folder that only this user can write to", hint: "remove it and run again")
    }
    if unsafe mkdir(path, 0o700) != 0 { throw Failure(Errno(rawValue: errno), "create", path) }
  }
}
