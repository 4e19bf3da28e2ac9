import MusterCatalog
import MusterChannels
import MusterHost
import MusterImages
import MusterMachines
import MusterMatrix
import SystemPackage

extension CellPlan {
  /// What its first steps do, for the backend to keep, known by all that they depend on: what is executed, as whom, where, with
  /// which variables, what is expected, and the content of the files that are copied.
  /// - Returns: What is done after each of them.
  /// - Throws: `Failure` when such a file cannot be read, `CancellationError`.
  func machineLayers() async throws -> [MachineLayer] {
    var layers: [MachineLayer] = []
    var sources: [MachineLayer.Source] = []
    var parts = [family.rawValue]
    for kept in keptSteps {
      let step = kept.step
      parts += step.explanation(for: family)
      parts += step.environment.map { "\($0.name)=\($0.value)" }
      switch step.action {
      case .run(let run):
        parts.append("exit \(run.exit)")
        parts += (run.stdout + run.stderr).map { "\($0.kind.rawValue) \($0.text)" }
      case .copy(let copy):
        sources.append(MachineLayer.Source(path: copy.from, tree: try FileIdentity.tree(copy.from)))
        parts += try await Self.content(of: copy.from)
      default: break
      }
      layers.append(
        MachineLayer(
          content: parts.joined(separator: "\n"), lifetime: kept.lifetime, isMade: kept.isSaved, sources: sources))
    }
    return layers
  }

  /// What is brought by copying a file or folder, as lines.
  private static func content(of path: String) async throws -> [String] {
    guard let information = try FileSystem.information(path) else { return ["no file"] }
    let mode = String(information.permissions.rawValue, radix: 8)
    switch information.type {
    case .directory:
      var lines = ["folder \(mode)"]
      for name in try FileSystem.names(in: path) {
        lines.append(name)
        lines += try await content(of: "\(path)/\(name)")
      }
      return lines + ["end"]
    case .regular: return ["file \(mode) \(try await Digest.ofData(path).hex)"]
    default: return ["other \(mode)"]
    }
  }
}
