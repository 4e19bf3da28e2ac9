package import MusterDiagnostics

/// One thing done in a machine (or, in `setup`, on the host).
package struct Step: Sendable, Hashable {
  package var action: Action
  /// A short line for people: the step's `name`, or what it does (`run greeter --version`).
  package var title: String
  /// Where the step stands in the matrix.
  package var location: Location
  /// The name of the machine that it is done in; `nil` for each of the test's, one after the other.
  package var machine: String?
  /// The user who does it; `nil` for root.
  package var user: String?
  /// The folder it is done in; `nil` for the user's home.
  package var directory: MaskedText?
  /// Environment variables, later ones winning: the distro's, the test's, the step's.
  package var environment: [EnvironmentVariable]
  /// How long it may take; `nil` for the cell's `timeouts.step`.
  package var timeout: Duration?
  package var retry: Retry
  /// How long what it does may be kept for other cells; `nil` for not at all.
  package var cache: Duration?

  package init(
    action: Action, title: String, location: Location, machine: String? = nil, user: String? = nil,
    directory: MaskedText? = nil, environment: [EnvironmentVariable] = [],
    timeout: Duration? = nil, retry: Retry = Retry(), cache: Duration? = nil
  ) {
    self.action = action
    self.title = title
    self.location = location
    self.machine = machine
    self.user = user
    self.directory = directory
    self.environment = environment
    self.timeout = timeout
    self.retry = retry
    self.cache = cache
  }

  /// What a step does; each case is a key of the matrix language.
  package enum Action: Sendable, Hashable {
    case run(RunStep)
    case copy(CopyStep)
    case fetch(FetchStep)
    case install(InstallStep)
    /// The whole of it, as the matrix says it, or one part, as `MusterChannels` takes it apart. `number` tells the steps of
    /// a cell apart.
    case channel(ChannelStep, ChannelPart?, number: Int)
    case check(CheckStep)
    case reboot
    case wait(WaitStep)
  }
}

package struct EnvironmentVariable: Sendable, Hashable {
  package var name: String
  package var value: MaskedText

  package init(name: String, value: MaskedText) {
    self.name = name
    self.value = value
  }
}

/// How often a failing step is done again, and how long to wait before each further time.
package struct Retry: Sendable, Hashable {
  /// Further tries after the first; 0 for none.
  package var count: Int
  /// The wait before the first further try; it doubles with each, up to a minute.
  package var delay: Duration

  package init(count: Int = 0, delay: Duration = .seconds(1)) {
    self.count = count
    self.delay = delay
  }
}

/// A script and what is expected of it.
package struct RunStep: Sendable, Hashable {
  /// The script. A secret in it stays `${NAME}` and reaches the script as an environment variable.
  package var script: MaskedText
  /// The interpreter, with arguments: `["sh", "-e"]`, `["bash", "-euo", "pipefail"]`, `["python3"]`.
  package var shell: [String]
  /// The exit statuses that are right.
  package var exit: [Int]
  package var stdout: [Expectation]
  package var stderr: [Expectation]

  package init(
    script: MaskedText, shell: [String] = ["sh", "-e"], exit: [Int] = [0],
    stdout: [Expectation] = [], stderr: [Expectation] = []
  ) {
    self.script = script
    self.shell = shell
    self.exit = exit
    self.stdout = stdout
    self.stderr = stderr
  }
}

/// What is expected of a stream, with the place it is said at.
package struct Expectation: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable, CaseIterable, Codable {
    /// The whole stream, less one newline at its end.
    case equals
    case contains
    /// A Swift regular expression that matches somewhere in the stream.
    case matches
    case notContains = "not-contains"
  }

  package var kind: Kind
  package var text: MaskedText
  package var location: Location

  package init(kind: Kind, text: MaskedText, location: Location) {
    self.kind = kind
    self.text = text
    self.location = location
  }
}

/// A file or folder of the host put into the machine.
package struct CopyStep: Sendable, Hashable {
  /// An absolute path on the host.
  package var from: String
  /// An absolute path in the machine. A path that ends in `/` is the folder to put it in.
  package var to: String
  /// Octal permissions such as 0755, for files (folders get the matching search bits); `nil` keeps the host's.
  package var mode: UInt16?
  /// `user` or `user:group`; `nil` for root.
  package var owner: String?

  package init(from: String, to: String, mode: UInt16? = nil, owner: String? = nil) {
    self.from = from
    self.to = to
    self.mode = mode
    self.owner = owner
  }
}

/// Files of the machine kept with the run.
package struct FetchStep: Sendable, Hashable {
  /// An absolute path in the machine; the last part may be a glob.
  package var from: String
  /// A relative path below the attempt's artifacts; `nil` for the file's own name.
  package var to: String?
  /// Whether a missing file is fine.
  package var optional: Bool

  package init(from: String, to: String? = nil, optional: Bool = false) {
    self.from = from
    self.to = to
    self.optional = optional
  }
}

/// Packages of the distro, by its own package manager, with the names that this cell's family has for them.
package struct InstallStep: Sendable, Hashable {
  package var packages: [String]

  package init(packages: [String]) {
    self.packages = packages
  }
}

/// One thing that must hold in the machine. Each `check` step asks for exactly one subject.
package enum CheckStep: Sendable, Hashable {
  /// A command is on PATH.
  case command(name: String)
  /// A path exists, of a type, mode, owner and content.
  case file(FileCheck)
  /// A package is installed, fully, in this version if one is given.
  case package(name: String, version: MaskedText?)
  /// A service is in a state.
  case service(name: String, state: ServiceState)
  /// Something listens on a port.
  case port(number: Int, transport: Transport, open: Bool)
  /// A user exists, with this home, shell and these groups if given.
  case user(UserCheck)
  /// A process of this name runs.
  case process(name: String, running: Bool)

  package enum ServiceState: String, Sendable, Hashable, CaseIterable {
    case active
    case inactive
    case enabled
    case disabled
    case failed
  }

  package enum Transport: String, Sendable, Hashable, CaseIterable {
    case tcp
    case udp
  }
}

package struct FileCheck: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case file
    case directory
    case link
    case absent
  }

  package var path: String
  /// `nil` for anything that exists.
  package var kind: Kind?
  package var mode: UInt16?
  /// `user` or `user:group`.
  package var owner: String?
  package var contains: MaskedText?
  /// Lowercase hexadecimal.
  package var sha256: String?

  package init(
    path: String, kind: Kind? = nil, mode: UInt16? = nil, owner: String? = nil,
    contains: MaskedText? = nil, sha256: String? = nil
  ) {
    self.path = path
    self.kind = kind
    self.mode = mode
    self.owner = owner
    self.contains = contains
    self.sha256 = sha256
  }
}

package struct UserCheck: Sendable, Hashable {
  package var name: String
  package var exists: Bool
  package var home: String?
  package var shell: String?
  package var groups: [String]

  package init(
    name: String, exists: Bool = true, home: String? = nil, shell: String? = nil,
    groups: [String] = []
  ) {
    self.name = name
    self.exists = exists
    self.home = home
    self.shell = shell
    self.groups = groups
  }
}

/// A command that must come to hold.
package struct WaitStep: Sendable, Hashable {
  package var script: MaskedText
  package var shell: [String]
  /// The pause between two tries.
  package var interval: Duration

  package init(
    script: MaskedText, shell: [String] = ["sh", "-e"], interval: Duration = .seconds(1)
  ) {
    self.script = script
    self.shell = shell
    self.interval = interval
  }
}
