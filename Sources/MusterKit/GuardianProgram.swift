import MusterHost

/// The `muster` executable, which is what a guardian is: a process that outlives this one, and purges what it leaves.
struct GuardianProgram: Sendable {
  var path: String

  /// - Parameter asked: Its path; `nil` to look in the variable `MUSTER`, and then in `PATH`.
  /// - Throws: `Failure` where it is not found, or is of another version: then nothing may be launched.
  static func find(_ asked: String?) async throws -> GuardianProgram {
    let variable = HostFacts.environment("MUSTER").flatMap { $0.isEmpty ? nil : $0 }
    guard let path = (asked ?? variable).map(Directories.absolute) ?? HostFacts.tool("muster") else {
      throw Failure(
        .host, "the 'muster' command is not found, so nobody would purge what this process leaves if it is killed",
        hint: "put it into a folder of PATH, or its path into the variable MUSTER")
    }
    let output: ProcessOutput
    do {
      // As a guardian it has no more of the environment.
      output = try await Companion.command(path, ["--version"]).run(deadline: .seconds(30))
    } catch let error as HostCommandError {
      throw notTheCommand(path, "\(error)")
    }
    // What `env`, a shell or the loader say of what cannot be started.
    if [.exited(126), .exited(127)].contains(output.ending) { throw notTheCommand(path, output.errorText) }
    guard output.ending.isSuccess, output.text == Version.text else {
      let isVersion =
        output.ending.isSuccess && output.text.contains(".") && output.text.allSatisfy { $0.isNumber || $0 == "." }
      let found = isVersion ? "version \(output.text)" : "no Muster at all"
      throw Failure(
        .host, "'\(path)' is \(found), and this library is version \(Version.text)",
        hint: "build both from the same sources")
    }
    return GuardianProgram(path: path)
  }

  private static func notTheCommand(_ path: String, _ reason: String) -> Failure {
    Failure(
      .host, "'\(path)' is not the 'muster' command: \(reason)",
      hint: "set MUSTER to its path, or put it into PATH; it gets little of this process's environment, such as no "
        + "LD_LIBRARY_PATH")
  }
}
