import MusterDiagnostics
import MusterYAML

/// Reads a file and the files that it extends, and makes one tree of them.
///
/// What a file says wins over what it extends, and of several files the later ones win. `vars`, `env`, `resources`,
/// `timeouts`, `attempts`, `logs`, `distros` and `tests` are merged key by key, so that a distro or a test of the same
/// name takes the other's place as a whole; every other key is replaced.
struct Loader {
  let workingDirectory: String
  private(set) var diagnostics: [Diagnostic] = []
  private(set) var isUnreadable = false
  private var loaded: [String: Node] = [:]

  private static let mergedKeys: Set<String> = [
    "vars", "env", "resources", "timeouts", "attempts", "logs", "distros", "tests",
  ]
  private static let mostFiles = 64

  init(workingDirectory: String) {
    self.workingDirectory = workingDirectory
  }

  /// The tree, or `nil` when some file of it could not be read, which is told.
  mutating func load(_ path: String) -> Node? {
    do throws(SourceFileError) {
      guard let node = try read(path) else { return nil }
      return extended(node, path, chain: [normalized(path)])
    } catch {
      diagnostics.append(error.diagnostic)
      isUnreadable = true
      return nil
    }
  }

  /// The node with what it extends in place.
  private mutating func extended(_ node: Node, _ path: String, chain: [String]) -> Node? {
    guard case .mapping(var mapping) = node.content,
      let index = mapping.entries.firstIndex(where: { $0.key == "extends" })
    else { return node }
    let value = mapping.entries.remove(at: index).value
    guard let bases = bases(value) else { return nil }
    var merged: Mapping?
    var isWhole = true
    for base in bases {
      guard case .mapping(let more)? = load(base.path, named: base.node, from: path, chain)?.content else {
        isWhole = false
        continue
      }
      merged = merged.map { self.merged($0, with: more) } ?? more
    }
    guard isWhole else { return nil }
    return Node(.mapping(merged.map { self.merged($0, with: mapping) } ?? mapping), at: node.span)
  }

  private mutating func bases(_ value: Node) -> [(path: String, node: Node)]? {
    let nodes: [Node]
    if case .sequence(let several) = value.content { nodes = several } else { nodes = [value] }
    var bases: [(path: String, node: Node)] = []
    for node in nodes {
      guard case .scalar(let scalar) = node.content, !scalar.isNull else {
        report("expected the path of a matrix", at: node.span, hint: "write 'extends: base.yaml', or a list")
        return nil
      }
      bases.append((scalar.text, node))
    }
    return bases
  }

  private mutating func load(_ base: String, named node: Node, from path: String, _ chain: [String]) -> Node? {
    let folder = Path.folder(of: path)
    let shown = base.hasPrefix("/") || folder == "." ? base : Path.absolute(base, in: folder)
    let whole = normalized(shown)
    if chain.contains(whole) {
      report("'\(base)' extends this file in turn", at: node.span, hint: "move what both need to a third file")
      return nil
    }
    if let known = loaded[whole] { return known }
    guard loaded.count + chain.count < Self.mostFiles else {
      report("more than \(Self.mostFiles) files extend each other", at: node.span)
      return nil
    }
    do throws(SourceFileError) {
      guard let read = try read(shown) else { return nil }
      guard case .mapping = read.content else {
        report("'\(base)' is not a matrix: it holds no mapping", at: node.span)
        return nil
      }
      guard let known = extended(read, shown, chain: chain + [whole]) else { return nil }
      loaded[whole] = known
      return known
    } catch {
      report("cannot read '\(shown)': \(error.message)", at: node.span, hint: error.hint)
      return nil
    }
  }

  private func merged(_ base: Mapping, with own: Mapping) -> Mapping {
    var merged = base
    var places: [String: Int] = [:]
    for (index, entry) in base.entries.enumerated() { places[entry.key] = index }
    for entry in own.entries {
      guard let place = places[entry.key] else {
        merged.entries.append(entry)
        continue
      }
      var entry = entry
      if Self.mergedKeys.contains(entry.key), case .mapping(let below) = base.entries[place].value.content,
        case .mapping(let above) = entry.value.content
      {
        entry.value.content = .mapping(mergedEntries(below, above))
      }
      merged.entries[place] = entry
    }
    return merged
  }

  /// One level only: what stands below a key of both is the later one's.
  private func mergedEntries(_ base: Mapping, _ own: Mapping) -> Mapping {
    var merged = base
    var places: [String: Int] = [:]
    for (index, entry) in base.entries.enumerated() { places[entry.key] = index }
    for entry in own.entries {
      if let place = places[entry.key] { merged.entries[place] = entry } else { merged.entries.append(entry) }
    }
    return merged
  }

  private mutating func report(_ message: String, at span: Span, hint: String? = nil) {
    diagnostics.append(Diagnostic(.error, message, at: span, hint: hint))
  }

  /// The file's tree; `nil` when it has none, which is told.
  private mutating func read(_ path: String) throws(SourceFileError) -> Node? {
    let file = try SourceFile.read(Path.absolute(path, in: workingDirectory), shownAs: path)
    let document = YAMLDocument.parse(file)
    diagnostics += document.diagnostics
    return document.root
  }

  /// The whole path without `.` and `..`, to tell whether two are the same.
  private func normalized(_ path: String) -> String {
    var parts: [Substring] = []
    for part in Path.absolute(path, in: workingDirectory).split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }
}
