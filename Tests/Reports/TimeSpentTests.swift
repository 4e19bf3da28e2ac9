import MusterExecution
import MusterHost
import MusterMachines
import Testing

@testable import MusterReports

@Suite struct TimeSpentTests {
  private func parts(_ time: TimeSpent) -> [TimeSpent.Part: Double] {
    TimeSpent.Part.allCases.reduce(into: [:]) { if time[$1] > 0 { $0[$1] = time[$1] } }
  }

  @Test func eachMomentCounts() {
    var script = EventScript()
    script.start(["a@x"])
    script.add(after: 5, .setupFinished(.passing("./build-packages.sh")))
    script.begin("a@x")
    script.add(after: 30, .imageReady(cell: "a@x", image: "debian/12", seconds: 30))
    script.launch("a@x")
    script.verify("a@x", .failing())
    script.add(.phaseStarted(cell: "a@x", attempt: 1, phase: .collect))
    script.add(after: 4, .phaseFinished(cell: "a@x", attempt: 1, phase: .collect, seconds: 4))
    script.purge("a@x", .failed)
    script.add(.waiting(cell: "a@x", seconds: 2))
    script.add(after: 2, .working("a display may tell something meanwhile"))
    script.launch("a@x", attempt: 2, .resumed)
    script.add(.phaseStarted(cell: "a@x", attempt: 2, phase: .lifecycle))
    script.add(after: 6, .phaseFinished(cell: "a@x", attempt: 2, phase: .lifecycle, seconds: 6))
    script.purge("a@x", attempt: 2, .passed)
    script.finish("a@x", .flaky, 60)
    let summary = SummaryFold(script.events).summary
    // A quarter of a second passes before each event that says nothing else.
    #expect(
      parts(summary.time) == [
        .setup: 1.5, .images: 30, .boot: 8.25, .resume: 8.25, .verify: 7, .collect: 4, .purge: 1, .waiting: 2,
        .muster: 7,
      ])
    #expect(
      summary.time.text
        == "setup 1.5s, images 30s, boot 8.3s, resume 8.3s, verify 7s, collect 4s, purge 1s, waiting 2s, muster 7s")
  }

  /// A pause in a step is no part of the step, and machines of one attempt may come to be in different ways.
  @Test func pausesAndMachinesWithinAPhase() {
    var script = EventScript()
    script.start(["a@x"])
    script.begin("a@x")
    script.add(after: 0, .attemptStarted(cell: "a@x", attempt: 1, machine: "m", log: "l"))
    script.add(after: 0, .phaseStarted(cell: "a@x", attempt: 1, phase: .launch))
    script.add(after: 9, .launchRetried(cell: "a@x", attempt: 1, reason: Reason("busy")))
    script.add(after: 0, .waiting(cell: "a@x", seconds: 2))
    script.add(after: 12, .machineLaunched(cell: "a@x", machine: "m", start: .booted))
    script.add(after: 1, .machineLaunched(cell: "a@x", machine: "n", start: .resumed))
    script.add(after: 0, .phaseFinished(cell: "a@x", attempt: 1, phase: .launch, seconds: 22))
    script.add(after: 0, .phaseStarted(cell: "a@x", attempt: 1, phase: .provision))
    script.add(after: 3, .stepRetried(cell: "a@x", attempt: 1, title: "t", reason: Reason("no")))
    script.add(after: 0, .waiting(cell: "a@x", seconds: 5))
    script.add(after: 7, .phaseFinished(cell: "a@x", attempt: 1, phase: .provision, seconds: 10))
    let time = SummaryFold(script.events).summary.time
    #expect(
      parts(time) == [.boot: 19, .resume: 1, .provision: 5, .waiting: 7, .muster: 0.25])
  }

  /// Wherever a run is killed, its parts make up its time.
  @Test func theSumIsTheRunsTime() {
    let events = SampleRun.events
    for end in 1...events.count {
      let summary = SummaryFold(events[..<end]).summary
      let sum = TimeSpent.Part.allCases.reduce(0) { $0 + summary.time[$1] }
      #expect(abs(sum - summary.seconds) < 1e-9)
      #expect(TimeSpent.Part.allCases.allSatisfy { summary.time[$0] >= 0 })
    }
  }
}

@Suite struct EventReadingTests {
  /// What was written and read is written in the same way again.
  @Test func roundTrip() async throws {
    try await withFolder { folder in
      var json = JSONWriter()
      for event in SampleRun.events { json.line(event) }
      try FileSystem.write(EventLine.header + json.bytes, to: folder + "/events.jsonl")
      let file = EventLine.header + json.bytes
      var end = Int64(EventLine.header.count)
      try EventLine.read(folder + "/events.jsonl") { event, range in
        var line = JSONWriter()
        line.line(event)
        #expect(Array(file[Int(range.lowerBound)..<Int(range.upperBound)]) == line.bytes)
        #expect(range.lowerBound == end)
        end = range.upperBound
      }
      #expect(end == file.count)
    }
  }

  @Test func aRecordOfAnOlderVersionDoesNotSayHowMachinesStart() async throws {
    try await withFolder { folder in
      let line = #"{"time":1,"elapsed":0.5,"event":"machine-launched","cell":"a@x","machine":"m"}"# + "\n"
      try FileSystem.write(EventLine.header + Array(line.utf8), to: folder + "/events.jsonl")
      var kinds: [Event.Kind] = []
      try EventLine.read(folder + "/events.jsonl") { event, _ in kinds.append(event.kind) }
      guard case .machineLaunched("a@x", "m", .booted) = try #require(kinds.first) else {
        Issue.record("\(kinds)")
        return
      }
    }
  }
}
