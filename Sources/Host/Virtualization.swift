import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What this host offers to run virtual machines with the processor's help, as far as can be seen without trying.
package struct Virtualization: Sendable, Hashable {
  package enum Access: Sendable, Hashable {
    case granted
    /// It is there, but this user may not use it; says what to do.
    case denied(hint: String)
    case missing
  }

  /// QEMU's name of the accelerator: `kvm`, `hvf`.
  package var accelerator: String
  package var access: Access

  package init(accelerator: String, access: Access) {
    self.accelerator = accelerator
    self.access = access
  }

  /// Of this host, now.
  package static var current: Virtualization {
    #if canImport(Darwin)
      var supported: Int32 = 0
      var length = MemoryLayout<Int32>.size
      let result = unsafe sysctlbyname("kern.hv_support", &supported, &length, nil, 0)
      return Virtualization(accelerator: "hvf", access: result == 0 && supported != 0 ? .granted : .missing)
    #else
      let device = "/dev/kvm"
      if !may(F_OK, device) { return Virtualization(accelerator: "kvm", access: .missing) }
      if may(R_OK | W_OK, device) { return Virtualization(accelerator: "kvm", access: .granted) }
      return Virtualization(
        accelerator: "kvm",
        access: .denied(hint: "run 'sudo usermod -aG kvm \(HostFacts.userName)' and log in again"))
    #endif
  }

  /// The processor's own name, such as `Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz`.
  package static var processorName: String {
    #if canImport(Darwin)
      var length = 0
      guard unsafe sysctlbyname("machdep.cpu.brand_string", nil, &length, nil, 0) == 0 else { return "unknown" }
      var bytes = [UInt8](repeating: 0, count: length)
      guard unsafe sysctlbyname("machdep.cpu.brand_string", &bytes, &length, nil, 0) == 0 else { return "unknown" }
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    #else
      let text = (try? FileSystem.readText("/proc/cpuinfo")) ?? ""
      // x86 has `model name`; arm64 has only numbers, of which the part tells the core.
      for key in ["model name", "CPU part"] {
        if let line = text.split(separator: "\n").first(where: { $0.hasPrefix(key) }),
          let colon = line.firstIndex(of: ":")
        {
          return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
      }
      return "unknown"
    #endif
  }

  /// The kernel that this host itself runs, where this user may read it: one that can be tried in a machine.
  package static var hostKernel: String? {
    let path = "/boot/vmlinuz-\(HostFacts.kernelRelease)"
    return may(R_OK, path) ? path : nil
  }

  private static func may(_ mode: Int32, _ path: String) -> Bool {
    #if canImport(Darwin)
      unsafe Darwin.access(path, mode) == 0
    #else
      unsafe Glibc.access(path, mode) == 0
    #endif
  }
}
