#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Where Muster keeps what is its own: by the XDG Base Directory Specification, on macOS too.
package struct Directories: Sendable, Hashable {
  /// What runs leave: events, logs, reports.
  package var state: String
  /// What can be made again: images, and the key to machines.
  package var cache: String

  package init(state: String, cache: String) {
    self.state = state
    self.cache = cache
  }

  /// - Parameters:
  ///   - environment: Where to look up `XDG_STATE_HOME`, `XDG_CACHE_HOME` and `HOME`.
  ///   - state, cache: What the person asked for instead, made absolute.
  /// - Throws: `Failure` when no home is known.
  package init(
    environment: (String) -> String? = HostFacts.environment, state: String? = nil, cache: String? = nil
  ) throws(Failure) {
    func folder(_ asked: String?, _ variable: String, _ standard: String) throws(Failure) -> String {
      if let asked { return Self.absolute(asked) }
      // The specification: a relative path in such a variable is invalid and ignored.
      if let value = environment(variable), value.hasPrefix("/") { return "\(value)/muster" }
      guard let home = Self.home(environment) else {
        throw Failure(.host, "the home folder of this user is not known", hint: "set HOME")
      }
      return "\(home)/\(standard)/muster"
    }
    self.state = try folder(state, "XDG_STATE_HOME", ".local/state")
    self.cache = try folder(cache, "XDG_CACHE_HOME", ".cache")
  }

  /// `HOME`, or what the user database says.
  package static func home(_ environment: (String) -> String? = HostFacts.environment) -> String? {
    if let home = environment("HOME"), home.hasPrefix("/") { return home }
    guard let entry = unsafe getpwuid(getuid()), let home = unsafe entry.pointee.pw_dir else { return nil }
    let text = unsafe String(cString: home)
    return text.hasPrefix("/") ? text : nil
  }

  /// The folder of temporary files: `TMPDIR`, or `/tmp`.
  package static var temporary: String {
    guard let folder = HostFacts.environment("TMPDIR"), folder.hasPrefix("/"), FileSystem.isFolder(folder) else {
      return "/tmp"
    }
    return folder
  }

  /// The working folder.
  package static var working: String {
    guard let current = unsafe getcwd(nil, 0) else { return "/" }
    defer { unsafe free(current) }
    return unsafe String(cString: current)
  }

  /// A path seen from the working folder.
  package static func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    let folder = working
    return folder.hasSuffix("/") ? folder + path : "\(folder)/\(path)"
  }
}
