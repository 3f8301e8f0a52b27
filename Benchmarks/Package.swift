// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "benchmarks",
  dependencies: [
    .package(name: "apus", path: "../"),
    // Without its traits: its counters of allocations need libraries that it would build and load before all others.
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
  ],
  targets: [
    .executableTarget(
      name: "cliffs",
      dependencies: [
        .product(name: "Apus", package: "apus"),
        .product(name: "ApusBenchmark", package: "apus"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/Cliffs"),
    .executableTarget(
      name: "rates",
      dependencies: [
        .product(name: "Apus", package: "apus"),
        .product(name: "ApusBenchmark", package: "apus"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/Rates"),
    .executableTarget(
      name: "ApusBenchmarks",
      dependencies: [
        .product(name: "Apus", package: "apus"),
        .product(name: "ApusBenchmark", package: "apus"),
        .product(name: "Benchmark", package: "benchmark"),
      ],
      path: "Benchmarks/ApusBenchmarks",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
  ]
)
