import ApusCore
import ApusData
import ApusDevices
import ApusNN
import ApusOptimize
import Testing

@testable import ApusTraining

/// Losses and metrics of one's own: trained with, reported, stored and found again.
@Suite struct OwnPartsTests {
  /// Cross entropy with less weight on what is known well. Lin et al., "Focal loss for dense object detection", 2017.
  private struct Focal: Loss {
    var gamma = 2.0
    var outputs: ModelOutputs { .classes(fromLogits: true, labels: .sparse) }
    func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
      softmaxCrossEntropy(prediction, labels: target).map { .pow(1 - .exp(-$0), .constant(gamma)) * $0 }
    }
  }

  /// The largest logit.
  private struct Peak: Metric {
    var scale = 1.0
    func callAsFunction(_ prediction: Tensor, _ target: Tensor, outputs: ModelOutputs) -> Tensor {
      reduceMax(prediction, axes: [1]) * scale
    }
  }

  /// A loss that may be negative.
  private struct Negative: Loss {
    var outputs: ModelOutputs { .values }
    func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
      reduceMean(-exp(-(prediction - target) * (prediction - target)), axes: [1])
    }
  }

  @Test func aRunHoldsThem() throws {
    Losses.catalog.register(Focal())
    Metrics.catalog.register(Peak())
    let folder = try TemporaryFolder()
    let data = try Digits.train(count: 40, seed: 1)
    let model = try Models.make("lenet5", inputShape: data.imageShape, classes: 10, seed: 5)
    let trainer = try Trainer(
      model, loss: Focal(gamma: 1.5), metrics: [Peak(scale: 2), .accuracy, .topK(3)], device: .reference,
      modelName: "lenet5")
    try trainer.fit(data, epochs: 2, progress: .none)
    let record = trainer.history.epochs[1]
    #expect(Set(record.metrics.keys) == ["peak", "accuracy", "top_3_accuracy"])
    #expect(record.loss < trainer.history.epochs[0].loss)
    let configuration = try RunConfiguration(
      model: "lenet5", inputShape: data.imageShape, classNames: data.classNames, dataset: data.name,
      optimizer: trainer.optimizer, loss: trainer.loss, metrics: trainer.metrics, batchSize: 32, seed: 0)
    try Run.save(trainer, configuration, to: folder("run"))
    let again = try Run.load(folder("run")).makeTrainer(device: .reference)
    #expect((again.loss as? Focal)?.gamma == 1.5 && (again.metrics[0] as? Peak)?.scale == 2)
    #expect(try again.evaluate(data) == trainer.evaluate(data))
    // By what the loss says of its outputs there are probabilities, and stray labels are found.
    #expect(abs(try again.probabilities(data.images).rows(0..<1).doubles.reduce(0, +) - 1) < 1e-5)
    #expect(throws: TrainingError.self) {
      try again.fit(
        inputs: data.images, targets: NDArray([Int32](repeating: 10, count: 40), shape: [40]), progress: .none)
    }
  }

  @Test func aLossMayBeNegative() throws {
    let x = NDArray((0..<40).map { Float($0) / 40 }, shape: [40, 1])
    let trainer = try Trainer(Dense(1), optimizer: Adam(learningRate: 0.05), loss: Negative(), device: .reference)
    let history = try trainer.fit(inputs: x, targets: x, epochs: 20, progress: .none)
    #expect(history.epochs[19].loss < -0.9 && trainer.divergence == nil)
    #expect(throws: TrainingError.self) { try trainer.probabilities(x) }
  }

  @Test func aMetricIsOneNumberForEachSample() throws {
    struct Whole: Metric {
      func callAsFunction(_ prediction: Tensor, _ target: Tensor, outputs: ModelOutputs) -> Tensor { prediction }
    }
    let error = #expect(throws: GraphError.self) {
      try makeTrainer(metrics: [Whole()]).fit(quadrants(20), progress: .none)
    }
    #expect(error?.label == "whole")
  }

  /// Older runs hold the labels of metrics, and losses by the same words as today's.
  @Test func olderRunsAreRead() throws {
    let folder = try TemporaryFolder()
    let data = try Digits.train(count: 20, seed: 1)
    let model = try Models.make("lenet5", inputShape: data.imageShape, classes: 10, seed: 5)
    let trainer = try Trainer(
      model, loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy], device: .reference, modelName: "lenet5")
    try trainer.fit(data, progress: .none)
    let configuration = try RunConfiguration(
      model: "lenet5", inputShape: data.imageShape, classNames: data.classNames, dataset: data.name,
      optimizer: trainer.optimizer, batchSize: 32, seed: 0)
    try Run.save(trainer, configuration, to: folder("run"))
    var object = try readJSON(Hyperparameters.self, from: folder("run/config.json"))
    object["metrics"] = .list([.text("accuracy"), .text("top_3_accuracy")])
    object["loss"] = .object([
      "kind": .text("sparse_categorical_crossentropy"), "from_logits": .flag(true), "label_smoothing": .number(0.25),
    ])
    try writeJSON(object, to: folder("run/config.json"))
    let old = try Run.load(folder("run")).configuration
    #expect(old.metrics.map(\.label) == ["accuracy", "top_3_accuracy"])
    #expect(old.loss as? SparseCategoricalCrossEntropy == .sparseCategoricalCrossEntropy(labelSmoothing: 0.25))
    object["metrics"] = .list([.text("f1")])
    try writeJSON(object, to: folder("run/config.json"))
    let error = #expect(throws: TrainingError.self) { try Run.load(folder("run")) }
    #expect(error?.description.contains("no metric 'f1'") == true)
  }
}
