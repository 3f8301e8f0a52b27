import ApusCore
import ApusData
import ApusNN
import ApusOptimize

/// What a compiled step is kept by.
struct StepKey: Hashable {
  enum Purpose: Hashable { case training, evaluation, prediction([DType]) }

  enum Data: Hashable {
    /// Data that the step reads where they lie.
    case resident(ObjectIdentifier)
    /// Data that are sent, of these types.
    case streamed(inputs: [TensorType], targets: [TensorType])
  }

  var purpose: Purpose
  /// `nil` in prediction, whose inputs are set one batch after another.
  var data: Data?
  var batchSize: Int
  /// Of training.
  var augmentation: AugmentationPlan.Layout?
  /// Of evaluation and prediction.
  var views: TestTimeAugmentation?
}

// MARK: - Preparation, shared by fit, evaluate and predict

extension Trainer {
  /// Gives the model its sizes and lays out the device's memory: once, and again where parameters were frozen or
  /// unfrozen since.
  package func prepare(inputShapes: [[Int]]) throws {
    guard arena != nil else {
      let shapes = try model.build(inputShapes: inputShapes, seed: seed)
      guard shapes.count == outputs.count else {
        throw GraphError(
          label: modelName,
          message: "has \(counted(shapes.count, "output")), and the trainer has losses for \(outputs.count); make it "
            + "with `outputs:`, one Output for each, in the model's order")
      }
      let walk = ModelWalk(model)
      let before = (modelParameters, modelPaths)
      (modelParameters, modelPaths) = (walk.parameters, walk.paths)
      do {
        try layOut()
      } catch {
        (modelParameters, modelPaths) = before
        throw error
      }
      (self.inputShapes, outputShapes) = (inputShapes, shapes)
      return
    }
    guard inputShapes == self.inputShapes else {
      throw GraphError(
        label: modelName,
        message: "was made for inputs \(self.inputShapes.shapesDescription), these are "
          + inputShapes.shapesDescription)
    }
    if let moved = modelParameters.first(where: { $0.session !== session }) {
      throw TrainingError(
        .invalidArgument, at: moved.name, "another trainer has taken over the model; go on with that one")
    }
    guard freezing.changed(in: modelParameters) != nil else { return }
    if isFitting {
      try freezing.requireUnchanged(in: modelParameters, by: "the fit that is under way began; do it before a fit")
    }
    try layOut()
  }

  /// The arena for the parameters that are trained now; weights and what the optimizer keeps of them stay. Where there is
  /// no room for it there is none, and the next use tries again.
  private func layOut() throws {
    if let old = arena {
      for (name, value) in try old.states() { dormantStates[name] = value }
      try storeOnHost(modelParameters, from: session)
      steps.removeAll()
      old.release()
      arena = nil
    }
    let new = try naming("the model and the optimizer's state") {
      try ParameterArena(Array(zip(modelPaths, modelParameters)), optimization, session: session)
    }
    try new.setStates(dormantStates)
    for (name, _) in new.stateTypes { dormantStates[name] = nil }
    (arena, freezing) = (new, Freezing(modelParameters))
  }

  /// Says what it was that the device has no room for.
  func naming<R>(_ what: String, _ place: () throws -> R) throws -> R {
    do {
      return try place()
    } catch var error as BackendError where error.code == .outOfMemory {
      error.message = "\(what) do not fit on the device: \(error.message)"
      throw error
    }
  }

  /// Runs `body` with the weights that stand for the trained ones in evaluation, where a transform keeps some.
  func withEvaluatedWeights<R>(_ body: () throws -> R) throws -> R {
    guard let arena, arena.standInName != nil, !hasEvaluatedWeights else { return try body() }
    try arena.exchangeStandIn()
    hasEvaluatedWeights = true
    defer { hasEvaluatedWeights = false }
    let result = Result { try body() }
    try arena.exchangeStandIn()
    return try result.get()
  }
}

// MARK: - Compiled steps

extension Trainer {
  /// The compiled step of training or evaluation for a batch size.
  func step(
    _ purpose: StepKey.Purpose, _ data: any TrainingData, batchSize: Int, _ augmentation: AugmentationPlan.Layout? = nil
  ) throws -> Step {
    if data.source is ArrayDataset { kept(data) }
    let key = StepKey(
      purpose: purpose, data: data.identity, batchSize: batchSize, augmentation: augmentation,
      views: purpose == .training ? nil : testTimeAugmentation)
    return try step(key) { stages(purpose, data, batchSize: batchSize, augmentation) }
  }

  /// The compiled forward pass for a batch size and the inputs' types.
  func predictionStep(batchSize: Int, dtypes: [DType]) throws -> Step {
    try step(StepKey(purpose: .prediction(dtypes), batchSize: batchSize, views: testTimeAugmentation)) {
      [
        InputStage(types: zip(inputShapes, dtypes).map { TensorType(shape: $0, dtype: $1) }, batchSize: batchSize),
        inferenceStage, OutputStage(),
      ]
    }
  }

  private func step(_ key: StepKey, stages: () -> [any StepStage]) throws -> Step {
    if let known = steps.use(key) { return known }
    let step = try newStep(stages(), trains: key.purpose == .training, batchSize: key.batchSize)
    steps.keep(step, for: key, byteCount: step.executable.plannedBytes)
    return step
  }

  /// The stages of a step on `data`.
  func stages(
    _ purpose: StepKey.Purpose, _ data: any TrainingData, batchSize: Int, _ augmentation: AugmentationPlan.Layout?
  ) -> [any StepStage] {
    var forward: [any StepStage] = [DataStage(data: data, batchSize: batchSize)]
    if let augmentation {
      forward.append(AugmentStage(layout: augmentation, batchSize: batchSize, pixelScale: pixelScale))
    }
    forward.append(purpose == .training ? ModelStage(model: model, pixelScale: pixelScale) : inferenceStage)
    if case .prediction = purpose { return forward + [OutputStage()] }
    let evaluation: [any StepStage] =
      forward + [
        LossStage(outputs: outputs, batchSize: batchSize), TotalsStage(outputs: outputs, batchSize: batchSize),
      ]
    let arena = arena!
    return purpose == .training ? evaluation + [UpdateStage { arena }] : evaluation
  }

  /// The model in evaluation and prediction.
  private var inferenceStage: any StepStage {
    guard let views = testTimeAugmentation else { return ModelStage(model: model, pixelScale: pixelScale) }
    return ViewsStage(views: views, outputs: outputs, model: model, pixelScale: pixelScale)
  }

  /// A step that is not kept. Short of memory it is compiled once more without the steps that are, and then there is
  /// advice.
  func newStep(_ stages: [any StepStage], trains: Bool, batchSize: Int) throws -> Step {
    do {
      return try Step(
        stages, mode: trains ? .training : .inference, seed: seed, session: session, options: options)
    } catch let error as BackendError where error.code == .outOfMemory {
      guard steps.isEmpty else {
        steps.removeAll()
        return try newStep(stages, trains: trains, batchSize: batchSize)
      }
      throw error.advising(batchSize: batchSize, besides: session.allocatedBytes)
    }
  }
}
