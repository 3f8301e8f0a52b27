import Apus
import ApusCore
import ApusTraining
import ArgumentParser

/// What `apus benchmark`, `apus profile` and `apus tune` run: steps of training or inference on noise that lies on the
/// device.
struct WorkloadOptions: ParsableArguments {
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

  @OptionGroup var augmentation: AugmentationOption

  @Option(help: "What to measure.")
  var mode = Mode.train

  @Option(help: "Type of numbers.")
  var precision = PrecisionName.float32

  func validate() throws {
    if let classes { try requireCount(classes, "--classes") }
    try requireCount(batchSize, "--batch-size")
    try precision.validate()
    if augmentation.augment != nil, mode == .infer { throw ValidationError("--augment goes with --mode train.") }
  }

  /// Opens the device, puts the pictures on it and compiles the step.
  func prepare() throws -> (trainer: Trainer, steps: any BenchmarkSteps) {
    let (trainer, makeSteps) = try open()
    return (trainer, try makeSteps())
  }

  /// Opens the device; the function compiles the step, with the pictures on the device, each time that it is called.
  func open() throws -> (trainer: Trainer, makeSteps: () throws -> any BenchmarkSteps) {
    let usual = try Models.catalog.part(named: model.name)
    let shape = input?.sizes ?? usual.inputShape
    let classes = classes ?? usual.classes
    let trainer = try Trainer(
      Models.make(model.name, inputShape: shape, classes: classes), loss: .sparseCategoricalCrossEntropy,
      metrics: [.accuracy], device: deviceOption.chosen(), modelName: model.name)
    let data = try Self.pictures(shape, classes: classes, count: 4 * batchSize, for: trainer.device)
    return (
      trainer,
      {
        try trainer.steps(
          on: data, batchSize: batchSize, trains: mode == .train, augmentation: augmentation.all)
      }
    )
  }

  /// Of convolutions and products of `network`, for one picture.
  func operationsPerImage(_ network: any Model) throws -> Double {
    let shape = try input?.sizes ?? Models.catalog.part(named: model.name).inputShape
    let graph = Graph(mode: mode == .train ? .training : .inference)
    try graph.trace { graph in
      let logits = network([graph.input("images", shape: [1] + shape)])[0]
      guard mode == .train else { return }
      let loss = softmaxCrossEntropy(logits, labels: graph.input("labels", shape: [1], dtype: .int32))
      _ = graph.gradients(of: loss, with: network.parameters.map { graph.parameter($0) })
    }
    return graph.contractionOperations
  }

  /// Noise with labels in all classes, always the same.
  private static func pictures(
    _ shape: [Int], classes: Int, count: Int, for device: DeviceDescription
  ) throws -> ImageDataset {
    guard let byteCount = ([count] + shape).checkedElementCount, byteCount <= device.memoryBytes else {
      throw CommandError(
        .unavailable,
        "\(device.identifier): \(count) pictures \(shape.shapeDescription) are more than its memory of "
          + "\(device.memoryBytes.formattedBytes); use a smaller --batch-size")
    }
    try HostMemory.require(byteCount, for: "\(count) pictures \(shape.shapeDescription)")
    let pixels = NDArray(shape: [count] + shape) { (pixels: UnsafeMutableBufferPointer<UInt8>) in
      var random = PhiloxGenerator(seed: 0)
      for i in pixels.indices { pixels[i] = UInt8(truncatingIfNeeded: random.next()) }
    }
    return try ImageDataset(
      name: "noise", images: pixels,
      labels: NDArray((0..<count).map { Int32($0 % classes) }, shape: [count]),
      classNames: (0..<classes).map(String.init),
      source: "drawn by the program", isSynthetic: true)
  }
}

/// Runs steps for half a second: caches fill, and clocks rise.
func warmUp(_ runner: any BenchmarkSteps) throws {
  let end = ContinuousClock.now + .seconds(0.5)
  repeat {
    try runner.start()
    try runner.wait()
  } while ContinuousClock.now < end
}
