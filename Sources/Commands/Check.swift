import ArgumentParser
import MusterBackends
import MusterDiagnostics
import MusterHost
import MusterMachines
import MusterMatrix
import MusterReports

/// `muster check FILE…`: only the files, no machine.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at matrix files and explain every mistake where it stands.",
    discussion: "Exits with 65 if a file has a mistake, and with 66 if one cannot be read.")

  @Argument(help: ArgumentHelp("The matrix files.", valueName: "file"))
  var files: [String]

  @Option(
    help: ArgumentHelp("Look too whether this backend can make machines of every image.", valueName: "name"))
  var backend: BackendName?

  @OptionGroup var global: GlobalOptions

  func run() throws {
    var worst: ExitStatus?
    for path in files {
      do {
        let loading = MatrixLoading(path: path, color: global.color)
        let file = try loading.read()
        let gaps = try gaps(file)
        loading.tell(gaps)
        if file.hasErrors || !gaps.isEmpty { worst = worst ?? .wrongMatrix }
      } catch is ExitCode {
        worst = .noSuchFile
      }
    }
    if let worst { throw ExitCode(worst) }
  }

  /// The distros of which the backend, or those that the matrix names, can make no machine.
  private func gaps(_ file: MatrixFile) throws -> [Diagnostic] {
    guard var plan = file.plan() else { return [] }
    if let backend { plan.backends = backend.preference }
    let backends = BackendSet.all(
      cache: try global.directories().cache, offline: true, settings: plan.backendSettings)
    return ImageGaps(plan, backends: backends, severity: .error).diagnostics
  }
}
