// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

/// Whether most code is made small: `examples/build.sh` asks for it, and nobody who depends on this package may. What reads
/// and plans a matrix of a hundred thousand lines is made quick all the same.
let isSmall = Context.environment["MUSTER_BUILD"] == "small"
let quickRooms: Set = ["YAML", "Matrix", "Diagnostics"]

/// A room of the house: a target whose folder is named like the room, and whose module carries the prefix.
func room(
  _ name: String, path: String? = nil, uses rooms: [String] = [], _ products: [Target.Dependency] = []
) -> Target {
  .target(
    name: "Muster\(name)",
    dependencies: rooms.map { .target(name: $0 == "CLibYAML" ? $0 : "Muster\($0)") } + products,
    path: "Sources/\(path ?? name)",
    swiftSettings: settings + (isSmall && !quickRooms.contains(name) ? [.unsafeFlags(["-Osize"])] : []))
}

/// What tests of several rooms share.
func support(_ name: String, path: String, uses rooms: [String], _ products: [Target.Dependency] = []) -> Target {
  .target(
    name: "Muster\(name)",
    dependencies: rooms.map { .target(name: "Muster\($0)") } + products,
    path: "Tests/\(path)",
    swiftSettings: settings)
}

func tests(
  of room: String, uses rooms: [String] = [], _ products: [Target.Dependency] = [], excluding files: [String] = []
) -> Target {
  .testTarget(
    name: "\(room)Tests",
    dependencies: ([room] + rooms).map { .target(name: "Muster\($0)") } + products,
    path: "Tests/\(room)",
    exclude: files,
    swiftSettings: settings)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let customDump = Target.Dependency.product(name: "CustomDump", package: "swift-custom-dump")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")

let package = Package(
  name: "muster",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "muster", targets: ["muster"]),
    .library(name: "MusterKit", targets: ["MusterKit"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/pointfreeco/swift-custom-dump", from: "1.7.3"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
  ],
  targets: [
    .systemLibrary(
      name: "CLibYAML", path: "Sources/CLibYAML", pkgConfig: "yaml-0.1",
      providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
    room("Catalog"),
    room("Diagnostics"),
    room("YAML", uses: ["CLibYAML", "Diagnostics"], [system]),
    room("Matrix", uses: ["YAML", "Diagnostics", "Catalog", "Host"]),
    room("Channels", uses: ["Matrix", "Catalog", "Diagnostics"]),
    room("Host", [subprocess, system, unixSignals]),
    room("Images", uses: ["Guest", "Host", "Catalog"], [system]),
    room("Guest", uses: ["Host"], [system]),
    room("Machines", uses: ["Guest", "Host", "Images", "Catalog"], [system]),
    room("QEMU", path: "Backends/QEMU", uses: ["Machines", "Images", "Guest", "Host", "Catalog"], [system]),
    room("Managers", path: "Backends/Managers", uses: ["Machines", "Images", "Guest", "Host", "Catalog"]),
    room("Multipass", path: "Backends/Multipass", uses: ["Managers", "Machines", "Guest", "Host", "Catalog"]),
    room("OrbStack", path: "Backends/OrbStack", uses: ["Managers", "Machines", "Guest", "Host", "Catalog"]),
    room("Incus", path: "Backends/Incus", uses: ["Managers", "Machines", "Images", "Guest", "Host", "Catalog"]),
    room("Lima", path: "Backends/Lima", uses: ["Managers", "Machines", "Guest", "Host", "Catalog"]),
    room(
      "Backends", path: "Backends/All",
      uses: ["QEMU", "Managers", "Multipass", "OrbStack", "Incus", "Lima", "Machines", "Images", "Matrix"]),
    room(
      "Execution", uses: ["Matrix", "Channels", "Machines", "Guest", "Images", "Host", "Catalog", "Diagnostics"],
      [system]),
    room("Reports", uses: ["Execution", "Machines", "Matrix", "Host", "Diagnostics"], [system]),
    room(
      "Commands",
      uses: [
        "Reports", "Execution", "Backends", "QEMU", "Managers", "Machines", "Images", "Guest", "Host", "Channels",
        "Matrix",
        "YAML", "Catalog", "Diagnostics",
      ],
      [argumentParser, system]),
    room(
      "Kit", path: "MusterKit",
      uses: ["Execution", "Backends", "Machines", "Images", "Guest", "Host", "Catalog", "Matrix"],
      [system]),
    .executableTarget(
      name: "muster", dependencies: ["MusterCommands"], path: "Sources/muster", swiftSettings: settings),

    support("TestSupport", path: "Support", uses: ["Guest", "Host"], [system]),
    support(
      "TestManagers", path: "TestManagers",
      uses: ["TestSupport", "Managers", "Multipass", "OrbStack", "Lima", "Machines", "Guest", "Host", "Catalog"]),
    tests(of: "Catalog"),
    tests(of: "Diagnostics"),
    tests(of: "YAML", uses: ["Diagnostics"], [customDump, system]),
    tests(of: "Matrix", uses: ["YAML", "Diagnostics", "Catalog"], [customDump]),
    tests(
      of: "Channels", uses: ["Matrix", "Catalog", "Diagnostics", "Host"], [customDump], excluding: ["Texts"]),
    tests(of: "Host", uses: ["TestSupport"], [subprocess, system]),
    tests(of: "Images", uses: ["TestSupport", "Guest", "Host", "Catalog"], [system]),
    tests(of: "Guest", uses: ["TestSupport", "Host"], [system]),
    tests(of: "Machines", uses: ["Images", "Host", "Catalog"]),
    tests(of: "QEMU", uses: ["TestSupport", "Machines", "Images", "Guest", "Host", "Catalog"], [system]),
    tests(
      of: "Incus", uses: ["TestSupport", "TestManagers", "Managers", "Machines", "Images", "Guest", "Host", "Catalog"],
      [system]),
    tests(
      of: "Managers",
      uses: ["TestSupport", "TestManagers", "Multipass", "OrbStack", "Lima", "Machines", "Guest", "Host", "Catalog"]),
    .testTarget(
      name: "ConformanceTests",
      dependencies: ["QEMU", "Incus", "TestSupport", "TestManagers", "Machines", "Images", "Guest", "Host", "Catalog"]
        .map {
          .target(name: "Muster\($0)")
        } + [system], path: "Tests/Conformance", swiftSettings: settings),
    tests(
      of: "Execution",
      uses: ["Matrix", "Channels", "Machines", "Guest", "Images", "Host", "Catalog", "Diagnostics", "YAML"],
      [customDump, system]),
    tests(
      of: "Reports", uses: ["Execution", "Machines", "Matrix", "Host", "Diagnostics"], [customDump, system],
      excluding: ["Goldens"]),
    tests(
      of: "Commands", uses: ["Execution", "Host", "Machines", "Managers", "TestSupport", "TestManagers"],
      [subprocess, system]),
    tests(of: "Kit", uses: ["TestSupport", "TestManagers", "Host"], [system]),
    .executableTarget(
      name: "kit-program", dependencies: ["MusterKit"], path: "Tests/Programs/kit-program", swiftSettings: settings),
  ]
)
