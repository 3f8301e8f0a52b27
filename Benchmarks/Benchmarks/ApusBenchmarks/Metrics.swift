import Benchmark

// The package's custom metrics are whole numbers.
extension BenchmarkMetric {
  static let runsPerSecond = custom("Runs / s", polarity: .prefersLarger, useScalingFactor: false)
  static let imagesPerSecond = custom("Images / s", polarity: .prefersLarger, useScalingFactor: false)
  /// In convolutions and products.
  static let gflops = custom("GFLOP / s", polarity: .prefersLarger, useScalingFactor: false)
  /// Of fused multiply-adds on registers, measured on all threads before the benchmark.
  static let percentOfPeak = custom("% of FMA peak", polarity: .prefersLarger, useScalingFactor: false)
  /// Calls of the C allocator by this program and Swift's runtime, rounded up.
  static let hostAllocations = custom("Host allocations / run", useScalingFactor: false)
  /// From the start of the program to the end of the first step.
  static let firstStep = custom("First step (ms)", useScalingFactor: false)
}
