import MusterCatalog
import MusterHost
import MusterImages
import MusterMachines
import MusterTestManagers
import MusterTestSupport
import Synchronization

@testable import MusterIncus

extension Subject {
  /// Real containers, of a LXD of the tests' own and from an image that Muster builds.
  static let lxd = Subject(
    name: "lxd",
    obstacle: { await LXDServer.obstacle() },
    with: { body in
      let server = try await LXDServer.shared()
      let backend = IncusBackend(
        IncusManager(.lxd, settings: IncusSettings(instance: .container), environment: server.environment),
        store: ImageStore(cache: TestCache.folder))
      let image = ImageDescription(
        name: "debootstrap bookworm", source: .debootstrap(Debootstrap(suite: "bookworm")), cpu: .host,
        firmware: .bios, initialization: .builtIn)
      try await backend.prepare(image) { _ in }
      let folder = try TestFolder()
      let others = Mutex<[String]>([])
      let site = Site(
        backend: backend,
        request: LaunchRequest(
          name: MachineName(text: ""), image: image, cpus: 1, memory: 256 << 20, disk: 2 << 30, logs: "",
          workspace: "", deadline: .seconds(300)),
        folder: folder.path,
        makeOther: { name in
          try await server.lxc("init", "--empty", name)
          others.withLock { $0.append(name) }
        }, tellsOwnByMore: true)
      let result: Result<Void, any Error>
      do { result = .success(try await body(site)) } catch { result = .failure(error) }
      // Other suites share the server.
      for name in others.withLock({ $0 }) { try await server.lxc("delete", "--force", name) }
      try result.get()
    })
}
