public import ApusCore
import ApusData
public import ApusDevices
public import ApusNN

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
/// A trainer is confined to one thread at a time.
public final class Trainer {
  public let model: any Layer
  /// In histories and tables: the type's name in snake case when not given.
  public let modelName: String
  public private(set) var optimizer: any Optimizer
  public let loss: Loss
  public let metrics: [Metric]
  /// Of initial weights, shuffles and dropout.
  public let seed: UInt64
  public let pixelScale: Double
  /// Fusion, memory reuse, and the checked mode that names the first node with a NaN.
  public let options: CompileOptions
  /// Where the samples lie; it changes no result. Holds for the calls that follow.
  public var dataPlacement = DataPlacement.automatic
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
  private(set) var arena: ParameterArena?
  private(set) var outputShape: [Int] = []
  private var inputShape: [Int] = []
  private var modelParameters: [Parameter] = []
  private var modelPaths: [String] = []
  private var freezing = Freezing([])
  private var plans: RecentlyUsed<PlanKey, BatchPlan>
  private var predictions: RecentlyUsed<PredictionKey, any Executable>
  /// Data that plans were made for, the last used at the end.
  private var placed: [any TrainingData] = []
  /// Of the last step, evaluation or prediction, while its plan is kept.
  weak var lastRun: (any Executable)?

  /// Data sets that keep their plans and their place: training, validation, test, and one more.
  private static let placedLimit = 4

  struct PlanKey: Hashable {
    var data: ObjectIdentifier
    var batchSize: Int
    var trains: Bool
  }

  private struct PredictionKey: Hashable {
    var batchSize: Int
    var dtype: DType
  }

  /// - Parameters:
  ///   - model: the network; it keeps its weights if it has some.
  ///   - loss: what is made small.
  ///   - metrics: reported beside the loss.
  ///   - device: where everything runs.
  ///   - seed: of initial weights, shuffles and dropout.
  ///   - modelName: in histories and tables.
  ///   - pixelScale: factor of uint8 inputs.
  ///   - options: how steps are compiled.
  /// - Throws: `BackendError` when the device cannot be used, `TrainingError` when the arguments do not go together.
  public convenience init(
    _ model: some Layer, optimizer: any Optimizer = Adam(), loss: Loss, metrics: [Metric] = [],
    device: Device = .automatic, seed: UInt64 = 0, modelName: String? = nil, pixelScale: Double = 1.0 / 255,
    options: CompileOptions = CompileOptions()
  ) throws {
    try self.init(
      model, optimizer: optimizer, loss: loss, metrics: metrics, session: device.openSession(), seed: seed,
      modelName: modelName, pixelScale: pixelScale, options: options)
  }

  /// A trainer on a session of its own that is already open.
  public init(
    _ model: some Layer, optimizer: any Optimizer = Adam(), loss: Loss, metrics: [Metric] = [],
    session: any Session, seed: UInt64 = 0, modelName: String? = nil, pixelScale: Double = 1.0 / 255,
    options: CompileOptions = CompileOptions()
  ) throws {
    for metric in metrics {
      if let problem = metric.problem(with: loss) { throw TrainingError(.invalidArgument, at: "metrics", problem) }
    }
    guard Set(metrics).count == metrics.count else {
      throw TrainingError(.invalidArgument, at: "metrics", "each may be given once")
    }
    guard optimizer.learningRate.isFinite, optimizer.learningRate >= 0 else {
      throw TrainingError(
        .invalidArgument, at: "optimizer", "a learning rate of \(optimizer.learningRate); give a number such as 0.001")
    }
    self.model = model
    self.modelName = modelName ?? defaultName(of: model)
    self.optimizer = optimizer
    self.loss = loss
    self.metrics = metrics
    self.session = session
    self.seed = seed
    self.pixelScale = pixelScale
    self.options = options
    // Plans of many batch sizes are not worth more than half of the device's memory.
    plans = RecentlyUsed(byteLimit: session.device.memoryBytes / 4)
    predictions = RecentlyUsed(byteLimit: session.device.memoryBytes / 4)
    history = History(
      device: "\(session.device.identifier) (\(session.device.name))", model: self.modelName, seed: seed)
  }

  deinit { try? storeOnHost(modelParameters, from: session) }

  /// The device that everything runs on.
  public var device: DeviceDescription { session.device }

  /// May be changed at any time, also by a callback; nothing is compiled again.
  public var learningRate: Double {
    get { optimizer.learningRate }
    set { optimizer.learningRate = newValue }
  }

  /// Parameters and optimizer state of the model, once its input shape is known.
  package var parameters: [Parameter] { modelParameters }
  /// Both under their names in checkpoints.
  var checkpointed: [(name: String, box: Parameter)] {
    zip(modelPaths, modelParameters).map { ($0, $1) } + optimizerState.map { ($0.name, $0) }
  }
  package var optimizerState: [Parameter] { arena?.states ?? [] }

  /// Copies the current weights from the device into the model's parameters, so that they outlive the trainer. `fit`
  /// does it at its end.
  public func synchronize() throws { try storeOnHost(modelParameters, from: session) }

  /// Writes the model's current weights, as `model.save(to:)` does; `saveCheckpoint` writes all that training goes on
  /// from.
  public func save(to path: String, metadata: [String: String] = [:]) throws {
    try model.save(to: path, metadata: metadata)
  }
}

// MARK: - Preparation, shared by fit, evaluate and predict

extension Trainer {
  /// Gives the model its sizes and lays out the device's memory, once.
  package func prepare(inputShape: [Int]) throws {
    if arena == nil {
      let output = try model.build(inputShape: inputShape, seed: seed)
      let walk = ModelWalk(model)
      arena = try naming("the model and the optimizer's state") {
        try ParameterArena(walk.parameters, optimizer: optimizer, session: session)
      }
      self.inputShape = inputShape
      outputShape = output
      (modelParameters, modelPaths) = (walk.parameters, walk.paths)
      freezing = Freezing(walk.parameters)
      return
    }
    guard inputShape == self.inputShape else {
      throw GraphError(
        label: modelName,
        message: "was made for inputs \(self.inputShape.shapeDescription), these are \(inputShape.shapeDescription)")
    }
    if let moved = modelParameters.first(where: { $0.session !== session }) {
      throw TrainingError(
        .invalidArgument, at: moved.name, "another trainer has taken over the model; go on with that one")
    }
    try freezing.requireUnchanged(
      in: modelParameters, by: "the trainer's first use, when what it trains was laid out; make a new trainer")
  }

  /// The arrays in their place, checked against model and loss; the same arrays are uploaded at most once and stay
  /// until others have been used since.
  func place(_ inputs: NDArray, _ targets: NDArray, name: String) throws -> any TrainingData {
    let known = placed.first { data in
      (dataPlacement == .automatic || dataPlacement == data.placement)
        && (data.source as? ArraySource)?.holds(inputs, targets) == true
    }
    if let known {
      try prepare(inputShape: known.source.input.shape)
      return known
    }
    let source = try ArraySource(inputs: inputs, targets: targets, name: name)
    try prepare(inputShape: source.input.shape)
    if loss.kind == .sparseCategoricalCrossEntropy, let classes = outputShape.last,
      let stray = source.strayLabel(classes: classes)
    {
      throw TrainingError(
        .badData, at: name,
        "label \(stray.label) at index \(stray.index), but the model has \(classes) outputs: labels run from 0 to "
          + "\(classes - 1); give the last layer more units or correct the label")
    }
    let fits = DataPlacement.fits(
      [inputs.byteCount, targets.byteCount], on: session.device, used: session.allocatedBytes)
    if dataPlacement == .host || (dataPlacement == .automatic && !fits) {
      return kept(StreamedData(source, name: name))
    }
    return try naming("the \(source.count) samples of '\(name)'") {
      kept(try ResidentData(source, name: name, session: session))
    }
  }

  /// Samples that are not in memory as a whole; they are always streamed.
  func place(_ source: any SampleSource, name: String) throws -> any TrainingData {
    try prepare(inputShape: source.input.shape)
    return kept(StreamedData(source, name: name))
  }

  /// Notes that `data` is in use; the data that was not used for longest gives back its memory.
  @discardableResult
  private func kept(_ data: any TrainingData) -> any TrainingData {
    placed.removeAll { $0 === data }
    placed.append(data)
    guard placed.count > Self.placedLimit else { return data }
    let oldest = placed.removeFirst()
    plans.removeAll { $0.data == ObjectIdentifier(oldest) }
    oldest.release(from: session)
    return data
  }

  /// Says what it was that the device has no room for.
  private func naming<R>(_ what: String, _ place: () throws -> R) throws -> R {
    do {
      return try place()
    } catch var error as BackendError where error.code == .outOfMemory {
      error.message = "\(what) do not fit on the device: \(error.message)"
      throw error
    }
  }

  /// The compiled step for a batch size.
  func plan(_ data: any TrainingData, batchSize: Int, trains: Bool) throws -> BatchPlan {
    kept(data)
    let key = PlanKey(data: ObjectIdentifier(data), batchSize: batchSize, trains: trains)
    if let known = plans.use(key) { return known }
    let plan = try newPlan(data, batchSize: batchSize, trains: trains)
    plans.keep(plan, for: key, byteCount: plan.executable.plannedBytes)
    return plan
  }

  /// A plan that is not kept.
  func newPlan(_ data: any TrainingData, batchSize: Int, trains: Bool) throws -> BatchPlan {
    let recipe = BatchPlan.Recipe(
      model: model, loss: loss, metrics: metrics, pixelScale: pixelScale, seed: seed, arena: trains ? arena : nil)
    return try withRoom(for: batchSize) {
      try BatchPlan(recipe, data, batchSize: batchSize, session: session, options: options)
    }
  }

  /// The compiled forward pass for a batch size and input type.
  func predictionPlan(batchSize: Int, dtype: DType) throws -> any Executable {
    let key = PredictionKey(batchSize: batchSize, dtype: dtype)
    if let known = predictions.use(key) { return known }
    let graph = Graph(seed: seed)
    let output = try graph.trace { graph in
      let x = graph.feed("inputs", shape: [batchSize] + inputShape, dtype: dtype)
      let output = model(x.scaledPixels(pixelScale))
      try graph.requireNoDeclaredInput()
      return output
    }
    let plan = try withRoom(for: batchSize) { try session.compile(graph, outputs: [output], options: options) }
    predictions.keep(plan, for: key, byteCount: plan.plannedBytes)
    return plan
  }

  /// Compiles; short of memory, once more without the plans of other batch sizes, and then with advice.
  private func withRoom<R>(for batchSize: Int, _ compile: () throws -> R) throws -> R {
    do {
      return try compile()
    } catch let error as BackendError where error.code == .outOfMemory {
      guard plans.isEmpty, predictions.isEmpty else {
        plans.removeAll()
        predictions.removeAll()
        return try withRoom(for: batchSize, compile)
      }
      throw error.advising(batchSize: batchSize, besides: session.allocatedBytes)
    }
  }
}

extension BackendError {
  /// The error with the batch size that would fit, if memory grows with the batch.
  ///
  /// - Parameter fixedBytes: what is in use whatever the batch size.
  func advising(batchSize: Int, besides fixedBytes: Int = 0) -> BackendError {
    guard code == .outOfMemory, suggestedBatchSize == nil else { return self }
    var result = self
    // Half of what is free: the last, smaller batch has a plan of its own.
    let share = requestedBytes.flatMap { requested in
      limitBytes.map { 0.45 * Double(fixedBytes < $0 ? $0 - fixedBytes : $0) / Double(max(requested, 1)) }
    }
    // Without figures, or when many allocations together were too much, half is worth a try.
    let estimate = batchSize == 1 ? 0 : Int((Double(batchSize) * min(share ?? 0.5, 0.5)).rounded())
    result.suggestedBatchSize = estimate
    result.message +=
      estimate < 1
      ? "; not even one sample fits beside the model: use a smaller model, smaller inputs or another device"
      : "; the batch size was \(batchSize), \(estimate) would fit"
    return result
  }
}

/// Copies the values that `session` holds into the parameters themselves.
func storeOnHost(_ parameters: [Parameter], from session: any Session) throws {
  for parameter in parameters where parameter.session === session { try parameter.assign(parameter.value()) }
}

private func defaultName(of model: some Layer) -> String { snakeCase("\(type(of: model))") }
