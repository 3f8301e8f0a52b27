import Apus
import ApusCore
import ApusTraining
import ArgumentParser
import Foundation

/// `apus benchmark`
struct Benchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures the speed of training or inference.",
    discussion: """
      Synthetic pictures lie on the device before the clock starts. After a warm-up the steps are timed in five rounds; \
      figures that cannot be measured here are null.
      """)

  @OptionGroup var workload: WorkloadOptions

  @Option(help: ArgumentHelp("Steps to time.", valueName: "n"))
  var steps = 200

  @Flag(help: "Wait for each step's result before the next one starts: latency instead of throughput.")
  var synchronous = false

  @Flag(help: "Print one line of JSON.")
  var json = false

  private static let rounds = 5

  func validate() throws {
    try requireCount(steps, "--steps")
  }

  func run() throws {
    let report = try measured()
    if json { return try printJSON(report) }
    let rates = report.imagesPerSecond
    var text = "\(report.model), batch \(report.batchSize), \(report.mode), on \(report.device)\n"
    text += String(
      format: "  %.0f images/s (%.0f to %.0f over %d rounds)\n", rates.median, rates.min, rates.max, Self.rounds)
    text += String(format: "  %.1f GFLOP/s in convolutions and products", report.gflops)
    if let fraction = report.fractionOfPeak { text += String(format: ", %.0f %% of the measured peak", 100 * fraction) }
    text += "\n  \(report.launchesPerStep) launches a step"
    if let own = report.hostAllocationsPerStep, let libraries = report.libraryAllocationsPerStep {
      text += String(format: ", %.1f host allocations and %.1f of the libraries", own, libraries)
    }
    text += "\n  \(report.peakDeviceBytes.formattedBytes) of device memory at most"
    if let first = report.firstStepSeconds { text += String(format: "\n  first step after %.2f s", first) }
    print(text)
  }

  private func measured() throws -> BenchmarkReport {
    let (trainer, runner) = try workload.prepare()
    let batchSize = workload.batchSize
    try runner.start()
    try runner.wait()
    let firstStep = ProcessClock.secondsSinceStart

    try warmUp(runner)
    let stepsPerRound = max(1, steps / Self.rounds)
    var rates: [Double] = []
    rates.reserveCapacity(Self.rounds)
    // Reading the result of a round is no part of its steps.
    var stepAllocations = 0
    let before = Host.allocations
    for _ in 0..<Self.rounds {
      let ownBefore = Host.allocations?.own ?? 0
      let start = ContinuousClock.now
      for _ in 0..<stepsPerRound {
        try runner.start()
        if synchronous { try runner.wait() }
      }
      stepAllocations += (Host.allocations?.own ?? 0) - ownBefore
      if !synchronous { try runner.wait() }
      rates.append(Double(stepsPerRound * batchSize) / ((ContinuousClock.now - start) / .seconds(1)))
    }
    let stepCount = Double(Self.rounds * stepsPerRound)
    let libraryAllocations = Host.allocations.map { $0.libraries - (before?.libraries ?? 0) }

    let imagesPerSecond = BenchmarkReport.Rates(rates)
    let gflops = try workload.operationsPerImage(trainer.model) * imagesPerSecond.median * 1e-9
    return BenchmarkReport(
      model: workload.model.name, device: trainer.device.identifier, batchSize: batchSize,
      mode: workload.mode.rawValue, precision: workload.precision.rawValue, imagesPerSecond: imagesPerSecond,
      gflops: gflops, fractionOfPeak: Peak.gflops(of: trainer.session).map { gflops / $0 }, firstStepSeconds: firstStep,
      peakDeviceBytes: trainer.session.peakBytes, launchesPerStep: runner.launchCount,
      hostAllocationsPerStep: libraryAllocations.map { _ in Double(stepAllocations) / stepCount },
      libraryAllocationsPerStep: libraryAllocations.map { Double($0) / stepCount })
  }
}
