import MusterHost
import Testing

/// Many processes that want the one lock of a machine. Each that has it starts QEMU to ask its version; in place of QEMU
/// stands a script, which is the witness of who has the lock.
@Suite struct LockRealRunTests {
  private static let (processes, turns) = (100, 20)

  @Test func neverTwoAndNobodyWaitsForTheDead() async throws {
    let scratch = try Scratch()
    let matrix = try scratch.write("matrix.yaml", CommandLineTests.matrix)
    // It is alone, or says so; and every tenth ends its run there and then.
    let witness = """
      #!/bin/sh
      case $* in *sandbox*) exit 1 ;; esac
      mkdir '\(scratch.path)/witness' 2>/dev/null || echo two >>'\(scratch.path)/violations'
      date +%s%N >>'\(scratch.path)/turns'
      rmdir '\(scratch.path)/witness'
      if [ $(($(wc -l <'\(scratch.path)/turns') % 10)) -eq 0 ]; then
        echo killed >>'\(scratch.path)/killed'
        kill -9 $PPID
      fi
      exit 1
      """
    try FileSystem.createFolder("\(scratch.path)/bin")
    for name in ["qemu-system-x86_64", "qemu-system-aarch64"] {
      try FileSystem.write(witness, to: "\(scratch.path)/bin/\(name)", mode: 0o755)
    }
    let loop = """
      n=0
      while [ $n -lt \(Self.turns) ]; do
        n=$((n + 1))
        '\(MusterProcess.executable)' run '\(matrix)' --state '\(scratch.path)' --cache '\(scratch.path)/cache' \
          --lock-file '\(scratch.path)/lock' --lock-timeout 600
        case $? in 69|137) ;; *) echo $? >>'\(scratch.path)/statuses' ;; esac
      done
      """
    let path = "\(scratch.path)/bin:\(HostFacts.environment("PATH") ?? "")"
    // All of them want it before the first one has it: what a host does that starts a hundred processes is no waiting.
    let held = try #require(try FileLock("\(scratch.path)/lock").take())
    var loops: [RunningProcess] = []
    for number in 0..<Self.processes {
      loops.append(
        try await RunningProcess.start(
          HostCommand("sh", ["-c", loop], environment: ["PATH": path]), log: "\(scratch.path)/log-\(number)"))
    }
    for number in 0..<Self.processes {
      while try !FileSystem.readText("\(scratch.path)/log-\(number)").contains("waiting for the lock") {
        try await Task.sleep(for: .milliseconds(5))
      }
    }
    held.release()
    for loop in loops { #expect(await loop.ending() == .exited(0)) }
    #expect(!FileSystem.exists("\(scratch.path)/violations"))
    let statuses = (try? FileSystem.readText("\(scratch.path)/statuses")) ?? ""
    #expect(statuses.isEmpty, "\(statuses)")
    let times = try FileSystem.readText("\(scratch.path)/turns").split(separator: "\n").compactMap { Int64($0) }
    #expect(times.count == Self.processes * Self.turns)
    #expect(try FileSystem.readText("\(scratch.path)/killed").split(separator: "\n").count == times.count / 10)
    // A lock that a dead process had is free at once; whoever waits asks at least four times a second.
    let longest = zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? 0
    #expect(longest < 1_000_000_000, "\(longest) ns")
  }
}
