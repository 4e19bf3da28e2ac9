import Foundation
import MusterHost

/// Counts the time in which whoever wanted a processor or the disk had it: what a busy host keeps everybody waiting for is no
/// delay of Muster's. Linux tells that since 4.20 (`/proc/pressure`); elsewhere all time counts.
struct UnhinderedWatch {
  private let watch = Stopwatch()
  private let hindered = Self.hindered

  var elapsed: Duration { max(.zero, watch.elapsed - (Self.hindered - hindered)) }

  /// How long somebody has waited since the host was started.
  private static var hindered: Duration {
    ["cpu", "io"].reduce(.zero) { sum, resource in
      let text = (try? FileSystem.readText("/proc/pressure/\(resource)", limit: 1 << 10)) ?? ""
      let total = text.prefix { $0 != "\n" }.split(separator: "total=").last.flatMap { Int64($0) }
      return sum + .microseconds(total ?? 0)
    }
  }
}
