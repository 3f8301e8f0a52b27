// swift-tools-version: 6.2
import PackageDescription

let swift: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
  name: "apus",
  products: [
    .library(name: "Apus", targets: ["Apus"]),
    .executable(name: "apus", targets: ["ApusCommand"]),
    // For the package in Benchmarks/ only.
    .library(name: "ApusBenchmark", targets: ["ApusBenchmark", "CBenchmark"]),
  ],
  traits: [
    .trait(name: "OpenCL", description: "The OpenCL backend: any device with an OpenCL driver."),
    .trait(name: "OneDNN", description: "oneDNN for the CPU backend's convolutions and products."),
    .default(enabledTraits: ["OpenCL", "OneDNN"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
  ],
  targets: [
    // Graphs, layers, training: pure Swift.
    .target(name: "ApusCore", swiftSettings: swift),
    .target(name: "ApusNN", dependencies: ["ApusCore"], swiftSettings: swift),
    .target(name: "ApusOptimize", dependencies: ["ApusCore"], swiftSettings: swift),
    .target(name: "ApusSafetensors", dependencies: ["ApusCore"], swiftSettings: swift),
    .target(name: "ApusData", dependencies: ["ApusCore", "CImage"], swiftSettings: swift),
    .target(
      name: "ApusTraining",
      dependencies: ["ApusCore", "ApusNN", "ApusOptimize", "ApusData", "ApusDevices", "ApusSafetensors"],
      swiftSettings: swift),

    // Cases of operations, for the self-test, the tuner, tests and benchmarks.
    .target(name: "ApusCases", dependencies: ["ApusCore"], swiftSettings: swift),

    // Backends, and the choice between them at run time.
    .target(
      name: "ApusCPU",
      dependencies: [
        "ApusCore", "CThreads", "CVector", .target(name: "COneDNN", condition: .when(traits: ["OneDNN"])),
      ],
      swiftSettings: swift),
    .target(name: "ApusOpenCL", dependencies: ["ApusCore", "COpenCL", "CKernels"], swiftSettings: swift),
    .target(
      name: "ApusDevices",
      dependencies: [
        "ApusCore", "ApusCases", "ApusCPU", .target(name: "ApusOpenCL", condition: .when(traits: ["OpenCL"])),
      ],
      swiftSettings: swift),

    // C shims over system libraries, which are loaded at run time: none is needed to build. The kernels' sources.
    .target(name: "CThreads"),
    .target(name: "CVector"),
    .target(
      name: "COneDNN",
      cSettings: [.define("APUS_ONEDNN", .when(traits: ["OneDNN"]))],
      linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    .target(
      name: "COpenCL",
      cSettings: [.define("APUS_OPENCL", .when(traits: ["OpenCL"]))],
      linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    .target(name: "CKernels"),
    .target(name: "CBenchmark"),
    .target(
      name: "CImage", exclude: ["libjpeg/README.md", "libjpeg/README.ijg", "libjpeg/LICENSE.md"],
      linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),

    // What users import, and the program.
    .target(
      name: "Apus",
      dependencies: [
        "ApusCore", "ApusNN", "ApusOptimize", "ApusData", "ApusDevices", "ApusTraining", "ApusSafetensors",
      ],
      swiftSettings: swift),
    .executableTarget(
      name: "ApusCommand",
      dependencies: [
        "Apus", "ApusCore", "ApusTraining", "CBenchmark",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swift),

    .target(
      name: "ApusBenchmark",
      dependencies: ["ApusCore", "ApusCases", "ApusNN", "ApusOptimize", "ApusData", "ApusDevices", "ApusTraining"],
      swiftSettings: swift),

    // Tests mirror the sources; ApusBackendTests runs one list of cases on every backend.
    .testTarget(name: "ApusCoreTests", dependencies: ["ApusCore"]),
    .testTarget(name: "ApusCPUTests", dependencies: ["ApusCore", "ApusCPU"]),
    .testTarget(
      name: "ApusOpenCLTests",
      dependencies: [
        "ApusCore", "ApusDevices", "ApusNN", "ApusOptimize", "ApusTraining",
        .target(name: "ApusOpenCL", condition: .when(traits: ["OpenCL"])),
      ]),
    .testTarget(
      name: "ApusBackendTests",
      dependencies: [
        "ApusCases", "ApusCore", "ApusCPU", "ApusData", "ApusDevices", "ApusNN", "ApusOptimize", "ApusSafetensors",
        "ApusTraining", .target(name: "ApusOpenCL", condition: .when(traits: ["OpenCL"])),
      ],
      exclude: ["Golden"]),
    .testTarget(name: "ApusDataTests", dependencies: ["ApusData", "ApusCore"], exclude: ["Fixtures"]),
    .testTarget(
      name: "ApusNNTests", dependencies: ["ApusCore", "ApusDevices", "ApusNN", "ApusSafetensors"]),
    .testTarget(
      name: "ApusOptimizeTests", dependencies: ["ApusCore", "ApusDevices", "ApusOptimize", "ApusSafetensors"]),
    .testTarget(
      name: "ApusTrainingTests",
      dependencies: [
        "ApusCore", "ApusCPU", "ApusData", "ApusDevices", "ApusNN", "ApusOptimize", "ApusSafetensors", "ApusTraining",
        "CBenchmark",
      ]),
    .testTarget(name: "ApusSafetensorsTests", dependencies: ["ApusSafetensors", "ApusCore"]),
  ],
  cLanguageStandard: .c2x
)
