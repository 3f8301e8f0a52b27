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

  enum Mode: String, CaseIterable, ExpressibleByArgument {
    case train, infer
  }

  @Option(help: "The network.")
  var model = ModelName("tutorial-mnist")

  @Option(
    help: ArgumentHelp("Height, width and channels of a picture (default: the network's usual).", valueName: "shape"))
  var input: ImageShape?

  @Option(help: ArgumentHelp("Number of classes (default: the network's usual).", valueName: "n"))
  var classes: Int?

  @Option(help: ArgumentHelp("Pictures in a step.", valueName: "n"))
  var batchSize = 64

  @OptionGroup var deviceOption: DeviceOption

  @Option(help: "What to measure.")
  var mode = Mode.train

  @Option(help: ArgumentHelp("Steps to time.", valueName: "n"))
  var steps = 200

  @Option(help: "Type of numbers.")
  var precision = PrecisionName.float32

  @Flag(help: "Wait for each step's result before the next one starts: latency instead of throughput.")
  var synchronous = false

  @Flag(help: "Print one line of JSON.")
  var json = false

  private static let rounds = 5
  private static let warmUpSeconds = 0.5

  func validate() throws {
    if let classes { try requireCount(classes, "--classes") }
    try requireCount(batchSize, "--batch-size")
    try requireCount(steps, "--steps")
    try precision.validate()
  }

  func run() throws {
    #if DEBUG
      writeToStandardError("note: this is a debug build, its figures mean little; build with --configuration release")
    #endif
    let report = try measured()
    if json { return try printJSON(report) }
    let rates = report.imagesPerSecond
    var text = "\(report.model), batch \(report.batchSize), \(report.mode), on \(report.device)\n"
    text += String(
      format: "  %.0f images/s (%.0f to %.0f over %d rounds)\n", rates.median, rates.min, rates.max, Self.rounds)
    text += String(format: "  %.1f GFLOP/s in convolutions and products", report.gflops)
    if let fraction = report.fractionOfPeak { text += String(format: ", %.0f %% of the measured peak", 100 * fraction) }
    text += "\n  \(report.launchesPerStep) launches a step"
    if let allocations = report.hostAllocationsPerStep {
      text += String(format: ", %.1f host allocations", allocations)
    }
    text += "\n  \(report.peakDeviceBytes.formattedBytes) of device memory at most"
    if let first = report.firstStepSeconds { text += String(format: "\n  first step after %.2f s", first) }
    print(text)
  }

  private func measured() throws -> BenchmarkReport {
    let usual = try Models.entry(model.name)
    let shape = input?.sizes ?? usual.inputShape
    let classes = classes ?? usual.classes
    let network = try Models.make(model.name, inputShape: shape, classes: classes)
    let trainer = try Trainer(
      network, loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy], device: deviceOption.chosen(),
      modelName: model.name)
    let data = try Self.pictures(shape, classes: classes, count: 4 * batchSize, for: trainer.device)
    let runner = try trainer.steps(on: data, batchSize: batchSize, trains: mode == .train)
    try runner.start()
    try runner.wait()
    let firstStep = ProcessClock.secondsSinceStart

    let end = ContinuousClock.now + .seconds(Self.warmUpSeconds)
    while ContinuousClock.now < end {
      try runner.start()
      try runner.wait()
    }
    let stepsPerRound = max(1, steps / Self.rounds)
    var rates: [Double] = []
    rates.reserveCapacity(Self.rounds)
    let before = Host.allocationCount
    for _ in 0..<Self.rounds {
      let start = ContinuousClock.now
      for _ in 0..<stepsPerRound {
        try runner.start()
        if synchronous { try runner.wait() }
      }
      if !synchronous { try runner.wait() }
      rates.append(Double(stepsPerRound * batchSize) / ((ContinuousClock.now - start) / .seconds(1)))
    }
    let allocations = Host.allocationCount.map { Double($0 - (before ?? 0)) }

    let imagesPerSecond = BenchmarkReport.Rates(rates)
    let gflops = try operationsPerImage(network, shape) * imagesPerSecond.median * 1e-9
    return BenchmarkReport(
      model: model.name, device: trainer.device.identifier, batchSize: batchSize, mode: mode.rawValue,
      precision: precision.rawValue, imagesPerSecond: imagesPerSecond, gflops: gflops,
      fractionOfPeak: Peak.gflops(of: trainer.session).map { gflops / $0 }, firstStepSeconds: firstStep,
      peakDeviceBytes: trainer.session.peakBytes, launchesPerStep: runner.launchCount,
      hostAllocationsPerStep: allocations.map { $0 / Double(Self.rounds * stepsPerRound) })
  }

  /// Of convolutions and products, for one picture.
  private func operationsPerImage(_ network: Sequential, _ shape: [Int]) throws -> Double {
    let graph = Graph(mode: mode == .train ? .training : .inference)
    try graph.trace { graph in
      let logits = network(graph.input("images", shape: [1] + shape))
      guard mode == .train else { return }
      let loss = softmaxCrossEntropy(logits, labels: graph.input("labels", shape: [1], dtype: .int32))
      _ = graph.gradients(of: loss, with: parameters(of: network).map { graph.parameter($0) })
    }
    return graph.contractionOperations
  }

  /// Noise with labels in all classes, always the same.
  private static func pictures(
    _ shape: [Int], classes: Int, count: Int, for device: DeviceDescription
  ) throws -> Dataset {
    guard let byteCount = ([count] + shape).checkedElementCount, byteCount <= device.memoryBytes else {
      throw CommandError(
        .unavailable,
        "\(device.identifier): \(count) pictures \(shape.shapeDescription) are more than its memory of "
          + "\(device.memoryBytes.formattedBytes); use a smaller --batch-size")
    }
    var random = PhiloxGenerator(seed: 0)
    let pixels = (0..<byteCount).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    return try Dataset(
      name: "noise", images: NDArray(pixels, shape: [count] + shape),
      labels: NDArray((0..<count).map { Int32($0 % classes) }, shape: [count]),
      classNames: (0..<classes).map(String.init),
      source: "drawn by the program", isSynthetic: true)
  }
}
