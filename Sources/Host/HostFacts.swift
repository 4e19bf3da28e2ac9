import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What this host is, asked anew each time.
package enum HostFacts {
  /// A variable of this process's environment.
  @Sendable package static func environment(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  package static var hostName: String {
    unameField { $0.nodename }
  }

  /// `Linux`, `Darwin`.
  package static var systemName: String {
    unameField { $0.sysname }
  }

  /// The kernel's release, such as `6.1.0-18-amd64`.
  package static var kernelRelease: String {
    unameField { $0.release }
  }

  /// The processors that are switched on.
  package static var processorCount: Int {
    max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
  }

  /// Bytes of memory in all.
  package static var memory: Int64 {
    #if canImport(Darwin)
      var size: Int64 = 0
      var length = MemoryLayout<Int64>.size
      let result = unsafe sysctlbyname("hw.memsize", &size, &length, nil, 0)
      return result == 0 ? size : 0
    #else
      return memoryField("MemTotal:") ?? 0
    #endif
  }

  /// Bytes of memory that can be had without swapping; `nil` where the system does not tell.
  package static var availableMemory: Int64? {
    #if canImport(Darwin)
      return nil
    #else
      return memoryField("MemAvailable:")
    #endif
  }

  /// The name of the user, or the number of one without a name.
  package static var userName: String {
    guard let entry = unsafe getpwuid(geteuid()), let name = unsafe entry.pointee.pw_name else { return "\(geteuid())" }
    return unsafe String(cString: name)
  }

  /// The absolute path of the program that this process executes.
  package static var ownExecutable: String {
    #if canImport(Darwin)
      var size: UInt32 = 0
      unsafe _NSGetExecutablePath(nil, &size)
      var path = [CChar](repeating: 0, count: Int(size))
      guard unsafe _NSGetExecutablePath(&path, &size) == 0 else { return CommandLine.arguments[0] }
      return String(decoding: path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    #else
      // It stays right when the file is replaced by a newer one.
      return "/proc/self/exe"
    #endif
  }

  /// What tells this host from another, in a home that several share.
  package static var hostID: String {
    let machine = (try? FileSystem.readText("/etc/machine-id", limit: 256))?.prefix { $0 != "\n" } ?? ""
    return machine.isEmpty ? hostName : "\(hostName) \(machine)"
  }

  /// What tells this boot of the host from all others, without spaces; empty where the system does not tell.
  package static let bootID: String = {
    #if canImport(Darwin)
      var text = [CChar](repeating: 0, count: 64)
      var length = text.count
      let result = unsafe sysctlbyname("kern.bootsessionuuid", &text, &length, nil, 0)
      return result == 0 ? String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
    #else
      return (try? FileSystem.readText("/proc/sys/kernel/random/boot_id", limit: 64)).map { String($0.prefix(36)) }
        ?? ""
    #endif
  }()

  package static var userID: UInt32 { geteuid() }
  package static var isRoot: Bool { geteuid() == 0 }
  package static var processID: Int32 { getpid() }

  /// The absolute path of a tool that PATH knows.
  /// - Parameter path: Folders with colons between them, in place of this process's own PATH.
  package static func tool(_ name: String, in path: String? = environment("PATH")) -> String? {
    files(name, in: path).first { path in unsafe access(path, X_OK) == 0 }
  }

  /// The absolute path of the first file of that name that PATH leads to, whether or not it can be executed.
  package static func file(_ name: String) -> String? {
    files(name, in: environment("PATH")).first
  }

  private static func files(_ name: String, in path: String?) -> [String] {
    let folders = path ?? "/usr/local/bin:/usr/bin:/bin"
    return folders.split(separator: ":").filter { $0.hasPrefix("/") }.map { "\($0)/\(name)" }
      .filter(FileSystem.isFile)
  }

  private static func unameField(_ field: (SystemNames) -> String) -> String {
    var names = utsname()
    guard unsafe uname(&names) == 0 else { return "unknown" }
    return field(SystemNames(names))
  }

  #if !canImport(Darwin)
    /// A line of /proc/meminfo, in bytes.
    private static func memoryField(_ name: String) -> Int64? {
      guard let text = try? FileSystem.readText("/proc/meminfo") else { return nil }
      let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
      let words = line?.split(separator: " ") ?? []
      return words.count > 1 ? Int64(words[1]).map { $0 * 1024 } : nil
    }
  #endif
}

/// The fields of `utsname`, which are tuples of characters in Swift, as text.
private struct SystemNames {
  let sysname, nodename, release: String

  init(_ names: utsname) {
    func text<Field>(_ field: Field) -> String {
      unsafe withUnsafeBytes(of: field) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    sysname = text(names.sysname)
    nodename = text(names.nodename)
    release = text(names.release)
  }
}
