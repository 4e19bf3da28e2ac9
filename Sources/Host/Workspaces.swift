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

  /// Makes a new, empty workspace and returns its absolute path.
  /// - Throws: `Failure`.
  package static func create() throws(Failure) -> String {
    do {
      return try createInFolder()
    } catch {
      // Another run that just ended may have removed the folder between the two steps.
      return try createInFolder()
    }
  }

  /// Removes the folder that holds the workspaces, if none is left in it.
  package static func removeFolderIfEmpty() {
    unsafe rmdir(folder)
  }

  private static func createInFolder() throws(Failure) -> String {
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
    return try FileSystem.createTemporaryFolder("m", in: folder)
  }
}
