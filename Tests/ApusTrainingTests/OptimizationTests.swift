import ApusCore
import ApusData
import ApusDevices
import ApusNN
import ApusOptimize
import Testing

@testable import ApusTraining

/// Transforms, groups and schedules in a trainer, its checkpoints and its runs.
@Suite struct OptimizationTests {
  private static let everything = Optimization(
    SGD(learningRate: .warmUp(steps: 2, then: CosineDecay(from: 0.1, over: 20)), momentum: 0.9, weightDecay: 0.01),
    groups: [.withoutWeightDecay, ParameterGroup(.path("*dense*"), learningRate: 0.5)],
    transforms: [Accumulate(2), ClipValue(1), ClipNorm(0.5), ClipGlobalNorm(0.7), Average(decay: 0.8)])

  private func trainer(_ optimization: Optimization, _ model: Sequential) throws -> Trainer {
    try Trainer(
      model, optimizer: optimization.optimizer, loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy],
      groups: optimization.groups, transforms: optimization.transforms, device: .reference, seed: 3,
      modelName: "lenet5")
  }

  private func model() throws -> Sequential {
    try Models.make("lenet5", inputShape: [28, 28, 1], classes: 10, seed: 5)
  }

  /// Two epochs are one, and one more after a restart, bit by bit, with all that an optimization can hold.
  @Test func aRunGoesOnWithAllOfIt() throws {
    let folder = try TemporaryFolder()
    // Three steps an epoch, so that the accumulation is under way at its end.
    let data = try Digits.train(count: 30, seed: 1)
    let whole = try trainer(Self.everything, try model())
    try whole.fit(data, epochs: 2, batchSize: 10, progress: .none)

    let part = try trainer(Self.everything, try model())
    try part.fit(data, batchSize: 10, progress: .none)
    let configuration = try RunConfiguration(
      model: "lenet5", inputShape: data.imageShape, classNames: data.classNames, dataset: data.name,
      optimizer: part.optimizer, groups: Self.everything.groups, transforms: Self.everything.transforms, batchSize: 10,
      seed: 3)
    try Run.save(part, configuration, to: folder("run"))
    let resumed = try Run.load(folder("run")).resume(device: .reference)
    #expect(resumed.learningRate == part.learningRate && resumed.learningRate < 0.1)
    try resumed.fit(data, batchSize: 10, progress: .none)
    #expect(try resumed.checkpointTensors().map(\.1) == whole.checkpointTensors().map(\.1))

    // Another optimization is refused.
    for other in [Optimization(part.optimizer), Optimization(part.optimizer, transforms: Self.everything.transforms)] {
      let stranger = try trainer(other, try model())
      let error = #expect(throws: TrainingError.self) {
        try stranger.restoreCheckpoint(from: folder("run/checkpoint.safetensors"), inputShape: [28, 28, 1])
      }
      #expect(error?.description.contains("groups") == true)
      #expect(throws: TrainingError.self) { try Run.save(stranger, configuration, to: folder("other")) }
    }
  }

  /// Averages are what is evaluated, predicted and saved; training goes on from the weights.
  @Test(arguments: [Device.reference, .cpu] + ((try? Device.openCL.openSession()) == nil ? [] : [.openCL]))
  func averagesAreEvaluated(on device: Device) throws {
    let folder = try TemporaryFolder()
    let data = try quadrants(40)
    func fitted(_ transforms: [any GradientTransform]) throws -> Trainer {
      let trainer = try Trainer(
        smallModel(), optimizer: SGD(learningRate: 0.2), loss: .sparseCategoricalCrossEntropy, transforms: transforms,
        device: device, seed: 1)
      try trainer.fit(data, epochs: 2, batchSize: 8, validation: .data(data), progress: .none)
      return trainer
    }
    let (plain, averaged) = (try fitted([]), try fitted([Average(decay: 0.9)]))
    #expect(try values(of: plain.model) == values(of: averaged.model))
    #expect(plain.history.epochs.map(\.loss) == averaged.history.epochs.map(\.loss))
    #expect(plain.history.epochs[1].validationLoss != averaged.history.epochs[1].validationLoss)

    // A model with the averages for weights predicts what the trainer predicts.
    let other = smallModel()
    try other.build(inputShape: [4, 4, 1])
    try averaged.save(to: folder("weights.safetensors"))
    try other.load(from: folder("weights.safetensors"))
    let copy = try Trainer(other, loss: .sparseCategoricalCrossEntropy, device: device)
    #expect(try copy.predict(data.images) == averaged.predict(data.images))
    #expect(try copy.predict(data.images) != plain.predict(data.images))
    #expect(try copy.evaluate(data).loss == averaged.evaluate(data).loss)
    // And the weights are still those of training.
    #expect(try values(of: plain.model) == values(of: averaged.model))
  }

  /// A rate that is set takes the schedule's place; a schedule counts changes of the weights.
  @Test func theLearningRateFollowsItsSchedule() throws {
    let rate = StepDecay(from: 1, factor: 0.5, every: 1)
    let trainer = try Trainer(
      smallModel(), optimizer: SGD(learningRate: rate), loss: .sparseCategoricalCrossEntropy,
      transforms: [Accumulate(2)], device: .reference)
    #expect(trainer.learningRate == 1)
    try trainer.fit(quadrants(24), batchSize: 8, progress: .none)
    #expect(trainer.step == 3 && trainer.learningRate == 0.5)
    trainer.learningRate = 0.125
    try trainer.fit(quadrants(24), batchSize: 8, progress: .none)
    #expect(trainer.learningRate == 0.125)
  }

  /// Checkpoints of before held one vector for each state of the optimizer.
  @Test func olderCheckpointsAreRead() throws {
    let folder = try TemporaryFolder()
    let first = try makeTrainer(optimizer: Adam())
    try first.fit(quadrants(20), progress: .none)
    let tensors = try first.checkpointTensors()
    let weights = tensors.prefix(first.parameters.count)
    func vector(_ state: String) -> NDArray {
      let pieces = tensors.filter { $0.0.hasPrefix("optimizer.\(state).") }.map { $0.1.values(as: Float.self) }
      let padded = pieces.flatMap { $0 + [Float](repeating: 0, count: (128 - $0.count % 128) % 128) }
      return NDArray(padded, shape: [padded.count])
    }
    try first.saveCheckpoint(
      weights + [("optimizer.mean", vector("mean")), ("optimizer.variance", vector("variance"))], to: folder("c"))
    let second = try makeTrainer(optimizer: Adam())
    try second.restoreCheckpoint(from: folder("c"), inputShape: [4, 4, 1])
    #expect(try second.checkpointTensors().map(\.1) == tensors.map(\.1))
  }
}
