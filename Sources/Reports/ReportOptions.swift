package import MusterHost
import SystemPackage

/// Which reports a person wants, and what they are read with.
package struct ReportOptions: Sendable {
  /// The absolute folder of the run, which gets `events.jsonl` and `summary.json`.
  package var output: String
  /// Whether the run has begun already, in another process: its records are added to.
  package var continues = false
  /// Where it is kept how long cells took.
  package var durations: DurationLog?
  /// Files that were asked for beyond that.
  package var json: String?
  package var events: String?
  package var junit: String?
  package var markdown: String?
  package var verbosity = Verbosity.normal
  /// Whether progress goes to a terminal that can draw a line again.
  package var isLive = false
  package var colorsResults = false
  package var colorsProgress = false
  /// `nil` unless the run is a step of GitHub Actions.
  package var github: GitHubActions?

  /// Plain and without colours.
  package init(output: String) {
    self.output = output
  }

  /// As the standard streams and the environment want it.
  package init(output: String, color: ColorChoice, environment: (String) -> String?) {
    self.init(output: output)
    let isTerminal = Terminal.isTerminal(.standardError)
    isLive = isTerminal && Terminal.isCapable(environment("TERM"))
    colorsResults = color.isColored(isTerminal: Terminal.isTerminal(.standardOutput), environment: environment)
    colorsProgress = color.isColored(isTerminal: isTerminal, environment: environment)
    if environment("GITHUB_ACTIONS") == "true" {
      isLive = false
      github = GitHubActions(
        workspace: environment("GITHUB_WORKSPACE"), stepSummary: environment("GITHUB_STEP_SUMMARY"),
        directory: environment("PWD") ?? "/")
    }
  }
}

package struct GitHubActions: Sendable {
  /// The folder of the checkout.
  package var workspace: String?
  /// The file that the step's summary is added to.
  package var stepSummary: String?
  /// The folder that the matrix's path is relative to.
  package var directory: String

  package init(workspace: String?, stepSummary: String?, directory: String) {
    self.workspace = workspace
    self.stepSummary = stepSummary
    self.directory = directory
  }
}
