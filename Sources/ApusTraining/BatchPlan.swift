import ApusCore
import ApusNN

/// One compiled step for one batch size: forward pass, loss and metrics; in training, gradients and update too.
final class BatchPlan {
  let executable: any Executable
  let totals: BatchTotals
  /// Those of the batch, in the data's order.
  private let batchInputs: [Int]
  private let randomState: Int?
  private let values: [Int]
  /// What the device holds; equal numbers are not sent again.
  private var sentValues: [Double] = []

  /// What a plan is made of.
  struct Recipe {
    var model: any Layer
    var loss: Loss
    var metrics: [Metric]
    /// Factor of uint8 inputs.
    var pixelScale: Double
    var seed: UInt64
    /// Present in training.
    var arena: ParameterArena?
  }

  init(
    _ recipe: Recipe, _ data: any TrainingData, batchSize: Int, session: any Session, options: CompileOptions
  ) throws {
    let graph = Graph(mode: recipe.arena == nil ? .inference : .training, seed: recipe.seed)
    totals = try graph.trace { graph in
      let (inputs, target) = data.batch(of: batchSize, in: graph)
      let prediction = recipe.model(inputs.scaledPixels(recipe.pixelScale))
      let losses = recipe.loss(prediction, target)
      if let failure = graph.failure { throw failure }
      guard losses.shape == [batchSize] else {
        throw GraphError(
          label: "loss",
          message: "\(batchSize) inputs gave \(losses.shape.shapeDescription) losses; "
            + "the first axis of a model's output must stay the batch")
      }
      let terms = [SampleTerm(losses)] + recipe.metrics.map { $0.term(prediction, target, loss: recipe.loss) }
      let totals = BatchTotals(
        terms, names: ["loss"] + recipe.metrics.map(\.name), batchSize: batchSize, in: graph, session: session)
      recipe.arena?.appendUpdate(to: graph, loss: losses, scale: 1 / Double(batchSize))
      return totals
    }
    executable = try session.compile(graph, outputs: [], options: options)
    let names = executable.inputs.map(\.name)
    batchInputs = data.inputNames.map { names.firstIndex(of: $0)! }
    randomState = names.firstIndex(of: "random_state")
    values = names.indices.filter { names[$0].hasPrefix(ParameterArena.valuePrefix) }
  }

  /// Starts the step.
  ///
  /// - Parameters:
  ///   - batch: what a `BatchFeed` gives.
  ///   - randomState: seed and step, from which random numbers derive.
  ///   - values: the optimizer's for this step.
  func run(_ batch: [NDArray], randomState: (seed: UInt64, step: Int), values: [Double]) throws {
    try set(batch, randomState: randomState, values: values)
    try executable.run()
    totals.countStep()
  }

  /// `run`, with the time of each launch.
  func profile(
    _ batch: [NDArray], randomState: (seed: UInt64, step: Int), values: [Double]
  ) throws -> RunProfile {
    try set(batch, randomState: randomState, values: values)
    let profile = try executable.profile()
    totals.countStep()
    return profile
  }

  private func set(_ batch: [NDArray], randomState state: (seed: UInt64, step: Int), values: [Double]) throws {
    for (input, value) in zip(batchInputs, batch) { try executable.setInput(input, value) }
    if let randomState { try executable.setInput(randomState, .randomState(seed: state.seed, step: state.step)) }
    if values != sentValues {
      for (input, value) in zip(self.values, values) { try executable.setInput(input, NDArray(Float(value))) }
      sentValues = values
    }
  }
}

extension Tensor {
  /// uint8 pixels times `scale`, as float32; other types as they are.
  func scaledPixels(_ scale: Double) -> Tensor { dtype == .uint8 ? self * scale : self }
}

extension NDArray {
  /// The input `random_state`: int32 [seed, step].
  static func randomState(seed: UInt64, step: Int) -> NDArray {
    let key = UInt32(truncatingIfNeeded: seed ^ (seed >> 32))
    return NDArray([Int32(bitPattern: key), Int32(truncatingIfNeeded: step)], shape: [2])
  }
}
