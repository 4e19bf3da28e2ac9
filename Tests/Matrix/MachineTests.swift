import Testing

@testable import MusterMatrix

/// `machines`: several machines in one test.
@Suite struct MachineTests {
  private func matrix(_ test: String) -> String {
    """
    muster: 1
    distros: {debian-12: {image: debian/12}}
    tests:
      cluster:
        resources: {cpus: 1, memory: 2G}
    \(test)
    """
  }

  @Test func eachHasItsResourcesAndSteps() throws {
    let cell = try plan(
      matrix(
        """
            machines: {primary: {}, secondary: {resources: {memory: 512M}}}
            verify:
              - run: uptime
              - {machine: secondary, run: "ping -c 1 ${primary.address}", env: {PEER: "${primary.address}"}}
        """)
    ).cells[0].resolved()
    #expect(cell.machines.map(\.name) == ["primary", "secondary"])
    #expect(cell.machines.map(\.resources.memory) == [2 << 30, 512 << 20])
    #expect(cell.machines.map(\.resources.cpus) == [1, 1])
    let steps = cell.phases[0].steps
    #expect(steps.map(\.machine) == [nil, "secondary"])
    guard case .run(let run) = steps[1].action else { return #expect(Bool(false)) }
    #expect(run.script.description == "ping -c 1 ${primary.address}")
    guard case .run(let known) = steps[1].addressed({ "at-\($0)" }).action else { return #expect(Bool(false)) }
    #expect(known.script.description == "ping -c 1 at-primary")
    #expect(steps[1].addressed { "at-\($0)" }.environment.map(\.value.description) == ["at-primary"])
  }

  struct Mistake: Sendable, CustomTestStringConvertible {
    var test: String
    var found: String
    var testDescription: String { found }
  }

  static let mistakes = [
    Mistake(
      test: "    verify: [{run: 'ping ${b.address}'}]",
      found: "there is no machine 'b' here; hint: give the test several: 'machines: {b: {}, …}'"),
    Mistake(
      test: "    verify: [{machine: primary, run: 'true'}]",
      found: "there is one machine here, and no other; hint: give the test several: 'machines: {primary: {}, …}'"),
    Mistake(
      test: "    machines: {primary: {}, secondary: {}}\n    verify: [{machine: secondry, run: 'true'}]",
      found: "the test has no machine 'secondry'; hint: did you mean 'secondary'?"),
    Mistake(
      test: "    machines: {primary: {}, secondary: {}}\n    verify: [{run: 'ping ${primry.address}'}]",
      found: "the test has no machine 'primry'; hint: did you mean 'primary'?"),
    Mistake(
      test: "    machines: {primary: {}, secondary: {}}\n    verify: [{run: 'ping ${primary.adress}'}]",
      found: "nothing is known of a machine as 'adress'; hint: write ${primary.address}"),
    Mistake(
      test: "    machines: {primary: {}}\n    verify: [{copy: {from: a, to: '/${primary.address}'}}]",
      found: "'${primary.address}' cannot be used in"),
    Mistake(test: "    machines: {}\n    verify: [{run: 'true'}]", found: "there is no machine in it"),
    Mistake(
      test: "    machines: {Big_One: {}}\n    verify: [{run: 'true'}]",
      found: "'Big_One' cannot be the name of a machine"),
    Mistake(
      test: "    machines: {muster: {}}\n    verify: [{run: 'true'}]",
      found: "'muster' is what every machine calls itself; hint: choose another name, such as primary"),
    Mistake(
      test: "    machines: {one: {image: debian/12}}\n    verify: [{run: 'true'}]",
      found: "unknown key 'image' in a machine"),
    Mistake(
      test:
        "    machines: {a: {}, b: {}, c: {}, d: {}, e: {}, f: {}, g: {}, h: {}, i: {}}\n    verify: [{run: 'true'}]",
      found: "a test has 8 machines at most, and this has 9"),
  ]

  @Test(arguments: mistakes) func isTold(mistake: Mistake) throws {
    let lines = try read(matrix(mistake.test)).diagnostics.map(\.line)
    #expect(lines.contains { $0.contains(mistake.found) }, "\(lines)")
  }
}
