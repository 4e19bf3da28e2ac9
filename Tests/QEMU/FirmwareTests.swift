import MusterCatalog
import MusterHost
import Testing

@testable import MusterQEMU

@Suite struct FirmwareTests {
  private func description(features: String, machine: String = "pc-q35-*", code: String, variables: String) -> String {
    """
    {"description": "UEFI", "interface-types": ["uefi"],
     "mapping": {"device": "flash", "executable": {"filename": "\(code)", "format": "raw"},
                 "nvram-template": {"filename": "\(variables)", "format": "raw"}},
     "targets": [{"architecture": "x86_64", "machines": ["pc-i440fx-*", "\(machine)"]}],
     "features": [\(features)], "tags": []}
    """
  }

  @Test func theFirstThatSuits() throws {
    let folder = try FileSystem.createTemporaryFolder("muster-firmware")
    defer { try? FileSystem.removeTree(folder) }
    let (code, variables) = ("\(folder)/code.fd", "\(folder)/vars.fd")
    func add(_ name: String, _ text: String) throws { try FileSystem.write(text, to: "\(folder)/\(name).json") }
    try add("10-secure", description(features: #""secure-boot", "requires-smm""#, code: code, variables: variables))
    try add("20-missing", description(features: "", code: "\(folder)/none", variables: variables))
    try add("25-broken", "{")
    try add("30-other", description(features: "", machine: "microvm", code: code, variables: variables))
    try add("40-good", description(features: #""acpi-s3", "amd-sev""#, code: code, variables: variables))
    try FileSystem.write("code", to: code)
    try FileSystem.write("vars", to: variables)
    let firmware = try Firmware.find(cpu: .x86_64, folders: [folder])
    #expect(firmware.code == Firmware.Flash(path: code, format: "raw"))

    let own = try firmware.withOwnVariables(at: "\(folder)/own")
    #expect(own.variables.path == "\(folder)/own")
    #expect(try FileSystem.readText("\(folder)/own") == "vars")
  }

  @Test func thisHostHasOne() throws {
    #expect(try FileSystem.isFile(Firmware.find(cpu: .x86_64).code.path))
  }
}
