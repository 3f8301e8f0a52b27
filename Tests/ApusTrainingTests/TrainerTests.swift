import ApusCore
import ApusData
import ApusDevices
import ApusNN
import ApusOptimize
import Testing

@testable import ApusTraining

/// A network with a branch and a residual sum, as a plain struct.
private struct Branches: Layer {
  let left = Conv2D(4, kernel: 3, padding: .same, activation: .relu)
  let right = Conv2D(4, kernel: 1)
  let head = Dense(4)

  func forward(_ x: Tensor) -> Tensor {
    let joined = concat([left(x), right(x)])
    return head(relu(joined + concat([right(x), left(x)])).flattened())
  }
}

@Suite struct TrainerTests {
  @Test func learns() throws {
    let model = smallModel()
    let trainer = try makeTrainer(model)
    let history = try trainer.fit(
      quadrants(200), epochs: 5, batchSize: 32, validation: .split(0.2), progress: .none)
    #expect(history.epochs.count == 5)
    #expect(history.epochs.map(\.epoch) == [1, 2, 3, 4, 5])
    #expect(history.epochs[4].loss < history.epochs[0].loss)
    #expect(try #require(history.epochs[4].validationAccuracy) > 0.95)
    #expect(history.epochs[4].imagesPerSecond > 0)
    #expect(trainer.step == 25)
    let test = try trainer.evaluate(quadrants(50, seed: 9), batchSize: 32)
    #expect(try #require(test.accuracy) > 0.95)
  }

  @Test func aStructWithBranchesLearns() throws {
    let trainer = try makeTrainer(Branches())
    let history = try trainer.fit(quadrants(120), epochs: 5, batchSize: 20, progress: .none)
    #expect(try #require(history.epochs.last?.accuracy) > 0.95)
    #expect(trainer.modelName == "branches")
  }

  @Test func theSameSeedGivesTheSameBits() throws {
    func run(seed: UInt64, _ options: CompileOptions = CompileOptions()) throws -> ([NDArray], [Double]) {
      let model = Sequential {
        Conv2D(4, kernel: 3, activation: .relu)
        Dropout(0.3)
        Flatten()
        Dense(4)
      }
      let trainer = try makeTrainer(model, seed: seed, options: options)
      let history = try trainer.fit(quadrants(70), epochs: 2, batchSize: 32, validation: .split(0.1), progress: .none)
      return (try values(of: model), history.epochs.flatMap { [$0.loss, $0.validationLoss!] })
    }
    let first = try run(seed: 3)
    let second = try run(seed: 3)
    #expect(first.0 == second.0 && first.1 == second.1)
    #expect(try run(seed: 4).0 != first.0)
    // Neither fusion nor the sharing of memory changes a result.
    var plain = CompileOptions()
    plain.fuses = false
    plain.reusesMemory = false
    let unfused = try run(seed: 3, plain)
    for (a, b) in zip(first.0, unfused.0) {
      #expect(zip(a.doubles, b.doubles).allSatisfy { abs($0 - $1) < 1e-5 })
    }
  }

  @Test func theCheckedModeTrains() throws {
    let trainer = try makeTrainer(options: .checked)
    try trainer.fit(quadrants(20), batchSize: 10, progress: .none)
    #expect(trainer.step == 2)
  }

  /// Loss and accuracy are means over samples, whatever the sizes of the batches.
  @Test func thePartialBatchCounts() throws {
    let data = try quadrants(50)
    let trainer = try makeTrainer(metrics: [.accuracy, .topK(2)])
    let all = try trainer.evaluate(data, batchSize: 50)
    let parts = try trainer.evaluate(data, batchSize: 16)
    #expect(abs(all.loss - parts.loss) < 1e-6)
    #expect(all.metrics == parts.metrics)
    let probabilities = try trainer.probabilities(data.images, batchSize: 7)
    #expect(probabilities.shape == [50, 4])
    let labels = data.labels.values(as: Int32.self)
    var (loss, right, top) = (0.0, 0.0, 0.0)
    for (n, label) in labels.enumerated() {
      let row = Array(probabilities.doubles[(n * 4)..<(n * 4 + 4)])
      #expect(abs(row.reduce(0, +) - 1) < 1e-5)
      let better = row.count { $0 > row[Int(label)] }
      if better < 1 { right += 1 }
      if better < 2 { top += 1 }
      loss -= logarithm(row[Int(label)])
    }
    #expect(abs(all.loss - loss / 50) < 1e-5)
    #expect(all.metrics == ["accuracy": right / 50, "top_2_accuracy": top / 50])
    try trainer.fit(data, batchSize: 32, shuffle: false, progress: .none)
    #expect(trainer.step == 2)
  }

  @Test func batches() {
    let batches = Batches(count: 10, size: 4)
    #expect(batches.steps == 3 && batches.sizes == [4, 2] && (0..<3).map(batches.range) == [0..<4, 4..<8, 8..<10])
    #expect(Batches(count: 8, size: 4).sizes == [4])
    let whole = Batches(count: 3, size: .max)
    #expect(whole.steps == 1 && whole.sizes == [3] && whole.range(0) == 0..<3)
  }

  /// What a model observes is there after training, evaluation and prediction.
  @Test func observes() throws {
    struct Observed: Layer {
      let body = Conv2D(2, kernel: 3, activation: .relu), head = Dense(4)
      func forward(_ x: Tensor) -> Tensor { head(body(x).observe("body").flattened()) }
    }
    let trainer = try makeTrainer(Observed())
    #expect(try trainer.observation("body") == nil)
    let data = try quadrants(10)
    try trainer.fit(data, batchSize: 4, progress: .none)
    #expect(try trainer.observation("body")?.shape == [2, 2, 2, 2])
    _ = try trainer.predict(data.images, batchSize: 5)
    let seen = try #require(try trainer.observation("body"))
    #expect(seen.shape == [5, 2, 2, 2] && seen.doubles.allSatisfy { $0 >= 0 } && seen.doubles.contains { $0 > 0 })
    #expect(try trainer.observation("nothing") == nil)
  }

  /// One of two values of a name would hide the other.
  @Test func observationsHaveNamesOfTheirOwn() throws {
    struct Block: Layer {
      let body = Conv2D(2, kernel: 3)
      func forward(_ x: Tensor) -> Tensor { body(x).observe("maps").observe("maps") }
    }
    let one = Sequential {
      Block()
      GlobalAveragePool2D()
    }
    #expect(throws: Never.self) { try one.build(inputShape: [8, 8, 1]) }
    let two = Sequential {
      Block()
      Block()
    }
    let error = #expect(throws: GraphError.self) { try two.build(inputShape: [8, 8, 1]) }
    #expect(error?.message.contains("'maps'") == true && error?.label == "block_1")
  }

  /// Data that is not used any more gives back its memory; data that comes back is uploaded again.
  @Test func deviceMemoryDoesNotGrowWithTheDataSeen() throws {
    let trainer = try makeTrainer()
    let data = try quadrants(60)
    try trainer.fit(data, batchSize: 16, progress: .none)
    let expected = try trainer.evaluate(data, batchSize: 16)
    var sizes: [Int] = []
    for seed in 2..<20 {
      _ = try trainer.evaluate(quadrants(60, seed: UInt64(seed)), batchSize: 16)
      sizes.append(trainer.session.allocatedBytes)
    }
    #expect(Set(sizes.dropFirst(4)).count == 1, "\(sizes)")
    #expect(try trainer.evaluate(data, batchSize: 16) == expected)
    #expect(throws: Never.self) { try trainer.fit(data, batchSize: 16, progress: .none) }
  }

  private func logarithm(_ x: Double) -> Double {
    let graph = Graph()
    let y = log(graph.constant(NDArray(x)))
    return try! Device.reference.openSession().compile(graph, outputs: [y])([])[0].item
  }

  /// The loss of an epoch without learning is that of the evaluation: the split takes the last part.
  @Test func splitTakesTheLastPart() throws {
    let data = try quadrants(50)
    let trainer = try makeTrainer(optimizer: SGD(learningRate: 0))
    let history = try trainer.fit(data, batchSize: 8, validation: .split(0.3), progress: .none)
    let training = try trainer.evaluate(data[0..<35], batchSize: 35)
    let validation = try trainer.evaluate(data[35..<50], batchSize: 15)
    #expect(abs(history.epochs[0].loss - training.loss) < 1e-6)
    #expect(abs(history.epochs[0].validationLoss! - validation.loss) < 1e-6)
    for fraction in [0, 1, 0.99999, -1, Double.nan] {
      #expect(throws: TrainingError.self) {
        try trainer.fit(quadrants(10), validation: .split(fraction), progress: .none)
      }
    }
  }

  @Test func regressionLearns() throws {
    let x = NDArray((0..<64).map { Float($0) / 32 - 1 }, shape: [64, 1])
    let y = NDArray(x.values(as: Float.self).map { 3 * $0 - 0.5 }, shape: [64, 1])
    let model = Dense(1)
    let trainer = try makeTrainer(
      model, optimizer: SGD(learningRate: 0.2, momentum: 0.9), loss: .meanSquaredError, metrics: [])
    try trainer.fit(
      inputs: x, targets: y, epochs: 20, batchSize: 16, validation: .arrays(inputs: x, targets: y), progress: .none)
    #expect(abs(try model.kernel.value().item - 3) < 0.01)
    #expect(abs(try model.bias!.value().item + 0.5) < 0.01)
    #expect(trainer.history.epochs.last!.validationLoss! < 1e-3)
    #expect(try trainer.predict(x).shape == [64, 1])
  }

  @Test func binaryAndDenseLabelsTrain() throws {
    let x = NDArray((0..<80).map { Float(($0 * 37) % 41) / 20 - 1 }, shape: [40, 2])
    let isHigh = (0..<40).map { x.doubles[$0 * 2] > x.doubles[$0 * 2 + 1] }
    let binary = try makeTrainer(Dense(1), optimizer: Adam(learningRate: 0.1), loss: .binaryCrossEntropy)
    let history = try binary.fit(
      inputs: x, targets: NDArray(isHigh.map { $0 ? Float(1) : 0 }, shape: [40]), epochs: 20, progress: .none)
    #expect(history.epochs.last!.accuracy! > 0.9)
    let dense = try makeTrainer(
      Dense(2), optimizer: Adam(learningRate: 0.1), loss: .categoricalCrossEntropy(labelSmoothing: 0.1))
    let other = try dense.fit(
      inputs: x, targets: NDArray(isHigh.flatMap { $0 ? [Float(1), 0] : [0, 1] }, shape: [40, 2]), epochs: 20,
      progress: .none)
    #expect(other.epochs.last!.accuracy! > 0.9)
  }

  @Test func frozenParametersStay() throws {
    let model = smallModel()
    for parameter in model.parameters.prefix(2) { parameter.isTrainable = false }
    let trainer = try makeTrainer(model)
    try trainer.prepare(inputShapes: [[4, 4, 1]])
    let before = try values(of: model)
    try trainer.fit(quadrants(20), progress: .none)
    let after = try values(of: model)
    #expect(before[0] == after[0] && before[1] == after[1] && before[2] != after[2])
    // The next fit takes the change over.
    model.parameters[0].isTrainable = true
    try trainer.fit(quadrants(20), progress: .none)
    #expect(try values(of: model)[0] != before[0])
  }

  @Test func weightsOutliveTheTrainer() throws {
    let model = smallModel()
    var trained: [NDArray] = []
    do {
      let trainer = try makeTrainer(model)
      try trainer.fit(quadrants(20), progress: .none)
      trained = try values(of: model)
    }
    #expect(try values(of: model) == trained)
    // A second trainer goes on from them; the first may no longer touch the model.
    let second = try makeTrainer(model)
    let third = try makeTrainer(model)
    try second.prepare(inputShapes: [[4, 4, 1]])
    #expect(try values(of: model) == trained)
    try third.prepare(inputShapes: [[4, 4, 1]])
    #expect(throws: TrainingError.self) { try second.fit(quadrants(20), progress: .none) }
  }

  /// A training step is a handful of launches, the optimizer's update one of them.
  @Test func launchesOfAStep() throws {
    let model = try Models.make("tutorial-mnist", inputShape: [28, 28, 1], classes: 10)
    let images = NDArray(zeros: [4, 28, 28, 1], dtype: .uint8)
    let data = try ImageDataset(
      name: "zeros", images: images, labels: NDArray(zeros: [4], dtype: .int32), classNames: (0..<10).map { "\($0)" })
    let trainer = try makeTrainer(model)
    let resident = try trainer.place([data.images], [data.labels], name: "zeros")
    let plan = try trainer.step(.training, resident, batchSize: 4)
    #expect(plan.executable.launchCount == 26, "\(plan.executable.listing)")
    let evaluation = try trainer.step(.evaluation, resident, batchSize: 4)
    #expect(evaluation.executable.launchCount == 11, "\(evaluation.executable.listing)")
  }
}
