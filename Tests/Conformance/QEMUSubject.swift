import MusterCatalog
import MusterHost
import MusterImages
import MusterMachines
import MusterQEMU
import MusterTestSupport
import SystemPackage

extension Subject {
  /// Real machines, of the tiny guest of `Tests/Fixtures`.
  static let qemu = Subject(
    name: "qemu",
    obstacle: {
      HostFacts.tool("qemu-system-x86_64") == nil || CPU.host != .x86_64 ? "the tiny guest needs QEMU on x86_64" : nil
    },
    with: { body in
      let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent().string
      let cache = HostFacts.environment("MUSTER_TEST_CACHE") ?? "\(root)/.build/muster-test-cache"
      let tiny = HostCommand("\(root)/Tests/Fixtures/tiny-guest.sh", ["\(cache)/tiny"])
      let made = try await tiny.run(deadline: .seconds(600))
      guard made.ending.isSuccess else { throw Failure(.host, "there is no tiny guest: \(made.errorText)") }
      let backend = QEMUBackend(cache: cache, store: ImageStore(cache: cache, offline: true))
      let image = ImageDescription(
        name: "tiny", source: .file(path: "\(cache)/tiny/disk.img", checksum: nil), cpu: .x86_64, firmware: .bios,
        initialization: .cloudInit)
      try await backend.prepare(image) { _ in }
      let folder = try TestFolder()
      let scale = await backend.status().timeScale
      try await body(
        Site(
          backend: backend,
          request: LaunchRequest(
            name: MachineName(text: ""), image: image, cpus: 1, memory: 256 << 20, disk: 256 << 20, logs: "",
            workspace: "", deadline: .seconds(60) * scale),
          folder: folder.path, hasPlainUser: false))
    })
}
