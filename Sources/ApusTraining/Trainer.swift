public import ApusCore
public import ApusDevices
public import ApusNN
public import ApusOptimize
import ApusSafetensors

/// Trains, evaluates and applies a model on one device.
///
/// ```swift
/// let trainer = try Trainer(model, optimizer: Adam(), loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy])
/// try trainer.fit(try MNIST.train(), epochs: 5, batchSize: 64, validation: .split(0.1))
/// let result = try trainer.evaluate(try MNIST.test())
/// print(result.loss, result.accuracy!)
/// ```
///
/// The model may be a `Sequential` or any struct that is a `Layer`. Data stay on the device where they fit, else
/// batches are uploaded while it computes; each batch size is traced, fused and planned once and then replayed. uint8
/// inputs are multiplied by `pixelScale`, float32 inputs are taken as they are. The same seed on the same device gives
/// the same bits.
///
/// A `Model` with several inputs takes a list of arrays; of several outputs each has its loss, and their weighted sum is
/// made small:
///
/// ```swift
/// let trainer = try Trainer(
///   TwoHeads(),
///   outputs: [
///     Output("digit", loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy]),
///     Output("angle", loss: .meanSquaredError, weight: 0.1),
///   ])
/// try trainer.fit(inputs: [pictures, positions], targets: [digits, angles])
/// ```
///
/// A trainer is confined to one thread at a time.
public final class Trainer {
  public let model: any Model
  /// In histories and tables: the type's name in snake case when not given.
  public let modelName: String
  public var optimizer: any Optimizer { optimization.optimizer }
  /// The optimizer, groups of parameters with numbers of their own, and transforms of the gradients.
  public internal(set) var optimization: Optimization
  /// The model's, in its order: what is made small and reported of each.
  public let outputs: [Output]
  /// Of the first output, which most models have alone.
  public var loss: any Loss { outputs[0].loss }
  /// Of the first output.
  public var metrics: [any Metric] { outputs[0].metrics }
  /// Of initial weights, shuffles and dropout.
  public let seed: UInt64
  public let pixelScale: Double
  /// Fusion, memory reuse, and the checked mode that names the first node with a NaN.
  public let options: CompileOptions
  /// Where the samples lie; it changes no result. Holds for the calls that follow.
  public var dataPlacement = DataPlacement.automatic
  /// Views of each picture that evaluation and prediction average; `nil` for the picture alone. Holds for the calls that
  /// follow, validation in `fit` included.
  public var testTimeAugmentation: TestTimeAugmentation?
  /// All epochs so far; `test` is the caller's to fill in.
  public var history: History
  /// Number of optimizer steps so far.
  public internal(set) var step = 0
  /// Asked between steps; training then ends as if the step were the last. For an interrupt or a time limit.
  public var shouldStop: () -> Bool = { false }
  /// Set by a callback to end training after the epoch.
  public var stopsAfterEpoch = false
  /// Whether the last `fit` was ended by `shouldStop`.
  public internal(set) var wasStopped = false
  /// Whether `fit` is under way: a callback cannot start another.
  var isFitting = false

  package let session: any Session
  var arena: ParameterArena?
  var inputShapes: [[Int]] = []
  var outputShapes: [[Int]] = []
  var modelParameters: [Parameter] = []
  var modelPaths: [String] = []
  var freezing = Freezing([])
  /// What the optimizer kept of parameters that are frozen now.
  var dormantStates: [String: NDArray] = [:]
  /// Whether the weights are those of evaluation at the moment.
  var hasEvaluatedWeights = false
  var steps: RecentlyUsed<StepKey, Step>
  /// Data that steps were made for, the last used at the end.
  var placed: [any TrainingData] = []
  /// Of the last step, evaluation or prediction, while its plan is kept.
  weak var lastRun: (any Executable)?

  /// A trainer of a model with one output.
  ///
  /// - Parameters:
  ///   - model: the network; it keeps its weights if it has some.
  ///   - loss: what is made small.
  ///   - metrics: reported beside the loss.
  ///   - groups: of parameters, each with numbers of its own.
  ///   - transforms: of the gradients, one after another: clipping, accumulation, averages.
  ///   - device: where everything runs.
  ///   - seed: of initial weights, shuffles and dropout.
  ///   - modelName: in histories and tables.
  ///   - pixelScale: factor of uint8 inputs.
  ///   - options: how steps are compiled.
  /// - Throws: `BackendError` when the device cannot be used, `TrainingError` when the arguments do not go together.
  public convenience init(
    _ model: some Model, optimizer: any Optimizer = Adam(), loss: any Loss, metrics: [any Metric] = [],
    groups: [ParameterGroup] = [], transforms: [any GradientTransform] = [], device: Device = .automatic,
    seed: UInt64 = 0, modelName: String? = nil, pixelScale: Double = 1.0 / 255,
    options: CompileOptions = CompileOptions()
  ) throws {
    try self.init(
      model, optimizer: optimizer, outputs: [Output(loss: loss, metrics: metrics)], groups: groups,
      transforms: transforms, session: device.openSession(), seed: seed, modelName: modelName, pixelScale: pixelScale,
      options: options)
  }

  /// A trainer on a session of its own that is already open.
  public convenience init(
    _ model: some Model, optimizer: any Optimizer = Adam(), loss: any Loss, metrics: [any Metric] = [],
    groups: [ParameterGroup] = [], transforms: [any GradientTransform] = [], session: any Session, seed: UInt64 = 0,
    modelName: String? = nil, pixelScale: Double = 1.0 / 255,
    options: CompileOptions = CompileOptions()
  ) throws {
    try self.init(
      model, optimizer: optimizer, outputs: [Output(loss: loss, metrics: metrics)], groups: groups,
      transforms: transforms, session: session, seed: seed, modelName: modelName, pixelScale: pixelScale,
      options: options)
  }

  /// A trainer of a model with any number of outputs.
  ///
  /// - Parameters:
  ///   - outputs: the model's, in its order: what is made small and reported of each.
  ///   - device: where everything runs; see the trainer of one output for the rest.
  /// - Throws: `BackendError` when the device cannot be used, `TrainingError` when the arguments do not go together.
  public convenience init(
    _ model: some Model, optimizer: any Optimizer = Adam(), outputs: [Output], groups: [ParameterGroup] = [],
    transforms: [any GradientTransform] = [], device: Device = .automatic, seed: UInt64 = 0, modelName: String? = nil,
    pixelScale: Double = 1.0 / 255, options: CompileOptions = CompileOptions()
  ) throws {
    try self.init(
      model, optimizer: optimizer, outputs: outputs, groups: groups, transforms: transforms,
      session: device.openSession(), seed: seed, modelName: modelName, pixelScale: pixelScale, options: options)
  }

  /// A trainer of a model with any number of outputs, on a session that is already open.
  public init(
    _ model: some Model, optimizer: any Optimizer = Adam(), outputs: [Output], groups: [ParameterGroup] = [],
    transforms: [any GradientTransform] = [], session: any Session, seed: UInt64 = 0, modelName: String? = nil,
    pixelScale: Double = 1.0 / 255, options: CompileOptions = CompileOptions()
  ) throws {
    try outputs.requireUsable()
    optimization = Optimization(optimizer, groups: groups, transforms: transforms)
    do {
      try optimization.validate()
    } catch {
      throw TrainingError(.invalidArgument, at: error.label, error.message)
    }
    self.model = model
    self.modelName = modelName ?? defaultName(of: model)
    self.outputs = outputs
    self.session = session
    self.seed = seed
    self.pixelScale = pixelScale
    self.options = options
    // Steps of many batch sizes are not worth more than half of the device's memory.
    steps = RecentlyUsed(byteLimit: session.device.memoryBytes / 2)
    history = History(
      device: "\(session.device.identifier) (\(session.device.name))", model: self.modelName, seed: seed)
  }

  deinit { try? storeOnHost(modelParameters, from: session) }

  /// The device that everything runs on.
  public var device: DeviceDescription { session.device }

  /// That of the next step. May be set at any time, also by a callback, to a constant then; nothing is compiled again.
  public var learningRate: Double {
    get { optimization.learningRate(at: step + 1) }
    set { optimization.optimizer.learningRate = Hyperparameter(newValue) }
  }

  /// Parameters of the model, once its input shape is known.
  package var parameters: [Parameter] { modelParameters }

  /// Paths of the parameters that are frozen; `nil` for none.
  var frozenPaths: [String]? {
    let paths = zip(modelPaths, modelParameters).filter(\.1.isFrozen).map(\.0)
    return paths.isEmpty ? nil : paths
  }

  /// Copies the current weights from the device into the model's parameters, so that they outlive the trainer. `fit`
  /// does it at its end.
  public func synchronize() throws { try storeOnHost(modelParameters, from: session) }

  /// Writes the weights that are evaluated: the averages, where a transform keeps some, or else what `model.save(to:)`
  /// writes. `saveCheckpoint` writes all that training goes on from.
  public func save(to path: String, metadata: [String: String] = [:]) throws {
    guard arena?.standInName != nil else { return try model.save(to: path, metadata: metadata) }
    try Safetensors.write(evaluatedWeights(in: checkpointTensors()), metadata: metadata, to: path)
  }
}

/// Copies the values that `session` holds into the parameters themselves.
func storeOnHost(_ parameters: [Parameter], from session: any Session) throws {
  for parameter in parameters where parameter.session === session { try parameter.assign(parameter.value()) }
}

private func defaultName(of model: some Model) -> String { snakeCase("\(type(of: model))") }
