import ArgumentParser
import MusterMatrix
import MusterReports

/// `muster check FILE…`: only the files, no machine.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at matrix files and explain every mistake where it stands.",
    discussion: "Exits with 65 if a file has a mistake, and with 66 if one cannot be read.")

  @Argument(help: ArgumentHelp("The matrix files.", valueName: "file"))
  var files: [String]

  @OptionGroup var global: GlobalOptions

  func run() throws {
    var worst: ExitStatus?
    for path in files {
      do {
        if try MatrixLoading(path: path, color: global.color).read().hasErrors { worst = worst ?? .wrongMatrix }
      } catch is ExitCode {
        worst = .noSuchFile
      }
    }
    if let worst { throw ExitCode(worst) }
  }
}
