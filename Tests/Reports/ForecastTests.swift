import MusterExecution
import MusterHost
import MusterMachines
import MusterMatrix
import SystemPackage
import Testing

@testable import MusterReports

@Suite struct ForecastTests {
  private let matrix = """
    muster: 1
    distros: {x: {image: debian/12}}
    tests: {a: &t {verify: [{run: "true"}]}, b: *t, c: *t, d: *t}
    exclude: [{test: d, reason: "not yet"}]

    """

  private func plan(in folder: String, backends: [String] = []) throws -> Plan {
    try FileSystem.write(matrix, to: folder + "/m.yaml")
    var plan = try #require(MatrixFile(path: folder + "/m.yaml", workingDirectory: folder).plan())
    plan.backends = backends
    return plan
  }

  private func append(
    _ cell: String, _ seconds: Double, _ start: MachineStart = .booted, on backend: String = "qemu", in folder: String,
    _ log: DurationLog
  ) throws {
    try log.append(
      DurationLog.Entry(cell: cell, backend: backend, start: start, seconds: seconds), of: folder + "/./m.yaml")
  }

  @Test func aRunIsLikeThoseBefore() async throws {
    try await withFolder { folder in
      let log = DurationLog(state: folder)
      let plan = try plan(in: folder)
      #expect(Forecast(plan, log).text == nil)
      #expect(Forecast(plan, log).seconds == nil)
      for seconds in [900, 10, 30, 12, 14, 11.0] { try append("a@x", seconds, in: folder, log) }
      try append("b@x", 300, in: folder, log)
      // Another matrix has cells of the same names.
      try log.append(
        DurationLog.Entry(cell: "c@x", backend: "qemu", start: .booted, seconds: 7), of: folder + "/other.yaml")
      let forecast = Forecast(plan, log)
      #expect(plan.cells.map(forecast.seconds(of:)) == [12, 300, nil, nil])
      #expect(forecast.seconds == 468)
      #expect(forecast.text == "about 8m by earlier runs (1 of 3 cells is new)")
      try append("c@x", 30, in: folder, log)
      #expect(Forecast(plan, log).text == "about 6m by earlier runs")
    }
  }

  /// What counts is what the last run was like, on a backend that is asked for.
  @Test func anotherStartOrBackendIsAnotherDuration() async throws {
    try await withFolder { folder in
      let log = DurationLog(state: folder)
      for seconds in [50, 60, 70.0] { try append("a@x", seconds, in: folder, log) }
      try append("a@x", 2, .resumed, in: folder, log)
      try append("a@x", 9, on: "lxd", in: folder, log)
      let seconds = { (backends: [String]) in
        let plan = try plan(in: folder, backends: backends)
        return Forecast(plan, log).seconds(of: plan.cells[0])
      }
      #expect(try seconds([]) == 9)
      #expect(try seconds(["qemu"]) == 2)
      #expect(try seconds(["lima"]) == nil)
    }
  }

  @Test func verdictsAreKept() async throws {
    try await withFolder { folder in
      var options = ReportOptions(output: folder + "/out")
      options.durations = DurationLog(state: folder)
      let reporters = try Reporters(options, write: { _ in }, columns: { nil })
      for event in SampleRun.events { await reporters.receive(event) }
      let entries = DurationLog(state: folder).entries(of: "matrix.yaml")
      let verdicts = [0, 1, 3, 5, 6, 7, 8].map { SampleRun.cells[$0] }
      #expect(entries.map(\.cell) == verdicts)
      #expect(entries.allSatisfy { $0.backend == "qemu" && $0.start == .booted })
      // Three seconds of the flaky one's thirty were its image's.
      #expect(entries[5].seconds == 27)
    }
  }

  @Test func whatIsDamagedIsLeftOut() async throws {
    try await withFolder { folder in
      let log = DurationLog(state: folder)
      let plan = try plan(in: folder)
      try append("a@x", 5, in: folder, log)
      let whole = try FileSystem.read(folder + "/durations.jsonl")
      // Its last byte ends the line.
      for end in whole.indices.dropLast() {
        try FileSystem.write(Array(whole[..<end]), to: folder + "/durations.jsonl")
        #expect(Forecast(plan, log).text == nil)
      }
      try FileSystem.write([0xFF, 0x0A] + whole + Array("{\"matrix\":\n".utf8), to: folder + "/durations.jsonl")
      #expect(Forecast(plan, log).seconds(of: plan.cells[0]) == 5)
      try FileSystem.remove(folder + "/durations.jsonl")
      try FileSystem.createFolder(folder + "/durations.jsonl")
      #expect(Forecast(plan, log).text == nil)
      #expect(throws: Failure.self) { try append("a@x", 5, in: folder, log) }
    }
  }

  @Test func theOldestGoesWhenThereIsTooMuch() async throws {
    try await withFolder { folder in
      let log = DurationLog(state: folder, limit: 4000)
      for number in 0..<200 {
        try append("c\(number)@x", 1, in: folder, log)
        #expect(try FileSystem.information(folder + "/durations.jsonl")?.size ?? 0 <= 4000)
      }
      let cells = log.entries(of: folder + "/m.yaml").map(\.cell)
      #expect(cells.count > 10)
      #expect(cells == (200 - cells.count..<200).map { "c\($0)@x" })
    }
  }
}
