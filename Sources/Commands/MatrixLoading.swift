import ArgumentParser
import MusterDiagnostics
import MusterHost
import MusterMatrix
import MusterReports
import MusterYAML
import SystemPackage

/// A matrix file from the command line, with all that is wrong with it told on standard error.
struct MatrixLoading {
  var path: String
  var color: ColorChoice

  /// The plan of the chosen cells.
  /// - Throws: `ExitCode`, after the reason was told: 66 without such a file, 65 with a wrong one, 64 for a wrong
  ///   selection, 4 for one that chooses nothing.
  func plan(_ options: SelectionOptions) throws -> Plan {
    var plan = try wholePlan()
    do {
      plan = try plan.selecting(options.selection)
    } catch {
      tell(error.diagnostics)
      throw ExitCode(.wrongCommandLine)
    }
    if let backend = options.backend { plan.backends = backend.preference }
    guard !plan.cells.isEmpty else {
      Console.tell("no cell is selected; 'muster plan \(path)' shows them all")
      throw ExitCode(.nothingSelected)
    }
    return plan
  }

  /// The plan of all cells.
  /// - Throws: `ExitCode`, after the reason was told: 66 without such a file, 65 with a wrong one.
  func wholePlan() throws -> Plan {
    guard let plan = try read().plan() else { throw ExitCode(.wrongMatrix) }
    return plan
  }

  /// The file, once what is wrong with it was told; it may still have errors.
  /// - Throws: `ExitCode` when it cannot be read.
  func read() throws -> MatrixFile {
    guard !path.isEmpty else {
      Console.tell("the name of the matrix file is empty")
      throw ExitCode(.noSuchFile)
    }
    let file = MatrixFile(path: path, workingDirectory: Directories.working)
    tell(file.diagnostics)
    if file.isUnreadable { throw ExitCode(.noSuchFile) }
    return file
  }

  func tell(_ diagnostics: [Diagnostic]) {
    guard !diagnostics.isEmpty else { return }
    let isColored = color.isColored(
      isTerminal: Terminal.isTerminal(.standardError), environment: HostFacts.environment)
    let width = Terminal.columns(of: .standardError) ?? 120
    Console.write(DiagnosticRenderer(color: isColored, width: width).render(diagnostics), to: .standardError)
  }
}
