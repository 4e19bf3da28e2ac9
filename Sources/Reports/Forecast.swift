import MusterMachines
package import MusterMatrix

/// How long a run of a plan will take, by earlier runs.
package struct Forecast: Sendable {
  /// As many runs of a cell count.
  static let runs = 5

  /// Seconds of the cells that are known, by name.
  private let known: [String: Double]
  /// How many cells will be run, and how many of them are new.
  private let count: Int
  private let new: Int
  /// Seconds in all, where a new cell is taken for one like the others; `nil` where all are new.
  package let seconds: Double?

  package init(_ plan: Plan, _ log: DurationLog) {
    let entries = log.entries(of: plan.file).filter { plan.backends.isEmpty || plan.backends.contains($0.backend) }
    let known = Dictionary(grouping: entries, by: \.cell).compactMapValues(Self.seconds)
    self.known = known
    var (count, new, sum) = (0, 0, 0.0)
    for cell in plan.cells where !known.isEmpty && cell.excluded == nil {
      count += 1
      if let seconds = known[cell.name] { sum += seconds } else { new += 1 }
    }
    (self.count, self.new) = (count, new)
    seconds = new < count ? sum / Double(count - new) * Double(count) : nil
  }

  /// The median of the last runs that were as the last one is: on the same backend, and from the same start.
  private static func seconds(_ entries: [DurationLog.Entry]) -> Double? {
    guard let last = entries.last else { return nil }
    let like = entries.filter { $0.backend == last.backend && $0.start == last.start }.suffix(runs)
    return like.map(\.seconds).sorted()[like.count / 2]
  }

  /// `nil` for one that is new.
  package func seconds(of cell: Cell) -> Double? {
    known.isEmpty || cell.excluded != nil ? nil : known[cell.name]
  }

  /// `about 12m by earlier runs (3 of 10 cells are new)`; `nil` where nothing is known.
  package var text: String? {
    guard let seconds else { return nil }
    let about = seconds < 100 ? seconds.rounded() : (seconds / 60).rounded() * 60
    let remark = new == 0 ? "" : " (\(new) of \(MusterReports.count(count, "cell")) \(new == 1 ? "is" : "are") new)"
    return "about \(human(about)) by earlier runs\(remark)"
  }
}
