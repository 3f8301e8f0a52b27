import ApusCore
import ApusNN
import ApusOptimize

/// A part of a step: feed, model, loss, metrics, update. A step is a list of them.
protocol StepStage {
  /// Appends the stage's operations to the graph of `step`.
  func append(to step: inout StepTrace) throws
}

/// What the stages of a step have made so far.
struct StepTrace {
  let graph: Graph
  let session: any Session
  /// Each `[N, ...]`.
  var inputs: [Tensor] = []
  /// One for each output of the model, `[N, ...]`.
  var targets: [Tensor] = []
  /// The model's outputs, each `[N, ...]`.
  var predictions: [Tensor] = []
  /// That of each output, `[N]`.
  var losses: [Tensor] = []
  /// What targets take from those of other samples, where pictures are mixed: the samples, int32 `[N]`, and the share.
  var mix: (others: Tensor, weight: Tensor)?
  /// What is made small: a scalar, or one number for each sample.
  var loss: Tensor?
  /// The graph's inputs that a batch is made of, in the order in which a feed takes their positions.
  var fed: [Tensor] = []
  /// The arena, and the inputs that its numbers of a step go to.
  var update: (arena: ParameterArena, values: [Tensor])?
  var totals: BatchTotals?
  /// What can be read after a step.
  var outputs: [Tensor] = []

  init(graph: Graph, session: any Session) { (self.graph, self.session) = (graph, session) }
}

/// The batch of a training or an evaluation.
struct DataStage: StepStage {
  let data: any TrainingData
  let batchSize: Int

  func append(to step: inout StepTrace) {
    let batch = data.batch(of: batchSize, in: step.graph)
    (step.inputs, step.targets, step.fed) = (batch.inputs, batch.targets, batch.fed)
  }
}

/// Inputs without targets.
struct InputStage: StepStage {
  /// Of one sample.
  let types: [TensorType]
  let batchSize: Int

  func append(to step: inout StepTrace) {
    step.inputs = step.graph.feeds("inputs", types, batchSize: batchSize)
    step.fed = step.inputs
  }
}

/// The model, on pixels that are scaled.
struct ModelStage: StepStage {
  let model: any Model
  /// Factor of uint8 inputs, which become float32; others stay as they are.
  let pixelScale: Double

  func append(to step: inout StepTrace) throws {
    step.predictions = model(step.inputs.map { $0.dtype == .uint8 ? $0 * pixelScale : $0 })
    if let own = step.graph.declaredInputs.first {
      // Nobody would ever set it.
      throw GraphError(
        label: own.name,
        message: "is an input that the model declares, and a Trainer sets only the data's; make it a parameter or a "
          + "constant, or train with a TrainStep, which takes inputs of your own")
    }
  }
}

/// The loss of each sample, of each output and their sum.
struct LossStage: StepStage {
  let outputs: [Output]
  let batchSize: Int

  func append(to step: inout StepTrace) throws {
    for (output, (prediction, target)) in zip(outputs, zip(step.predictions, step.targets)) {
      let mix = step.mix
      let losses = step.graph.scope(output.name) { () -> Tensor in
        let own = output.loss(prediction, target)
        guard let mix, own.isValid else { return own }
        return own + mix.weight * (output.loss(prediction, gather(target, mix.others)) - own)
      }
      if let failure = step.graph.failure { throw failure }
      guard losses.shape == [batchSize] else {
        throw GraphError(
          label: outputs.label("loss", of: output),
          message: "\(batchSize) inputs gave \(losses.shape.shapeDescription) losses; "
            + "the first axis of a model's output must stay the batch")
      }
      step.losses.append(losses)
    }
    let weighted = zip(outputs, step.losses).map { $0.weight == 1 ? $1 : $1 * $0.weight }
    step.loss = weighted.dropFirst().reduce(weighted[0], +)
  }
}

/// Sums of the losses and the metrics, which stay on the device until they are read.
struct TotalsStage: StepStage {
  let outputs: [Output]
  let batchSize: Int

  func append(to step: inout StepTrace) throws {
    var terms = [SampleTerm(inputs: [step.loss!])]
    if outputs.count > 1 { terms += step.losses.map { SampleTerm(inputs: [$0]) } }
    for (output, (prediction, target)) in zip(outputs, zip(step.predictions, step.targets)) {
      for metric in output.metrics {
        let values = metric(prediction, target, outputs: output.loss.outputs)
        if let failure = step.graph.failure { throw failure }
        guard values.shape == [batchSize] else {
          throw GraphError(
            label: outputs.label(metric.label, of: output),
            message: "\(batchSize) samples gave \(values.shape.shapeDescription) values; a metric is one number for "
              + "each")
        }
        terms.append(SampleTerm.unfolding(values))
      }
    }
    step.totals = BatchTotals(
      terms, names: outputs.labels, batchSize: batchSize, in: step.graph, session: step.session)
  }
}

/// Gradients of the loss's mean, their transforms, and the optimizer's rule for each group of parameters.
struct UpdateStage: StepStage {
  /// Called after the model is traced: its parameters have sizes then.
  let arena: () throws -> ParameterArena

  func append(to step: inout StepTrace) throws {
    let (arena, loss) = (try arena(), step.loss!)
    let values = arena.appendUpdate(to: step.graph, loss: loss, scale: 1 / Double(loss.shape.elementCount))
    step.update = (arena, values)
  }
}

/// The model's outputs, to be read.
struct OutputStage: StepStage {
  func append(to step: inout StepTrace) { step.outputs = step.predictions }
}
