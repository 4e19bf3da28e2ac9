import MusterCatalog
import MusterHost

/// A UEFI firmware of this host: its code, and the template of the variables that each machine has a copy of.
struct Firmware: Sendable, Hashable {
  struct Flash: Sendable, Hashable {
    var path: String
    /// `raw` or `qcow2`.
    var format: String
  }

  var code: Flash
  var variables: Flash

  /// The folders of QEMU's firmware descriptions (docs/interop/firmware.json); what an administrator put there is first.
  static let folders = [
    "/etc/qemu/firmware", "/usr/share/qemu/firmware", "/usr/local/share/qemu/firmware",
    "/opt/homebrew/share/qemu/firmware",
  ]

  /// The first that suits the CPU, without Secure Boot.
  /// - Throws: `Failure` that says what to install.
  static func find(cpu: CPU, folders: [String] = folders) throws(Failure) -> Firmware {
    for folder in folders {
      for name in (try? FileSystem.names(in: folder)) ?? [] where name.hasSuffix(".json") {
        guard let bytes = try? FileSystem.read("\(folder)/\(name)"), let description = JSONValue(bytes),
          let firmware = Firmware(description: description, cpu: cpu), firmware.exists
        else { continue }
        return firmware
      }
    }
    for firmware in usual(cpu) where firmware.exists { return firmware }
    let package = cpu == .x86_64 ? "ovmf" : "qemu-efi-aarch64"
    throw Failure(
      .host, "the image starts by UEFI, and no UEFI firmware for \(cpu.rawValue) is installed",
      hint: "run 'sudo apt-get install \(package)'")
  }

  /// What a description describes, if it suits.
  init?(description: JSONValue, cpu: CPU) {
    let architecture = cpu == .x86_64 ? "x86_64" : "aarch64"
    let machine = cpu == .x86_64 ? "pc-q35-" : "virt-"
    let fits = (description["targets"]?.array ?? []).contains { target in
      target["architecture"]?.string == architecture
        && (target["machines"]?.array ?? []).contains { $0.string?.hasPrefix(machine) ?? false }
    }
    let features = (description["features"]?.array ?? []).compactMap(\.string)
    let mapping = description["mapping"]
    guard fits, (description["interface-types"]?.array ?? []).contains(.string("uefi")),
      features.allSatisfy({ !["secure-boot", "enrolled-keys", "requires-smm"].contains($0) }),
      mapping?["device"]?.string == "flash", (mapping?["mode"]?.string ?? "split") == "split",
      let code = Flash(mapping?["executable"]), let variables = Flash(mapping?["nvram-template"])
    else { return nil }
    (self.code, self.variables) = (code, variables)
  }

  init(code: Flash, variables: Flash) {
    (self.code, self.variables) = (code, variables)
  }

  private init(raw code: String, _ variables: String) {
    self.code = Flash(path: code, format: "raw")
    self.variables = Flash(path: variables, format: "raw")
  }

  private var exists: Bool { FileSystem.isFile(code.path) && FileSystem.isFile(variables.path) }

  /// Where packages without descriptions put it.
  private static func usual(_ cpu: CPU) -> [Firmware] {
    switch cpu {
    case .x86_64:
      [
        Firmware(raw: "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
        Firmware(raw: "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
        Firmware(raw: "/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
        Firmware(raw: "/opt/homebrew/share/qemu/edk2-x86_64-code.fd", "/opt/homebrew/share/qemu/edk2-i386-vars.fd"),
        Firmware(raw: "/usr/local/share/qemu/edk2-x86_64-code.fd", "/usr/local/share/qemu/edk2-i386-vars.fd"),
      ]
    case .arm64:
      [
        Firmware(raw: "/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"),
        Firmware(raw: "/usr/share/edk2/aarch64/QEMU_CODE.fd", "/usr/share/edk2/aarch64/QEMU_VARS.fd"),
        Firmware(raw: "/opt/homebrew/share/qemu/edk2-aarch64-code.fd", "/opt/homebrew/share/qemu/edk2-arm-vars.fd"),
        Firmware(raw: "/usr/local/share/qemu/edk2-aarch64-code.fd", "/usr/local/share/qemu/edk2-arm-vars.fd"),
      ]
    }
  }
}

extension Firmware.Flash {
  fileprivate init?(_ value: JSONValue?) {
    guard let path = value?["filename"]?.string, let format = value?["format"]?.string else { return nil }
    self.init(path: path, format: format)
  }
}

extension Firmware {
  /// This firmware with variables of a machine's own, a copy at `path`.
  /// - Throws: `Failure`.
  func withOwnVariables(at path: String) throws(Failure) -> Firmware {
    try FileSystem.write(try FileSystem.read(variables.path, limit: 128 << 20), to: path, mode: 0o600)
    var firmware = self
    firmware.variables.path = path
    return firmware
  }
}
