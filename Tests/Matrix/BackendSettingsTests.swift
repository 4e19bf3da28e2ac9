import Testing

@testable import MusterMatrix

/// The key `backends`.
struct BackendSettingsTests {
  private func file(_ backends: String) throws -> MatrixFile {
    try read(
      """
      muster: 1
      backends: \(backends)
      distros: {debian: {image: debian/12}}
      tests: {works: {distros: all, verify: [{run: "true"}]}}
      """)
  }

  @Test func whatIsSaidOfABackendIsInThePlan() throws {
    let file = try file(
      "{incus: {instance: container, project: ci, remote: lab, target: node2}, lxd: {instance: virtual-machine}}")
    #expect(
      file.plan()?.backendSettings == [
        "incus": BackendSettings(instance: .container, project: "ci", remote: "lab", target: "node2"),
        "lxd": BackendSettings(instance: .virtualMachine),
      ])
  }

  @Test(arguments: [
    ("{icnus: {}}", "unknown key 'icnus' in 'backends'"),
    ("{qemu: {instance: container}}", "there is nothing to say of the machines of 'qemu'"),
    ("{lxd: {instance: contianer}}", "'contianer' is not a kind of instance; hint: did you mean 'container'?"),
    ("{lxd: {projct: ci}}", "unknown key 'projct' in the settings of 'lxd'; hint: did you mean 'project'?"),
    ("{lxd: {remote: 'a:b'}}", "'a:b' cannot be the name of a remote"),
    ("{lxd: {project: --all}}", "'--all' cannot be the name of a project"),
    ("[lxd]", "expected a mapping for 'backends'"),
  ]) func mistakesAreTold(_ backends: String, _ message: String) throws {
    let lines = try file(backends).diagnostics.map(\.line)
    #expect(lines.count == 1)
    #expect(lines.first?.contains(message) == true, "\(lines)")
  }
}
