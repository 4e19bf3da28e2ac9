#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The processes of this user on this host, found by what they were started with. A process id alone proves nothing: it is
/// used again.
package enum ProcessTable {
  /// The variable that every process which a run starts has in its environment, with the run's id as its value.
  package static let mark = "MUSTER_RUN"
  /// The variable of a guardian, which no other run ends: it is there to purge.
  package static let guardianMark = "MUSTER_GUARDIAN"

  /// Whether these are the arguments of what a run may have started and others use as well: the network of Lima's machines,
  /// which ends with the last of them.
  private static func isShared(_ arguments: [some StringProtocol]) -> Bool {
    arguments.count > 1 && arguments[0].split(separator: "/").last == "limactl" && arguments[1] == "usernet"
  }

  /// The run that a task works for, whose mark all processes bear that it starts.
  @TaskLocal package static var run: String?

  /// Ends all processes that bear the mark of a run, and those that these have started, by KILL.
  /// - Returns: The ids of those that are left after `patience`.
  package static func end(ofRun run: String, patience: Duration = .seconds(5)) async -> [Int32] {
    await end(patience: patience) { await processes(ofRun: run) }
  }

  /// Ends processes by KILL, and looks again, until there are none.
  package static func end(
    patience: Duration = .seconds(5), _ find: @Sendable () async -> [Int32]
  ) async -> [Int32] {
    let deadline = AwakeClock.now.advanced(by: patience)
    while true {
      let found = await find()
      if found.isEmpty { return [] }
      for id in found { kill(id, SIGKILL) }
      if AwakeClock.now >= deadline { return found }
      for id in found where AwakeClock.now < deadline { await ForeignProcess(id: id).end(grace: .zero) }
    }
  }

  /// A process that was started with an option.
  package struct Started: Sendable {
    package var id: Int32
    /// The argument behind the option.
    package var value: String
    /// The folder that it works in; `nil` where that is not known.
    package var folder: String?
  }

  #if canImport(Darwin)
    /// The processes of this user that were started with an option, and its value.
    package static func processes(startedWith option: String) async -> [Started] {
      guard let output = try? await HostCommand("ps", ["-x", "-ww", "-o", "pid=,command="]).run(deadline: .seconds(10))
      else { return [] }
      return output.text.split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ")
        guard let place = words.firstIndex(of: Substring(option)), place + 1 < words.count,
          let id = words.first.flatMap({ Int32($0) })
        else { return nil }
        return Started(id: id, value: String(words[place + 1]), folder: nil)
      }
    }

    /// The processes of this user whose arguments hold these words, one behind the other.
    package static func processes(with words: [String]) async -> [Int32] {
      await listed(environment: false) { $0.contains(" \(words.joined(separator: " ")) ") }
    }

    /// Those that bear the mark of a run.
    package static func processes(ofRun run: String) async -> [Int32] {
      await listed(environment: true) { $0.contains(" \(mark)=\(run) ") }
    }

    /// What `ps` shows of this user's processes.
    private static func listed(environment: Bool, _ isWanted: (String) -> Bool) async -> [Int32] {
      let words = ["-x", "-ww", "-o", "pid=,command="] + (environment ? ["-E"] : [])
      guard let output = try? await HostCommand("ps", words).run(deadline: .seconds(10), limit: 1 << 26) else {
        return []
      }
      return output.text.split(separator: "\n").compactMap { line in
        let text = line.drop { $0 == " " }
        guard isWanted("\(text) "), let id = Int32(text.prefix { $0 != " " }), id != getpid(),
          !isShared(text.split(separator: " ").dropFirst().map(String.init))
        else { return nil }
        return id
      }
    }
  #else
    /// The processes of this user that were started with an option, and its value.
    package static func processes(startedWith option: String) async -> [Started] {
      ids.compactMap { id in
        guard FileSystem.isOwned("/proc/\(id)"),
          let bytes = try? FileSystem.read("/proc/\(id)/cmdline", limit: 1 << 20)
        else { return nil }
        let words = arguments(in: bytes)
        guard let place = words.firstIndex(of: option), place + 1 < words.count else { return nil }
        return Started(id: id, value: words[place + 1], folder: FileSystem.destination(of: "/proc/\(id)/cwd"))
      }
    }

    /// The processes of this user whose arguments hold these words, one behind the other.
    package static func processes(with words: [String]) async -> [Int32] {
      let wanted = [UInt8](("\0" + words.joined(separator: "\0") + "\0").utf8)
      return ids.filter { id in
        guard FileSystem.isOwned("/proc/\(id)"), ForeignProcess(id: id).isAlive,
          let bytes = try? FileSystem.read("/proc/\(id)/cmdline", limit: 1 << 20)
        else { return false }
        return ([0] + bytes).contains(wanted)
      }
    }

    /// Those that bear the mark, and all that these have started, even where it was taken from them.
    package static func processes(ofRun run: String) async -> [Int32] {
      let wanted = [UInt8]("\0\(mark)=\(run)\0".utf8)
      let guardian = [UInt8]("\0\(guardianMark)=".utf8)
      var ids: [Int32] = []
      var found: Set<Int32> = []
      for id in Self.ids {
        guard let bytes = try? FileSystem.read("/proc/\(id)/environ", limit: 1 << 20) else { continue }
        let environment = [0] + bytes + [0]
        if environment.contains(guardian) { continue }
        let isMarked = environment.contains(wanted)
        if isMarked, isShared(arguments(of: id)) { continue }
        ids.append(id)
        if isMarked { found.insert(id) }
      }
      if found.isEmpty { return [] }
      let parents = ids.map { (id: $0, parent: parent(of: $0)) }
      var isComplete = false
      while !isComplete {
        isComplete = true
        for (id, parent) in parents where !found.contains(id) && parent.map(found.contains) ?? false {
          found.insert(id)
          isComplete = false
        }
      }
      return found.filter { $0 != getpid() && ForeignProcess(id: $0).isAlive }.sorted()
    }

    private static func arguments(in bytes: [UInt8]) -> [String] {
      bytes.split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func arguments(of id: Int32) -> [String] {
      arguments(in: (try? FileSystem.read("/proc/\(id)/cmdline", limit: 1 << 20)) ?? [])
    }

    private static var ids: [Int32] {
      ((try? FileSystem.names(in: "/proc")) ?? []).compactMap { Int32($0) }.filter { $0 != getpid() }
    }

    /// `<id> (<name>) <state> <parent> …`, where the name may hold anything.
    private static func parent(of id: Int32) -> Int32? {
      guard let text = try? FileSystem.readText("/proc/\(id)/stat", limit: 4096) else { return nil }
      let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
      return fields.count > 1 ? Int32(fields[1]) : nil
    }
  #endif
}
