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
  public func evaluate(inputs: [NDArray], targets: [NDArray], batchSize: Int = 32) throws -> Evaluation {
    try evaluate(batchSize) { try place(inputs, targets, name: "inputs") }
  }

  /// Loss and metrics on arrays of a model with one input and one output.
  public func evaluate(inputs: NDArray, targets: NDArray, batchSize: Int = 32) throws -> Evaluation {
    try evaluate(inputs: [inputs], targets: [targets], batchSize: batchSize)
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

  /// The model's outputs for `inputs`, a uint8 or float32 `[N, ...]` for each of its inputs: each `[N, ...]`, logits where
  /// the model ends in logits.
  ///
  /// - Throws: `TrainingError` for arrays that are none of these, `GraphError` for those that do not fit the model.
  public func predict(_ inputs: [NDArray], batchSize: Int = 32) throws -> [NDArray] {
    try requirePositive(batchSize, "batchSize")
    func failure(_ reason: String) -> TrainingError { TrainingError(.badData, at: "predict", reason) }
    guard let first = inputs.first else {
      throw failure("there are no inputs; give [N, ...] for each of the model's inputs")
    }
    for (index, array) in inputs.enumerated() {
      guard array.shape.count > 1, array.count > 0, array.shape[0] == first.shape[0],
        array.dtype == .uint8 || array.dtype == .float32
      else {
        throw failure(
          "\(subject("inputs", index, of: inputs)) \(array.dtype) \(array.shape.shapeDescription); "
            + "give uint8 or float32 [N, ...] with at least one sample"
            + (inputs.count > 1 ? ", as many in each array" : ""))
      }
    }
    try prepare(inputShapes: inputs.map { Array($0.shape.dropFirst()) })
    let batches = Batches(count: first.shape[0], size: batchSize)
    var values = [[Float]](repeating: [], count: outputs.count)
    try withEvaluatedWeights {
      for batch in 0..<batches.steps {
        let rows = inputs.map { $0.rows(batches.range(batch)) }
        let plan = try predictionStep(batchSize: rows[0].shape[0], dtypes: inputs.map(\.dtype)).executable
        for (index, output) in try plan(rows, outputs: outputs.count).enumerated() {
          values[index] += output.values(as: Float.self)
        }
        lastRun = plan
      }
    }
    return zip(values, outputShapes).map { NDArray($0, shape: [batches.count] + $1) }
  }

  /// The output of a model with one input and one output for `inputs`, uint8 or float32 `[N, ...]`: `[N, ...]`, logits
  /// where the model ends in logits.
  public func predict(_ inputs: NDArray, batchSize: Int = 32) throws -> NDArray {
    try requireOneOutput("predict")
    return try predict([inputs], batchSize: batchSize)[0]
  }

  /// What `observe(name)` marked in the model, of the batch that ran last; `nil` when nothing of that name ran.
  ///
  /// Waits for the device.
  public func observation(_ name: String) throws -> NDArray? { try lastRun?.observation(name) }

  /// Class probabilities for `inputs`, an array for each of the model's inputs: its outputs, made probabilities where the
  /// loss takes logits. An output whose loss is not one of classification stays as it is.
  ///
  /// - Throws: `TrainingError` when no output has a loss of classification.
  public func probabilities(_ inputs: [NDArray], batchSize: Int = 32) throws -> [NDArray] {
    let predictions = try predict(inputs, batchSize: batchSize)
    guard outputs.contains(where: { $0.loss.outputs.fromLogits != nil }) else {
      throw TrainingError(
        .invalidArgument, at: "probabilities",
        "a model trained on \(outputs.map(\.loss.name).joined(separator: " and ")) has none; use predict")
    }
    return try zip(outputs, predictions).map { output, values in
      guard output.loss.outputs.fromLogits == true else { return values }
      let graph = Graph()
      let logits = graph.constant(values)
      let isBinary = output.loss.outputs == .binary(fromLogits: true)
      return try session.compile(graph, outputs: [isBinary ? sigmoid(logits) : softmax(logits)])([])[0]
    }
  }

  /// Class probabilities for `inputs` of a model with one input and one output: its output, made probabilities if the
  /// loss takes logits.
  ///
  /// - Throws: `TrainingError` when the loss is not one of classification.
  public func probabilities(_ inputs: NDArray, batchSize: Int = 32) throws -> NDArray {
    try requireOneOutput("probabilities")
    return try probabilities([inputs], batchSize: batchSize)[0]
  }

  private func requireOneOutput(_ call: String) throws(TrainingError) {
    guard outputs.count == 1 else {
      throw TrainingError(
        .invalidArgument, at: call, "the model has \(outputs.count) outputs; \(call)([inputs]) gives a list of them")
    }
  }
}
