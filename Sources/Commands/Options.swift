import ArgumentParser
import MusterHost
import MusterMatrix

/// What every command understands.
struct GlobalOptions: ParsableArguments {
  @Option(help: ArgumentHelp("When to use colour.", valueName: "when"))
  var color: ColorChoice = .auto

  @Option(help: ArgumentHelp("The folder for what runs leave (default: $XDG_STATE_HOME/muster).", valueName: "dir"))
  var state: String?

  @Option(help: ArgumentHelp("The folder for images (default: $XDG_CACHE_HOME/muster).", valueName: "dir"))
  var cache: String?

  func directories() throws -> Directories {
    try Directories(state: state, cache: cache)
  }
}

/// Which cells of a matrix are meant: shared by `run` and `plan`.
struct SelectionOptions: ParsableArguments {
  @Argument(help: "Tests or cells, by name or glob; all if there is none.")
  var tests: [String] = []

  @Option(name: .customLong("distro"), help: ArgumentHelp("Only distros of this selector.", valueName: "sel"))
  var distros: [String] = []

  @Option(name: .customLong("tag"), help: ArgumentHelp("Only distros or tests with this tag.", valueName: "sel"))
  var tags: [String] = []

  @Option(name: .customLong("skip"), help: ArgumentHelp("Not these tests, distros or cells.", valueName: "sel"))
  var skips: [String] = []

  @Option(name: .customLong("axis"), help: ArgumentHelp("Only this value of an axis.", valueName: "name=value"))
  var axes: [String] = []

  @Option(help: ArgumentHelp("The backend, in place of the matrix's.", valueName: "name"))
  var backend: BackendName?

  var selection: Selection {
    Selection(tests: tests, distros: distros, tags: tags, skips: skips, axes: axes)
  }
}

/// A backend as the command line names it.
enum BackendName: String, ExpressibleByArgument, CaseIterable {
  case auto
  case qemu
  case multipass
  case orbstack
  case incus
  case lxd
  case lima

  /// What the plan's list of backends becomes; empty means the first that works.
  var preference: [String] { self == .auto ? [] : [rawValue] }
}

/// How a table that a program may read is written.
enum TableFormat: String, ExpressibleByArgument, CaseIterable {
  case table
  case json
}

extension ColorChoice: ExpressibleByArgument {}
