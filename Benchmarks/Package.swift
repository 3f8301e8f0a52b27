// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "benchmarks",
  dependencies: [
    .package(name: "apus", path: "../"),
    // Without its traits: its counters of allocations need libraries that it would build and load before all others.
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
  ],
  targets: [
    .executableTarget(
      name: "ApusBenchmarks",
      dependencies: [
        .product(name: "Apus", package: "apus"),
        .product(name: "ApusBenchmark", package: "apus"),
        .product(name: "Benchmark", package: "benchmark"),
      ],
      path: "Benchmarks/ApusBenchmarks",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
  ]
)
