import Testing

@testable import MusterMatrix

struct PlanJSONTests {
  static let text = """
    muster: 1
    name: Say "hi"
    secrets: [TOKEN]
    distros:
      debian-12: {image: [{debootstrap: bookworm}, debian/12], provision: [{run: "echo ${distro}"}]}
      arch: {image: {multipass: x, default: arch}}
    tests:
      sizes:
        axes: {memory: [512M, 2G]}
        resources: {memory: "${memory}", cpus: 1}
        provision: [{run: "pacman -V", when: family:arch}]
        verify: [{run: "login ${TOKEN}"}, {install: [{debian: a, arch: b}]}]
    exclude: [{distro: arch, axes: {memory: 512M}, reason: "too small"}]
    expect-failure: [{distro: debian-12, reason: "issue 12"}]
    """

  @Test func writesThePlan() throws {
    let plan = try plan(Self.text)
    var bytes: [UInt8] = []
    plan.writeJSON { bytes += $0 }
    let place = { (line: Int, column: Int) in #""location":{"file":"m.yaml","line":\#(line),"column":\#(column)}"# }
    let onDebian = """
      "phases":[{"phase":"provision","steps":[{"title":"run echo debian-12",\(place(5, 73))}]},\
      {"phase":"verify","steps":[{"title":"run login ${TOKEN}",\(place(12, 15))},{"title":"install a",\(place(12, 40))}]}]}
      """
    let onArch = """
      "phases":[{"phase":"provision","steps":[{"title":"run pacman -V",\(place(11, 18))}]},\
      {"phase":"verify","steps":[{"title":"run login ${TOKEN}",\(place(12, 15))},{"title":"install b",\(place(12, 40))}]}]}
      """
    let cells = [
      #"{"cell":"sizes[memory=512M]@debian-12","test":"sizes","distro":"debian-12","axes":{"memory":"512M"},"#
        + #""image":"debootstrap bookworm","resources":{"cpus":1,"memory":536870912,"disk":10737418240},"#
        + #""expect-failure":"issue 12","# + onDebian,
      #"{"cell":"sizes[memory=2G]@debian-12","test":"sizes","distro":"debian-12","axes":{"memory":"2G"},"#
        + #""image":"debootstrap bookworm","resources":{"cpus":1,"memory":2147483648,"disk":10737418240},"#
        + #""expect-failure":"issue 12","# + onDebian,
      #"{"cell":"sizes[memory=512M]@arch","test":"sizes","distro":"arch","axes":{"memory":"512M"},"#
        + #""image":"arch","resources":{"cpus":1,"memory":536870912,"disk":10737418240},"exclude":"too small","#
        + onArch,
      #"{"cell":"sizes[memory=2G]@arch","test":"sizes","distro":"arch","axes":{"memory":"2G"},"#
        + #""image":"arch","resources":{"cpus":1,"memory":2147483648,"disk":10737418240},"# + onArch,
    ]
    let expected =
      #"{"schema":"muster.plan/1","matrix":"Say \"hi\"","cells":["# + cells.joined(separator: ",") + "]}\n"
    #expect(String(decoding: bytes, as: UTF8.self) == expected)
  }

  @Test func handsTheBytesOnInPieces() throws {
    let distros = (0..<50).map { "  d\($0): {image: arch}" }.joined(separator: "\n")
    let tests = (0..<20).map { "  t\($0): {verify: [{run: echo \($0)}]}" }.joined(separator: "\n")
    let plan = try plan("muster: 1\ndistros:\n\(distros)\ntests:\n\(tests)\n")
    var longest = 0
    var count = 0
    plan.writeJSON {
      longest = max(longest, $0.count); count += $0.count
    }
    #expect(longest < 100_000)
    #expect(count > 200_000)
  }
}
