extension GuestCommand {
  /// Variables that a shell does not let itself be given.
  private static let readOnly: Set = ["UID", "EUID", "PPID", "GROUPS", "BASHOPTS", "SHELLOPTS", "BASH_VERSINFO"]

  /// What `execve` of Linux takes of one variable, NAME=VALUE: 32 pages with the NUL (MAX_ARG_STRLEN, execve(2)).
  private static let longestVariable = 131_071

  /// - Throws: `GuestError` for what no machine can do.
  func check() throws(GuestError) {
    if let user, !ShellText.isUserName(user) {
      throw GuestError(.circumstances, "'\(user)' cannot be the name of a user")
    }
    for variable in environment {
      guard ShellText.isVariableName(variable.name) else {
        throw GuestError(.circumstances, "'\(variable.name)' cannot be the name of an environment variable")
      }
      guard !Self.readOnly.contains(variable.name) else {
        throw GuestError(.circumstances, "the variable '\(variable.name)' belongs to the shell and cannot be set")
      }
      let size = variable.name.utf8.count + 1 + variable.value.utf8.count
      guard size <= Self.longestVariable else {
        throw GuestError(
          .circumstances,
          "the variable '\(variable.name)' has \(size) bytes with its name, and Linux takes \(Self.longestVariable)")
      }
    }
    let texts = [script, directory ?? ""] + shell + environment.map(\.value)
    if texts.contains(where: { $0.utf8.contains(0) }) {
      throw GuestError(.circumstances, "a script, folder or variable contains a NUL byte")
    }
  }

  /// What the last word of a job says of the script.
  func ending(_ word: String) throws(GuestError) -> GuestEnding {
    let parts = word.split(separator: " ")
    let number = parts.count == 2 ? Int(parts[1]) : nil
    switch (parts.first, number) {
    case ("exit", .some(let status)): return .exited(status)
    case ("signal", .some(let signal)): return .signaled(signal)
    case ("no-user", _): throw GuestError(.circumstances, "the machine has no user '\(user ?? "")'")
    case ("no-change", _):
      throw GuestError(
        .circumstances,
        "the machine cannot become the user '\(user ?? "root")': \(parts.dropFirst().joined(separator: " "))")
    case ("no-folder", _):
      throw GuestError(
        .circumstances,
        "the folder '\(directory ?? "")' does not exist in the machine, or \(user ?? "root") cannot enter it")
    case ("no-shell", _):
      throw GuestError(.circumstances, "the machine has no '\(shell.first ?? "sh")' to run the script with")
    case ("incomplete", _):
      throw GuestError(.circumstances, "the machine could not store the script; its disk may be full")
    default: throw GuestError(.unreachable, "the machine answered with something unknown: '\(word)'")
    }
  }
}
