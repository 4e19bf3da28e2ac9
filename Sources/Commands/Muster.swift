package import ArgumentParser
import MusterDiagnostics
import MusterHost
import MusterReports

/// The command line: `muster SUBCOMMAND`.
package struct Muster: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "muster",
    abstract: "Does your release pass muster on every distro?",
    discussion: """
      Muster runs one YAML matrix of distros and tests, each cell on a fresh virtual machine, and says what became of \
      each, and whose fault it was. `muster check FILE` looks at a matrix, `muster plan FILE` prints what a run would \
      do, and `muster run FILE` does it.
      """,
    version: "0.1.0",
    subcommands: [
      Run.self, PlanCommand.self, Check.self, Doctor.self, List.self, Clean.self, Lock.self, Images.self, Guardian.self,
    ])

  package init() {}

  /// Parses the command line and runs it; the only way out of the process that is not a signal.
  package static func start() async -> Never {
    Terminal.openStandardStreams()
    do {
      try refuseUnknownCommand()
      var command = try parseAsRoot()
      do {
        if var command = command as? any AsyncParsableCommand {
          try await command.run()
        } else {
          try command.run()
        }
      } catch let failure as Failure {
        Console.tell("\(failure)")
        switch failure.blame {
        case .matrix: throw ExitCode(.wrongCommandLine)
        case .host: throw ExitCode(.noBackend)
        default: throw ExitCode(.ownFault)
        }
      }
      exit()
    } catch {
      exit(withError: error)
    }
  }

  /// ArgumentParser would take its name and all that follows for too many arguments.
  private static func refuseUnknownCommand() throws {
    guard let name = CommandLine.arguments.dropFirst().first, !name.hasPrefix("-") else { return }
    let known = configuration.subcommands.filter { $0.configuration.shouldDisplay }.map { $0._commandName } + ["help"]
    guard !known.contains(name), name != Guardian._commandName else { return }
    let hint =
      nearest(to: name, in: known).map { "did you mean '\($0)'?" }
      ?? "the commands are \(known.joined(separator: ", "))"
    throw ValidationError("unknown command '\(name)'; \(hint)")
  }
}
