import ApusCore

/// What `apus benchmark` prints; a figure that could not be measured is `null`.
struct BenchmarkReport {
  struct Rates: Encodable {
    var min: Double
    var median: Double
    var max: Double

    /// - Parameter values: one for each round, at least one.
    init(_ values: [Double]) {
      let sorted = values.sorted()
      min = sorted[0]
      max = sorted[sorted.count - 1]
      median = values.median
    }
  }

  var model: String
  var device: String
  var batchSize: Int
  var mode: String
  var precision: String
  /// Over rounds of many steps.
  var imagesPerSecond: Rates
  /// Convolutions and products only, at the median rate.
  var gflops: Double
  /// Of the measured peak of fused multiply-adds.
  var fractionOfPeak: Double?
  /// From the start of the process to the end of the first step: reading, compiling and uploading included.
  var firstStepSeconds: Double?
  var peakDeviceBytes: Int
  var launchesPerStep: Int
  /// Calls of the C allocator by this program and Swift's runtime.
  var hostAllocationsPerStep: Double?
  /// Calls of the C allocator by drivers and other libraries, for themselves.
  var libraryAllocationsPerStep: Double?
}

extension BenchmarkReport: Encodable {
  private enum CodingKeys: CodingKey {
    case model, device, batchSize, mode, precision, imagesPerSecond, gflops, fractionOfPeak, firstStepSeconds
    case peakDeviceBytes, launchesPerStep, hostAllocationsPerStep, libraryAllocationsPerStep
  }

  // Written out because the synthesized form leaves `nil` out instead of writing `null`.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(model, forKey: .model)
    try container.encode(device, forKey: .device)
    try container.encode(batchSize, forKey: .batchSize)
    try container.encode(mode, forKey: .mode)
    try container.encode(precision, forKey: .precision)
    try container.encode(imagesPerSecond, forKey: .imagesPerSecond)
    try container.encode(gflops, forKey: .gflops)
    try container.encode(fractionOfPeak, forKey: .fractionOfPeak)
    try container.encode(firstStepSeconds, forKey: .firstStepSeconds)
    try container.encode(peakDeviceBytes, forKey: .peakDeviceBytes)
    try container.encode(launchesPerStep, forKey: .launchesPerStep)
    try container.encode(hostAllocationsPerStep, forKey: .hostAllocationsPerStep)
    try container.encode(libraryAllocationsPerStep, forKey: .libraryAllocationsPerStep)
  }
}
