import Foundation
import MusterHost

/// Counts the time in which whoever wanted a processor or the disk had it: what a busy host keeps everybody waiting for is no
/// delay of Muster's. Linux tells that since 4.20 (`/proc/pressure`); elsewhere all time counts, and a third of it always
/// does, so that what busies the host itself is not waited for.
struct UnhinderedWatch {
  private let watch = Stopwatch()
  private let hindered = Self.hindered

  var elapsed: Duration {
    let (all, now) = (watch.elapsed, Self.hindered)
    return max(all / 3, all - zip(now, hindered).map { $0 - $1 }.reduce(.zero, max))
  }

  /// How long somebody has waited since the host was started, for each of what is waited for.
  private static var hindered: [Duration] {
    ["cpu", "io"].map { resource in
      let text = (try? FileSystem.readText("/proc/pressure/\(resource)", limit: 1 << 10)) ?? ""
      let total = text.prefix { $0 != "\n" }.split(separator: "total=").last.flatMap { Int64($0) }
      return .microseconds(total ?? 0)
    }
  }
}
