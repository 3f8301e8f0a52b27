// swift-tools-version: 6.2
import PackageDescription

// What a user's package sees of Apus; built and run by Scripts/test-package, from a folder two below the root.
let apus: [Target.Dependency] = [.product(name: "Apus", package: "apus")]
let package = Package(
  name: "outside",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "apus", path: "../..")],
  targets: [
    .executableTarget(name: "Concurrency", dependencies: apus),
    // The README's code.
    .executableTarget(name: "Beginning", dependencies: apus),
    .executableTarget(name: "Library", dependencies: apus),
  ],
  swiftLanguageModes: [.v6]
)
