import ApusCore
public import ApusData
public import ApusDevices
public import ApusNN
public import ApusOptimize
import ApusSafetensors

/// What has to be known to use a trained model again: the contents of `config.json`.
public struct RunConfiguration: Sendable, Codable {
  /// A name in `Models.catalog`.
  public var model: String
  /// Height, width and channels of a picture.
  public var inputShape: [Int]
  public var classNames: [String]
  /// What the model was trained on.
  public var dataset: String
  /// The data that it was trained on and tested on; `nil` where a run does not say.
  public var trainingData: DataIdentity?
  public var testData: DataIdentity?
  /// A name in `Optimizers.catalog`.
  public private(set) var optimizer: String
  /// That of the first step.
  public private(set) var learningRate: Hyperparameter
  /// All else of the optimizer; `nil` in older runs, which hold its name and learning rate alone.
  private(set) var hyperparameters: Hyperparameters?
  /// Of parameters with numbers of their own; `nil` for none.
  public private(set) var groups: [ParameterGroup]?
  private var namedTransforms: [NamedTransform]?
  /// Paths of the parameters that training leaves as they are; `nil` for none.
  public private(set) var frozen: [String]?
  public var loss: any Loss {
    get { namedLoss.loss }
    set { namedLoss = NamedLoss(newValue) }
  }
  private var namedLoss: NamedLoss
  /// Reported beside the loss.
  public var metrics: [any Metric] {
    get { namedMetrics.map(\.metric) }
    set { namedMetrics = newValue.map(NamedMetric.init) }
  }
  private var namedMetrics: [NamedMetric]
  public var batchSize: Int
  public var validationSplit: Double?
  public var seed: UInt64
  /// Factor of uint8 pixels before the first layer.
  public var imageScale: Double
  /// How pictures of a folder were brought to `inputShape`; `nil` for data sets, whose pictures have one shape.
  public var preparation: PicturePreparation?
  /// What is done to training pictures, one after another.
  public var augmentation: [any Augmentation] {
    get { namedAugmentation?.map(\.augmentation) ?? [] }
    set { namedAugmentation = newValue.isEmpty ? nil : newValue.map(NamedAugmentation.init) }
  }
  private var namedAugmentation: [NamedAugmentation]?
  /// How bright the training pictures are, to tell where others do not look like them; `nil` where a run does not say.
  public var pictureStatistics: PictureStatistics?

  private enum CodingKeys: String, CodingKey {
    case model, dataset, optimizer, hyperparameters, groups, frozen, seed, preparation
    case namedTransforms = "transforms"
    case namedAugmentation = "augmentation"
    case namedLoss = "loss"
    case namedMetrics = "metrics"
    case inputShape = "input_shape"
    case classNames = "class_names"
    case learningRate = "learning_rate"
    case batchSize = "batch_size"
    case validationSplit = "validation_split"
    case imageScale = "image_scale"
    case trainingData = "training_data"
    case testData = "test_data"
    case pictureStatistics = "picture_statistics"
  }

  /// - Throws: `EncodingError` for an optimizer that JSON has no words for.
  public init(
    model: String, inputShape: [Int], classNames: [String], dataset: String, optimizer: any Optimizer,
    groups: [ParameterGroup] = [], transforms: [any GradientTransform] = [],
    loss: any Loss = .sparseCategoricalCrossEntropy, metrics: [any Metric] = [.accuracy], batchSize: Int,
    validationSplit: Double? = nil, seed: UInt64, imageScale: Double = 1.0 / 255, trainingData: DataIdentity? = nil,
    testData: DataIdentity? = nil, preparation: PicturePreparation? = nil, augmentation: [any Augmentation] = []
  ) throws {
    self.model = model
    self.inputShape = inputShape
    self.classNames = classNames
    self.dataset = dataset
    self.optimizer = optimizer.name
    learningRate = optimizer.learningRate
    hyperparameters = try Self.fixed(optimizer)
    self.groups = groups.isEmpty ? nil : groups
    namedTransforms = transforms.isEmpty ? nil : transforms.map(NamedTransform.init)
    namedLoss = NamedLoss(loss)
    namedMetrics = metrics.map(NamedMetric.init)
    self.batchSize = batchSize
    self.validationSplit = validationSplit
    self.seed = seed
    self.imageScale = imageScale
    self.trainingData = trainingData
    self.testData = testData
    self.preparation = preparation
    namedAugmentation = augmentation.isEmpty ? nil : augmentation.map(NamedAugmentation.init)
  }

  /// Transforms of the gradients, one after another.
  public var transforms: [any GradientTransform] { namedTransforms?.map(\.transform) ?? [] }

  /// Whether the run says all of its optimizer; of an older one all but the learning rate is the optimizer's default.
  package var knowsHyperparameters: Bool { hyperparameters != nil }

  private static func fixed(_ optimizer: any Optimizer) throws -> Hyperparameters {
    try optimizer.hyperparameters().filter { $0.key != "learning_rate" }
  }

  /// The optimizer as it was before the first step.
  ///
  /// - Parameter path: of the file that holds the configuration.
  func makeOptimizer(path: String) throws -> any Optimizer {
    let optimizer = try Optimizers.catalog.make(optimizer, learningRate: learningRate)
    return try optimizer.with(hyperparameters ?? [:], from: path)
  }

  /// The configuration of a run of `trainer`, whose optimizer must be the one that it tells of.
  fileprivate func completed(for trainer: Trainer) throws -> RunConfiguration {
    guard trainer.outputs.count == 1, trainer.model.inputCount == 1 else {
      throw TrainingError(
        .invalidArgument, at: trainer.modelName,
        "a run is of a model with one input and one output; keep this one with `save(to:)` and `saveCheckpoint(to:)`")
    }
    let own = try Self.fixed(trainer.optimizer)
    guard trainer.optimizer.name == optimizer, hyperparameters == nil || hyperparameters == own else {
      throw TrainingError(
        .invalidArgument, at: "configuration",
        "it tells of the optimizer '\(optimizer)' with \(hyperparameters ?? [:]), the trainer has "
          + "'\(trainer.optimizer.name)' with \(own); make it with `optimizer: trainer.optimizer`")
    }
    let (told, had) = (groups ?? [], trainer.optimization.groups)
    guard
      try jsonText(told) == jsonText(had),
      try jsonText(namedTransforms ?? []) == jsonText(trainer.optimization.transforms.map(NamedTransform.init))
    else {
      throw TrainingError(
        .invalidArgument, at: "configuration",
        "its groups or transforms are not the trainer's; make it with `groups: trainer.optimization.groups, "
          + "transforms: trainer.optimization.transforms`")
    }
    var complete = self
    complete.hyperparameters = own
    complete.frozen = trainer.frozenPaths
    return complete
  }
}

/// Equal where their files are.
extension RunConfiguration: Hashable {
  public static func == (a: RunConfiguration, b: RunConfiguration) -> Bool { a.text == b.text }
  public func hash(into hasher: inout Hasher) { hasher.combine(text) }

  private var text: String? { try? jsonText(self) }
}

/// The folder that a training run leaves: `model.safetensors`, `config.json`, `history.json`, `history.svg` and
/// `checkpoint.safetensors`.
///
/// ```swift
/// try Run.save(trainer, configuration, to: "runs/mnist")
/// let trainer = try Run.load("runs/mnist").makeTrainer(device: .cpu)
/// print(try trainer.probabilities(images))
/// ```
public struct Run {
  public let folder: String
  public let configuration: RunConfiguration
  /// The model with its trained weights.
  public let model: Sequential

  /// Writes the folder's files; each appears under its name only when it is complete, and none before everything was
  /// read from the device, so that one which fails leaves an earlier run whole.
  ///
  /// - Throws: `TrainingError` for weights that are not numbers, or when `configuration` tells of another optimizer than
  ///   the trainer's; `BackendError` from the device, `FileError`.
  public static func save(_ trainer: Trainer, _ configuration: RunConfiguration, to folder: String) throws {
    let configuration = try configuration.completed(for: trainer)
    let tensors = try trainer.checkpointTensors()
    if let (name, _) = tensors.first(where: { !$0.1.isFinite }) {
      throw TrainingError(
        .nonFiniteLoss, at: name,
        "what was read from \(trainer.device.identifier) (\(trainer.device.name)) has infinities or is not a number, "
          + "and nothing was saved: either training has diverged at a learning rate of \(trainer.learningRate) (a smaller "
          + "one helps then), or the device gives wrong results: `apus doctor` checks it")
    }
    try FilePath.createFolder(folder)
    let metadata = ["model": configuration.model, "format": "apus"]
    let weights = trainer.evaluatedWeights(in: tensors)
    try Safetensors.write(weights, metadata: metadata, to: FilePath.join(folder, "model.safetensors"))
    try writeJSON(configuration, to: FilePath.join(folder, "config.json"))
    try trainer.history.write(to: FilePath.join(folder, "history.json"))
    try trainer.history.plot.write(to: FilePath.join(folder, "history.svg"))
    try trainer.saveCheckpoint(tensors, to: FilePath.join(folder, "checkpoint.safetensors"))
  }

  /// Rebuilds the model of a run.
  ///
  /// - Throws: `FileError` when a file is missing, `TrainingError` or `SafetensorsError` when one is damaged.
  public static func load(_ folder: String) throws -> Run {
    let path = FilePath.join(folder, "config.json")
    let configuration = try readJSON(RunConfiguration.self, from: path)
    func bad(_ reason: String) -> TrainingError { TrainingError(.badFile, at: path, reason) }
    guard configuration.inputShape.allSatisfy({ (1...65536).contains($0) }), !configuration.classNames.isEmpty else {
      throw bad("input shape \(configuration.inputShape) and \(configuration.classNames.count) classes make no model")
    }
    let model: Sequential
    do {
      model = try Models.make(
        configuration.model, inputShape: configuration.inputShape, classes: configuration.classNames.count,
        seed: configuration.seed)
    } catch let error as UnknownNameError {
      throw bad("\(error)")
    }
    try model.load(from: FilePath.join(folder, "model.safetensors"))
    for path in configuration.frozen ?? [] { try model.freeze(.path(path)) }
    return Run(folder: folder, configuration: configuration, model: model)
  }

  /// A trainer to evaluate or apply the model with.
  public func makeTrainer(device: Device = .automatic) throws -> Trainer {
    try Trainer(
      model, optimizer: configuration.makeOptimizer(path: FilePath.join(folder, "config.json")),
      loss: configuration.loss, metrics: configuration.metrics,
      groups: configuration.groups ?? [], transforms: configuration.transforms, device: device,
      seed: configuration.seed, modelName: configuration.model, pixelScale: configuration.imageScale)
  }

  /// A trainer that goes on where the run ended: weights, optimizer state, step, seed and history.
  public func resume(device: Device = .automatic) throws -> Trainer {
    let trainer = try makeTrainer(device: device)
    try trainer.restoreCheckpoint(
      from: FilePath.join(folder, "checkpoint.safetensors"), inputShape: configuration.inputShape)
    return trainer
  }
}

extension NDArray {
  /// Whether all numbers are finite, as integers are.
  fileprivate var isFinite: Bool { !dtype.isFloatingPoint || doubles.allSatisfy(\.isFinite) }
}
