import MusterCatalog
import MusterHost
import MusterImages
import MusterMachines
import MusterQEMU
import MusterTestSupport

extension Subject {
  /// Real machines, of the tiny guest of `Tests/Fixtures`.
  static let qemu = Subject(
    name: "qemu",
    obstacle: {
      HostFacts.tool("qemu-system-x86_64") == nil || CPU.host != .x86_64 ? "the tiny guest needs QEMU on x86_64" : nil
    },
    with: { body in
      let cache = TestCache.folder
      let backend = QEMUBackend(cache: cache, store: ImageStore(cache: cache, offline: true))
      let image = ImageDescription(
        name: "tiny", source: .file(path: try await TestCache.tinyDisk(), checksum: nil), cpu: .x86_64, firmware: .bios,
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
          folder: folder.path, diskSize: "echo $(($(cat /sys/class/block/vda/size) * 512))", hasPlainUser: false))
    })
}
