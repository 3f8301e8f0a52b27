import ApusCore
import ApusData
import ApusNN
import ApusOptimize
import Foundation
import Testing

@testable import ApusTraining

/// A run and a checkpoint hold all of their optimizer.
@Suite struct HyperparameterTests {
  /// Each optimizer with no hyperparameter at its default.
  static let unusual: [any Optimizer & Sendable] = [
    SGD(learningRate: 0.02, momentum: 0.8, nesterov: true, weightDecay: 0.01),
    Adam(learningRate: 0.002, beta1: 0.8, beta2: 0.9, epsilon: 1e-3),
    AdamW(learningRate: 0.002, weightDecay: 0.3, beta1: 0.8, beta2: 0.9, epsilon: 1e-3),
    RMSprop(learningRate: 0.002, rho: 0.8, momentum: 0.5, epsilon: 1e-3, centered: true),
  ]

  private func makeRun(_ folder: String, _ optimizer: any Optimizer, epochs: Int) throws -> Trainer {
    let data = try Digits.train(count: 40, seed: 1)
    let model = try Models.make("lenet5", inputShape: data.imageShape, classes: 10, seed: 5)
    let trainer = try Trainer(
      model, optimizer: optimizer, loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy], device: .reference,
      seed: 5, modelName: "lenet5")
    try trainer.fit(data, epochs: epochs, batchSize: 20, progress: .none)
    let configuration = try RunConfiguration(
      model: "lenet5", inputShape: data.imageShape, classNames: data.classNames, dataset: data.name,
      optimizer: optimizer, batchSize: 20, seed: 5)
    try Run.save(trainer, configuration, to: folder)
    return trainer
  }

  /// Two epochs are one, and one more after a restart, bit by bit, and by the same rule.
  @Test(arguments: unusual) func aRunGoesOnByItsRule(optimizer: any Optimizer & Sendable) throws {
    let folder = try TemporaryFolder()
    let whole = try makeRun(folder("whole"), optimizer, epochs: 2)
    _ = try makeRun(folder("part"), optimizer, epochs: 1)
    let resumed = try Run.load(folder("part")).resume(device: .reference)
    #expect(try resumed.optimizer.hyperparameters() == optimizer.hyperparameters())
    try resumed.fit(Digits.train(count: 40, seed: 1), batchSize: 20, progress: .none)
    #expect(try values(of: resumed.model) == values(of: whole.model))
  }

  @Test func configurationsNameEachHyperparameter() throws {
    let folder = try TemporaryFolder()
    _ = try makeRun(folder("run"), Self.unusual[0], epochs: 1)
    let text = try String(contentsOfFile: folder("run/config.json"), encoding: .utf8)
    for line in [
      #""optimizer" : "sgd""#, #""learning_rate" : 0.02"#, #""momentum" : 0.8"#, #""nesterov" : true"#,
      #""weight_decay" : 0.01"#,
    ] { #expect(text.contains(line), "\(line) in \(text)") }
  }

  /// Older runs hold the optimizer's name and learning rate alone.
  @Test func olderRunsGoOnWithDefaults() throws {
    let folder = try TemporaryFolder()
    let path = folder("run/config.json")
    _ = try makeRun(folder("run"), SGD(learningRate: 0.3), epochs: 1)
    var object = try readJSON(Hyperparameters.self, from: path)
    object["hyperparameters"] = nil
    try writeJSON(object, to: path)
    let run = try Run.load(folder("run"))
    #expect(!run.configuration.knowsHyperparameters)
    #expect(try run.resume(device: .reference).optimizer as? SGD == SGD(learningRate: 0.3))
  }

  @Test func strangeHyperparametersAreErrors() throws {
    let folder = try TemporaryFolder()
    let path = folder("run/config.json")
    _ = try makeRun(folder("run"), Adam(), epochs: 1)
    let good = try readJSON(Hyperparameters.self, from: path)
    let strange: [(Hyperparameters, String)] = [
      (["gamma": .number(1)], "no hyperparameter 'gamma'"), (["beta1": .text("0.9")], "beta1"),
      (["beta1": .null], "beta1"), (["beta2": .list([.number(1)])], "beta2"),
    ]
    for (values, part) in strange {
      try writeJSON(good.merging(["hyperparameters": .object(values)]) { $1 }, to: path)
      let error = #expect(throws: TrainingError.self) { try Run.load(folder("run")).makeTrainer(device: .reference) }
      #expect(error.map { "\($0)" }?.contains(part) == true, "\(String(describing: error))")
    }
  }

  @Test func aConfigurationOfAnotherOptimizerIsRefused() throws {
    let folder = try TemporaryFolder()
    let trainer = try makeRun(folder("run"), SGD(momentum: 0.9), epochs: 1)
    let other = try RunConfiguration(
      model: "lenet5", inputShape: [28, 28, 1], classNames: ["a"], dataset: "d", optimizer: SGD(momentum: 0.8),
      batchSize: 20, seed: 5)
    let error = #expect(throws: TrainingError.self) { try Run.save(trainer, other, to: folder("other")) }
    #expect(error.map { "\($0)" }?.contains("0.8") == true && error.map { "\($0)" }?.contains("0.9") == true)
    #expect(!FileManager.default.fileExists(atPath: folder("other")))
  }

  /// The rule is compared, also that of an optimizer of one's own; the learning rate is taken over.
  @Test func checkpointsHoldTheRule() throws {
    let folder = try TemporaryFolder()
    func trainer(_ optimizer: any Optimizer) throws -> Trainer {
      let trainer = try makeTrainer(optimizer: optimizer)
      try trainer.prepare(inputShapes: [[4, 4, 1]])
      return trainer
    }
    for (made, same, other, difference) in [
      (
        AdamW(weightDecay: 0.01), AdamW(learningRate: 1, weightDecay: 0.01), AdamW(),
        "weight_decay is 0.01 there and 0.004 here"
      ),
      (SGD(momentum: 0.9), SGD(momentum: 0.9), SGD(momentum: 0.9, nesterov: true), "nesterov is false there and true"),
      (SignDescent(), SignDescent(learningRate: 3), SignDescent(power: 2), "power is 1.0 there and 2.0 here"),
    ] as [(any Optimizer, any Optimizer, any Optimizer, String)] {
      let first = try trainer(made)
      first.learningRate = 0.125
      try first.saveCheckpoint(to: folder("c"))
      let second = try trainer(same)
      try second.restoreCheckpoint(from: folder("c"), inputShape: [4, 4, 1])
      #expect(second.learningRate == 0.125)
      let third = try trainer(other)
      let error = #expect(throws: TrainingError.self) {
        try third.restoreCheckpoint(from: folder("c"), inputShape: [4, 4, 1])
      }
      #expect(error.map { "\($0)" }?.contains(difference) == true, "\(String(describing: error))")
      #expect(Hyperparameter(third.learningRate) == other.learningRate)
    }
  }
}

private struct SignDescent: Optimizer {
  var learningRate: Hyperparameter = 0.001
  var power = 1.0
  func rule(_ x: RuleInputs) -> UpdateRule {
    let sign = Expr.ifGreater(x.gradient, 0, then: 1, otherwise: -1)
    return UpdateRule(parameter: x.parameter - x.values[0] * sign * .constant(power))
  }
  func appendValues(step: Int, to values: inout [Double]) { values.append(learningRate(step)) }
}
