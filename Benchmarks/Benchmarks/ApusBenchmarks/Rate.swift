import Apus
import ApusBenchmark
import Benchmark
import CBenchmark

/// Registers `name` on `device`: a sample is the rate over as many runs as fill 50 ms.
///
/// - Parameters:
///   - unit: the metric of the rate.
///   - unitsPerRun: how many of its units one run does.
///   - prepare: opens the device and compiles the work.
func registerRate(
  of name: String, unit: BenchmarkMetric, unitsPerRun: Int = 1, on device: Device,
  prepare: @escaping () throws -> any Workload
) {
  var metrics = [unit, .gflops, .percentOfPeak]
  if apus_counts_allocations() { metrics.append(.hostAllocations) }
  Benchmark(
    "\(name) \(device)",
    configuration: .init(metrics: metrics, warmupIterations: 0, maxDuration: .seconds(2), maxIterations: 1000)
  ) { (benchmark: Benchmark, work: WarmWork?) throws in
    try work?.sample(benchmark, unit, unitsPerRun: unitsPerRun)
  } setup: {
    try unlessMissing(device) { try WarmWork(prepare()) }
  }
}

/// Work whose caches are filled, with what its samples need to know.
private struct WarmWork {
  private let work: any Workload
  private let runsPerSample: Int
  /// `nil` on a device whose peak the processor's does not tell.
  private let peakGflops: Double?

  private static let warmUp = Duration.milliseconds(500)
  private static let sampleTime = Duration.milliseconds(50)

  init(_ work: any Workload) throws {
    let peak = work.device.kind == .cpu ? apus_fma_peak_gflops(Int32(work.device.computeUnits)) : 0
    let end = ContinuousClock.now + Self.warmUp
    var shortest = try work.duration(ofRuns: 1)
    while ContinuousClock.now < end { shortest = min(shortest, try work.duration(ofRuns: 1)) }
    self.work = work
    runsPerSample = max(1, Int(Self.sampleTime / shortest))
    peakGflops = peak > 0 ? peak : nil
  }

  func sample(_ benchmark: Benchmark, _ unit: BenchmarkMetric, unitsPerRun: Int) throws {
    let allocationsBefore = apus_own_allocation_count()
    let seconds = try work.duration(ofRuns: runsPerSample) / .seconds(1)
    let allocations = Int(apus_own_allocation_count() - allocationsBefore)

    let runsPerSecond = Double(runsPerSample) / seconds
    let gflops = work.operations * runsPerSecond * 1e-9
    benchmark.measurement(unit, rounded(runsPerSecond * Double(unitsPerRun)))
    benchmark.measurement(.gflops, rounded(gflops))
    if let peakGflops { benchmark.measurement(.percentOfPeak, rounded(100 * gflops / peakGflops)) }
    benchmark.measurement(.hostAllocations, (allocations + runsPerSample - 1) / runsPerSample)
  }

  private func rounded(_ value: Double) -> Int { Int(value.rounded()) }
}
