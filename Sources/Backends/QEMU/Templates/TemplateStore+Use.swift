import MusterHost

extension TemplateStore {
  /// The absolute paths of the files, images and templates, that the disks of this user's machines read from: of those that
  /// live, of those that were kept, and of those that are still to be purged.
  /// - Throws: `Failure` when that cannot be told, `CancellationError`.
  package func filesInUse() async throws -> Set<String> {
    var files: Set<String> = []
    for disk in disks {
      guard let tool = HostFacts.tool("qemu-img") else {
        throw Failure(
          .host, "'qemu-img' is not installed, so it cannot be told what the disk '\(disk)' reads from",
          hint: "install qemu-utils, or purge its machine: 'muster list' and 'muster clean'")
      }
      do {
        try await gather(disk, by: DiskTool(path: tool), into: &files)
      } catch let failure as Failure {
        // It may have been purged meanwhile.
        if FileSystem.isFile(disk) { throw failure }
      }
    }
    return files
  }

  /// A machine that is to be saved has its disk where it will be saved.
  private var disks: [String] {
    let made = ((try? FileSystem.names(in: folder)) ?? []).filter { $0.hasSuffix(Self.newSuffix) }
    let own = (try? FileSystem.names(in: Workspaces.folder)) ?? []
    return (made.map { "\(folder)/\($0)" } + own.map { "\(Workspaces.folder)/\($0)" })
      .map { "\($0)/\(MachineLaunch.diskName)" }.filter(FileSystem.isFile)
  }

  private func gather(_ disk: String, by tool: DiskTool, into files: inout Set<String>) async throws {
    var disk = disk
    while let base = try await tool.base(of: disk), files.insert(base).inserted {
      // Of all that a disk may read from, only another overlay of Muster's reads from anything else.
      guard base.hasSuffix("/\(Template.diskName)"), FileSystem.isFile(base) else { return }
      disk = base
    }
  }
}
