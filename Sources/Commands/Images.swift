import ArgumentParser
import MusterCatalog
import MusterExecution
import MusterHost
import MusterImages
import MusterMatrix
import MusterQEMU
import MusterReports
import SystemPackage

/// `muster images`: what machines start from.
struct Images: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List, fetch, build, verify and remove images.",
    subcommands: [ListImages.self, PullImages.self, BuildImages.self, VerifyImages.self, PruneImages.self],
    defaultSubcommand: ListImages.self)
}

/// `muster images list`.
struct ListImages: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "The images on this host; with --known the names of the catalog.")

  @Flag(help: "Print the names of the catalog instead.")
  var known = false

  @Option(help: "How to print.")
  var format: TableFormat = .table

  @OptionGroup var global: GlobalOptions

  func run() async throws {
    if known {
      switch format {
      case .table: Console.write(Catalog.names.joined(separator: "\n") + "\n")
      case .json: Console.write(json { $0.member("images", array: Catalog.names) })
      }
      return
    }
    let cache = try global.directories().cache
    let images = try ImageStore(cache: cache).list()
    let templates = try TemplateStore(cache: cache).list()
    switch format {
    case .table: Console.write(table(images) + table(templates))
    case .json:
      Console.write(
        json { json in
          json.member("images", array: { write(images, to: &$0) })
          json.member("templates", array: { write(templates, to: &$0) })
        })
    }
  }

  private func table(_ templates: [TemplateStore.Stored]) -> String {
    if templates.isEmpty { return "" }
    let lines = templates.map { template in
      let state = template.unfit.map { "machines boot: \($0)" } ?? "\(ByteCount(template.size))"
      return "  \(template.name)  \(state)  made \(template.made.iso8601())  used \(template.used.iso8601())  "
        + "\(template.key.prefix(12))\n"
    }
    return "saved machines that others resume from:\n" + lines.joined()
  }

  private func table(_ images: [StoredImage]) -> String {
    if images.isEmpty { return "no images yet; 'muster run' makes them ready, as does 'muster images pull'\n" }
    let width = images.map(\.record.name.count).max() ?? 0
    return images.map { image in
      let name = image.record.name
      let pad = String(repeating: " ", count: width - name.count)
      return "\(name)\(pad)  \(ByteCount(image.size))  \(image.record.kind.rawValue) \(image.record.made.iso8601())"
        + "  used \(image.record.used.iso8601())  \(image.record.digest.hex.prefix(12))\n"
    }.joined()
  }

  private func json(_ body: (inout JSONWriter) -> Void) -> String {
    var json = JSONWriter()
    json.object(body)
    json.newline()
    return String(decoding: json.take(), as: UTF8.self)
  }

  private func write(_ images: [StoredImage], to json: inout JSONWriter) {
    for image in images {
      json.object { json in
        json.member("name", image.record.name)
        json.member("kind", image.record.kind.rawValue)
        json.member("origin", image.record.origin)
        json.member("size", image.size)
        json.member("digest", image.record.digest.hex)
        json.member("made", image.record.made.iso8601())
        json.member("used", image.record.used.iso8601())
      }
    }
  }

  private func write(_ templates: [TemplateStore.Stored], to json: inout JSONWriter) {
    for template in templates {
      json.object { json in
        json.member("name", template.name)
        json.member("key", template.key)
        json.member("size", template.size)
        json.member("made", template.made.iso8601())
        json.member("used", template.used.iso8601())
        if let unfit = template.unfit { json.member("unfit", unfit) }
      }
    }
  }
}

/// `muster images pull NAME…`.
struct PullImages: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull", abstract: "Download and verify images of the catalog.")

  @Argument(help: ArgumentHelp("Names of the catalog, such as debian/12.", valueName: "name"))
  var names: [String]

  @OptionGroup var options: ImageOptions

  func run() async throws {
    let images = try names.map { name in
      guard let image = Catalog.image(named: name, cpu: options.cpu) else {
        throw ValidationError(
          "the catalog has no image '\(name)' for \(options.cpu.rawValue); see: muster images list --known")
      }
      return image
    }
    try await options.prepare(images)
  }
}

/// `muster images build SUITE…`.
struct BuildImages: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Build images from packages, as 'image: {debootstrap: SUITE}' does.")

  @Argument(help: ArgumentHelp("Suites, such as bookworm.", valueName: "suite"))
  var suites: [String]

  @Option(name: .customLong("package"), help: ArgumentHelp("A further package to put in.", valueName: "name"))
  var packages: [String] = []

  @Option(help: ArgumentHelp("The mirror to take packages from.", valueName: "url"))
  var mirror: String?

  @OptionGroup var options: ImageOptions

  func run() async throws {
    try await options.prepare(
      suites.map { suite in
        ImageDescription(
          name: "debootstrap \(suite)",
          source: .debootstrap(Debootstrap(suite: suite, packages: packages, mirror: mirror)), cpu: options.cpu,
          firmware: .bios, initialization: .builtIn)
      })
  }
}

/// `muster images verify`.
struct VerifyImages: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Read all images again and compare them with their checksums.")

  @OptionGroup var global: GlobalOptions

  func run() async throws {
    let store = ImageStore(cache: try global.directories().cache)
    var damaged = 0
    for image in try store.list() {
      let line = ProgressLine(name: image.record.name)
      do {
        try await store.verify(image) { await line.show($0) }
        await line.end("verified")
      } catch let failure as Failure {
        damaged += 1
        await line.end("\(failure)")
      }
    }
    if damaged > 0 { throw ExitCode(.failed) }
  }
}

/// `muster images prune`.
struct PruneImages: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract: "Remove images and templates that were not used for a time, and what broken downloads left.")

  @Option(help: ArgumentHelp("Remove what was not used for this many days.", valueName: "days"))
  var unusedFor = 30

  @Option(
    help: ArgumentHelp(
      "How much templates may take (default: 20G): of more, those used longest ago go.", valueName: "size"),
    transform: size)
  var templates = TemplateStore.limit

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard (0...36_500).contains(unusedFor) else { throw ValidationError("--unused-for must be 0 to 36500") }
  }

  func run() async throws {
    let cache = try global.directories().cache
    let time = Duration.seconds(unusedFor * 86_400)
    let inUse = try await TemplateStore(cache: cache).filesInUse()
    let images = try await ImageStore(cache: cache).prune(unusedFor: time, sparing: inUse)
    for image in images.removed { Console.write("removed \(image.record.name), \(ByteCount(image.size))\n") }
    let saved = try TemplateStore(cache: cache).prune(unusedFor: time, limit: templates, sparing: inUse)
    for template in saved.removed {
      Console.write("removed a template of \(template.name), \(ByteCount(template.size))\n")
    }
    let spared = images.spared.map(\.record.name) + saved.spared.map { "a template of \($0.name)" }
    for name in spared { Console.write("\(name) stays: a machine needs it, see 'muster list'\n") }
    if images.removed.isEmpty, saved.removed.isEmpty { Console.write("nothing to remove\n") }
  }
}

/// A number of bytes as the command line gives it: `10G`.
private func size(_ text: String) throws -> Int64 {
  do {
    return try Size.parse(text)
  } catch {
    throw ValidationError("\(error.message)\(error.hint.map { "; \($0)" } ?? "")")
  }
}

/// What pulling and building have in common.
struct ImageOptions: ParsableArguments {
  @Option(help: "The architecture of the machines.")
  var cpu: CPU = .host

  @OptionGroup var global: GlobalOptions

  /// Makes the images ready, one after the other, and tells how far it has come.
  func prepare(_ images: [ImageDescription]) async throws {
    Signals.ignoreBrokenPipes()
    let directories = try global.directories()
    // What it starts is found by its ledger if it is killed.
    let id = RunID()
    let ledger = try await Ledger.begin(
      LedgerRecord.Header(id, command: "muster images"), in: directories.state)
    defer { ledger.close() }
    try await endedBySignals(ended: { ledger.close() }) {
      try await ProcessTable.$run.withValue(id.text) {
        try await Self.prepare(images, in: ImageStore(cache: directories.cache))
      }
    }
  }

  private static func prepare(_ images: [ImageDescription], in store: ImageStore) async throws {
    for image in images {
      let line = ProgressLine(name: image.name)
      let ready = try await store.prepare(image) { await line.show($0) }
      await line.end("ready: \(ready.disk)")
    }
  }
}

extension CPU: ExpressibleByArgument {}

/// How far a piece of work has come: one line that is drawn again in a terminal, a line for each activity elsewhere.
private actor ProgressLine {
  let name: String
  private let isTerminal = Terminal.isTerminal(.standardError)
  private var activity = ""

  init(name: String) {
    self.name = name
  }

  func show(_ progress: ImageProgress) {
    if isTerminal {
      Console.write("\r\u{1B}[K\(progress.text(of: name))", to: .standardError)
    } else if progress.activity != activity {
      activity = progress.activity
      Console.write("\(progress.text(of: name))\n", to: .standardError)
    }
  }

  func end(_ text: String) {
    if isTerminal { Console.write("\r\u{1B}[K", to: .standardError) }
    Console.write("\(name): \(text)\n")
  }
}
