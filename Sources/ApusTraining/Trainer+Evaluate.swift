public import ApusCore
public import ApusData
import ApusNN

extension Trainer {
  /// Loss and metrics on data, as means over the samples; nothing is changed.
  ///
  /// With an `Average` among the transforms it is the averaged weights that are evaluated; so are those of `predict`.
  public func evaluate(_ data: some Dataset, batchSize: Int = 32) throws -> Evaluation {
    try evaluate(batchSize) { try place(data) }
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
    try withEvaluatedWeights {
      let batches = Batches(count: indices.count, size: batchSize)
      let steps = try batches.sizes.map { try step(.evaluation, data, batchSize: $0) }
      let totals = steps.map { $0.totals! }
      for sums in totals { try sums.reset() }
      let feed = data.feed(indices, batches)
      for batch in 0..<batches.steps {
        let step = batches.pick(batch, from: steps)
        try step.setBatch(feed)
        try step.prepare(seed: seed, step: 0)
        try step.run()
        lastRun = step.executable
      }
      let result = try mean(totals)
      try requirePossible(result.loss, at: place)
      return result
    }
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
    try withEvaluatedWeights {
      for batch in 0..<batches.steps {
        let rows = inputs.rows(batches.range(batch))
        let plan = try predictionStep(batchSize: rows.shape[0], dtype: inputs.dtype).executable
        values += try plan([rows])[0].values(as: Float.self)
        lastRun = plan
      }
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
    guard let fromLogits = loss.outputs.fromLogits else {
      throw TrainingError(
        .invalidArgument, at: "probabilities", "a model trained on \(loss.name) has none; use predict")
    }
    guard fromLogits else { return outputs }
    let graph = Graph()
    let logits = graph.constant(outputs)
    let isBinary = loss.outputs == .binary(fromLogits: true)
    return try session.compile(graph, outputs: [isBinary ? sigmoid(logits) : softmax(logits)])([])[0]
  }
}
