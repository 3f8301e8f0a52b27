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
  /// The optimizer's values of a step, and those that the device holds: equal ones are not sent again.
  private var stepValues: [Double] = []
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
    (totals, batchInputs, values) = try graph.trace { graph in
      let batch = data.batch(of: batchSize, in: graph)
      let target = batch.targets
      let prediction = recipe.model(batch.inputs.scaledPixels(recipe.pixelScale))
      try graph.requireNoDeclaredInput()
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
      let values = recipe.arena?.appendUpdate(to: graph, loss: losses, scale: 1 / Double(batchSize)) ?? []
      if let failure = graph.failure { throw failure }
      return (totals, batch.fed.map(graph.position), values.map(graph.position))
    }
    randomState = graph.randomStatePosition
    executable = try session.compile(graph, outputs: [], options: options)
  }

  /// Starts the step.
  ///
  /// - Parameters:
  ///   - feed: its next batch is the step's.
  ///   - randomState: seed and step, from which random numbers derive.
  ///   - optimizer: present in training.
  func run(
    _ feed: any BatchFeed, randomState: (seed: UInt64, step: Int), optimizer: (any Optimizer)? = nil
  ) throws {
    try set(feed, randomState, optimizer)
    try executable.run()
    totals.countStep()
  }

  /// `run`, with the time of each launch.
  func profile(
    _ feed: any BatchFeed, randomState: (seed: UInt64, step: Int), optimizer: (any Optimizer)? = nil
  ) throws -> RunProfile {
    try set(feed, randomState, optimizer)
    let profile = try executable.profile()
    totals.countStep()
    return profile
  }

  private func set(
    _ feed: any BatchFeed, _ state: (seed: UInt64, step: Int), _ optimizer: (any Optimizer)?
  ) throws {
    try feed.setNext(batchInputs, of: executable)
    if let randomState { try executable.setRandomState(randomState, seed: state.seed, step: state.step) }
    guard let optimizer else { return }
    stepValues.removeAll(keepingCapacity: true)
    optimizer.appendValues(step: state.step, to: &stepValues)
    if stepValues == sentValues { return }
    for (input, value) in zip(values, stepValues) { try executable.setInput(input, CollectionOfOne(Float(value)).span) }
    swap(&stepValues, &sentValues)
  }
}

extension Tensor {
  /// uint8 pixels times `scale`, as float32; other types as they are.
  func scaledPixels(_ scale: Double) -> Tensor { dtype == .uint8 ? self * scale : self }
}

extension Graph {
  /// - Throws: `GraphError` for an input that a layer declares: nobody would ever set it.
  func requireNoDeclaredInput() throws {
    guard let own = declaredInputs.first else { return }
    throw GraphError(
      label: own.name,
      message: "is an input that the model declares, and a Trainer sets only the data's; make it a parameter or a "
        + "constant, or train with a TrainStep, which takes inputs of your own")
  }
}

extension Executable {
  /// Sets the input `random_state`: int32 [seed, step].
  func setRandomState(_ index: Int, seed: UInt64, step: Int) throws {
    let key = UInt32(truncatingIfNeeded: seed ^ (seed >> 32))
    let state: InlineArray<2, Int32> = [Int32(bitPattern: key), Int32(truncatingIfNeeded: step)]
    try setInput(index, state.span)
  }
}
