// swift-tools-version: 6.2
import PackageDescription

// A package whose tests use machines. In one of your own, name Muster by its address:
//   .package(url: "https://…/muster", from: "0.1.0")
let package = Package(
  name: "deploy",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "muster", path: "../..")],
  targets: [
    .testTarget(name: "DeployTests", dependencies: [.product(name: "MusterKit", package: "muster")])
  ]
)
