package import MusterHost

/// What the ledger of a run tells of a machine that was, or was about to be, made: enough to end it by.
package struct Relic: Sendable, Hashable {
  package var name: MachineName
  /// The name of the backend.
  package var backend: String
  /// The folder of what goes with it, which may be gone or never have been.
  package var workspace: String
  /// Where the backend was told to make it, in the backend's own words: the same settings may not be at hand when it is
  /// purged. Empty where there is only one place.
  package var place: String

  package init(name: MachineName, backend: String, workspace: String, place: String = "") {
    self.name = name
    self.backend = backend
    self.workspace = workspace
    self.place = place
  }

  /// Removes the workspace. Whatever a ledger says, nothing else is ever removed.
  /// - Throws: `Failure`, with what to do by hand as its hint.
  package func removeWorkspace() throws(Failure) {
    guard Workspaces.isOne(workspace) else {
      throw Failure(.host, "'\(workspace)' is no folder that Muster makes, and is not removed")
    }
    do {
      try FileSystem.removeTree(workspace)
    } catch {
      var failure = error
      failure.hint = (failure.hint.map { "\($0), then " } ?? "") + "run 'rm -r \(workspace)'"
      throw failure
    }
    Workspaces.removeFolderIfEmpty()
  }
}
