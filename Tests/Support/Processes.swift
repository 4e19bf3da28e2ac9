import MusterHost
import Testing

/// Whether a process runs; a dead one that nobody has waited for does not.
package func isAlive(_ processID: Int32) -> Bool {
  guard let status = try? FileSystem.readText("/proc/\(processID)/stat") else { return false }
  return status.split(separator: ")").last?.dropFirst().first.map { $0 != "Z" && $0 != "X" } ?? false
}

/// The ids of the processes of this host, and of all machines that are containers, whose arguments fit.
package func processes(where fits: ([String]) -> Bool) throws -> [Int32] {
  try FileSystem.names(in: "/proc").compactMap { Int32($0) }.filter { id in
    guard let bytes = try? FileSystem.read("/proc/\(id)/cmdline"), !bytes.isEmpty else { return false }
    return fits(bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
  }
}

/// The live processes with a text in their command line or environment; the tests themselves have it in neither.
package func processes(with text: String) throws -> [Int32] {
  try FileSystem.names(in: "/proc").compactMap { Int32($0) }.filter { id in
    guard ForeignProcess(id: id).isAlive else { return false }
    return ["cmdline", "environ"].contains { file in
      (try? FileSystem.readText("/proc/\(id)/\(file)", limit: 1 << 20))?.contains(text) ?? false
    }
  }
}

/// The most memory that this process has ever had resident, in bytes. (Not of getrusage, which counts what the process
/// that started this one had.)
package func peakMemory() throws -> Int {
  let status = try FileSystem.readText("/proc/self/status")
  let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
  return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) }) * 1024
}
