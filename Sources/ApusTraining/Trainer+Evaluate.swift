public import ApusCore
public import ApusData
import ApusNN

extension Trainer {
  /// Loss and metrics on labelled pictures, as means over them; nothing is changed.
  public func evaluate(_ data: Dataset, batchSize: Int = 32) throws -> Evaluation {
    try evaluate(batchSize) { try place(data.images, data.labels, name: data.name) }
  }

  /// Loss and metrics on arrays; see `fit(inputs:targets:)`.
  public func evaluate(inputs: NDArray, targets: NDArray, batchSize: Int = 32) throws -> Evaluation {
    try evaluate(batchSize) { try place(inputs, targets, name: "inputs") }
  }

  private func evaluate(_ batchSize: Int, _ place: () throws -> any TrainingData) throws -> Evaluation {
    try requirePositive(batchSize, "batchSize")
    let data = try place()
    return try evaluate(data, (0..<Int32(data.count)).map { $0 }, batchSize, data.name)
  }

  /// - Parameter place: what is evaluated, for the error when the loss is not finite.
  func evaluate(
    _ data: any TrainingData, _ indices: [Int32], _ batchSize: Int, _ place: String
  ) throws -> Evaluation {
    let batches = Batches(count: indices.count, size: batchSize)
    let plans = try batches.sizes.map { try plan(data, batchSize: $0, trains: false) }
    for plan in plans { try plan.totals.reset() }
    let feed = data.feed(indices, batches)
    for batch in 0..<batches.steps {
      let plan = batches.pick(batch, from: plans)
      try plan.run(feed, randomState: (seed, 0))
      lastRun = plan.executable
    }
    let result = try mean(plans.map(\.totals))
    try requirePossible(result.loss, at: place)
    return result
  }

  /// The model's outputs for `inputs` (uint8 or float32 `[N, ...]`): `[N, ...]`, logits where the model ends in logits.
  public func predict(_ inputs: NDArray, batchSize: Int = 32) throws -> NDArray {
    try requirePositive(batchSize, "batchSize")
    guard inputs.shape.count > 1, inputs.count > 0, inputs.dtype == .uint8 || inputs.dtype == .float32 else {
      throw TrainingError(
        .badData, at: "predict",
        "the inputs are \(inputs.dtype) \(inputs.shape.shapeDescription); "
          + "give uint8 or float32 [N, ...] with at least one sample")
    }
    try prepare(inputShape: Array(inputs.shape.dropFirst()))
    let batches = Batches(count: inputs.shape[0], size: batchSize)
    var values: [Float] = []
    for batch in 0..<batches.steps {
      let rows = inputs.rows(batches.range(batch))
      let plan = try predictionPlan(batchSize: rows.shape[0], dtype: inputs.dtype)
      values += try plan([rows])[0].values(as: Float.self)
      lastRun = plan
    }
    return NDArray(values, shape: [inputs.shape[0]] + outputShape)
  }

  /// What `observe(name)` marked in the model, of the batch that ran last; `nil` when nothing of that name ran.
  ///
  /// Waits for the device.
  public func observation(_ name: String) throws -> NDArray? { try lastRun?.observation(name) }

  /// Class probabilities for `inputs`: the model's outputs, made probabilities if the loss takes logits.
  ///
  /// - Throws: `TrainingError` when the loss is not one of classification.
  public func probabilities(_ inputs: NDArray, batchSize: Int = 32) throws -> NDArray {
    let outputs = try predict(inputs, batchSize: batchSize)
    switch loss.kind {
    case .meanSquaredError, .meanAbsoluteError:
      throw TrainingError(
        .invalidArgument, at: "probabilities", "a model trained on \(loss.kind.rawValue) has none; use predict")
    case .sparseCategoricalCrossEntropy, .categoricalCrossEntropy, .binaryCrossEntropy:
      guard loss.fromLogits else { return outputs }
      let graph = Graph()
      let logits = graph.constant(outputs)
      let result = loss.kind == .binaryCrossEntropy ? sigmoid(logits) : softmax(logits)
      return try session.compile(graph, outputs: [result])([])[0]
    }
  }
}
