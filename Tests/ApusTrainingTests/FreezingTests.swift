import ApusCore
import ApusDevices
import ApusNN
import ApusOptimize
import Testing

@testable import ApusTraining

/// Parts of a model in inference mode, and parts that stay.
@Suite struct FreezingTests {
  private struct Net: Layer {
    let body = Sequential {
      Conv2D(4, kernel: 3, padding: .same, useBias: false)
      BatchNormalization(momentum: 0.5)
      Conv2D(4, kernel: 1, useBias: false, activation: .relu)
      BatchNormalization(momentum: 0.5, center: false, scale: false)
      GlobalAveragePool2D()
    }
    let head = Dense(4)
    func forward(_ x: Tensor) -> Tensor { head(body(x)) }
  }

  private func step(_ model: some Layer, of loss: @escaping (Tensor) -> Tensor) throws -> TrainStep {
    try TrainStep(model, optimizer: SGD(learningRate: 0.1), device: .reference) { graph in
      loss(graph.input("x", shape: [8, 4, 4, 1]))
    }
  }

  private func squared(_ y: Tensor) -> Tensor { y * y }

  private let x = NDArray((0..<128).map { Float($0 % 13) - 4 }, shape: [8, 4, 4, 1])

  @Test func aFrozenPartKeepsItsStatistics() throws {
    let net = Net()
    try net.build(inputShape: [4, 4, 1], seed: 1)
    net.body.freeze()
    #expect(net.parameters.filter(\.isTrainable).map(\.name) == ["head.kernel", "head.bias"])
    let before = try values(of: net)
    let trainer = try makeTrainer(net)
    try trainer.fit(quadrants(20), epochs: 2, progress: .none)
    let after = try values(of: net)
    let names = net.parameters.map(\.name)
    for (i, name) in names.enumerated() { #expect((before[i] == after[i]) == name.hasPrefix("body."), "\(name)") }
    // Unfrozen, in a new trainer, all of it moves.
    net.body.unfreeze()
    try makeTrainer(net).fit(quadrants(20), progress: .none)
    let moved = try values(of: net)
    for (i, name) in names.enumerated() { #expect(after[i] != moved[i], "\(name)") }
  }

  /// A step sees a frozen part as a prediction does.
  @Test func aFrozenPartComputesAsInPrediction() throws {
    let net = Net()
    try makeTrainer(net).fit(quadrants(20), epochs: 2, progress: .none)
    func loss(training: Bool) throws -> Double {
      let graph = Graph(mode: training ? .training : .inference)
      let y = try graph.trace { reduceMean(squared(net($0.input("x", shape: [8, 4, 4, 1])))) }
      return try Device.reference.openSession().compile(graph, outputs: [y])([x])[0].item
    }
    let predicted = try loss(training: false)
    #expect(try loss(training: true) != predicted)
    net.body.freeze()
    #expect(try loss(training: true) == predicted)
  }

  /// Its weights learn; statistics stay and nothing is dropped.
  @Test func aPartInInferenceModeStillLearns() throws {
    let norm = BatchNormalization()
    let body = Sequential {
      Conv2D(4, kernel: 3)
      norm
      Dropout(0.5)
    }
    let step = try step(body) { squared(body.inference($0)) }
    let first = try (step(x), step.loss()).1
    let statistics = try [norm.movingMean.value(), norm.movingVariance.value()]
    #expect(statistics.map(\.doubles) == [[0, 0, 0, 0], [1, 1, 1, 1]])
    try step(x)
    #expect(try step.loss() < first)
  }

  /// All that a layer learns frozen one by one is the layer frozen.
  @Test func frozenWeightsFreezeTheirNorm() throws {
    let norm = BatchNormalization()
    let body = Sequential {
      Conv2D(4, kernel: 3)
      norm
    }
    for parameter in body.parameters where parameter.name.hasSuffix("gamma") || parameter.name.hasSuffix("beta") {
      parameter.isTrainable = false
    }
    try step(body) { squared(body($0)) }(x)
    #expect(try norm.movingMean.value().doubles == [0, 0, 0, 0])
    // Half of it frozen, the statistics follow the batch.
    let other = BatchNormalization()
    other.gamma!.isTrainable = false
    try step(other) { squared(other($0)) }(x)
    #expect(try other.movingMean.value().doubles != [0])
  }

  /// A trainer follows at its next `fit`, and what its optimizer keeps of a frozen weight waits for it.
  @Test func aTrainerFollowsBetweenFits() throws {
    func train(_ change: (Net) throws -> Void) throws -> (before: [NDArray], after: [NDArray], trainer: Trainer) {
      let net = Net()
      let trainer = try makeTrainer(net, optimizer: SGD(learningRate: 0.1, momentum: 0.9))
      try trainer.fit(quadrants(20), progress: .none)
      let before = try values(of: net)
      try change(net)
      try trainer.fit(quadrants(20), progress: .none)
      return (before, try values(of: net), trainer)
    }
    let (before, after, trainer) = try train { try $0.freeze(.path("body.*")) }
    let model = trainer.model
    for (i, name) in model.parameters.map(\.name).enumerated() {
      #expect((before[i] == after[i]) == name.hasPrefix("body."), "\(name)")
    }
    // What comes and goes between two fits is as if it had not been.
    let undone = try train { net in
      net.body.freeze()
      net.body.unfreeze()
    }
    let untouched = try train { _ in }
    #expect(undone.after == untouched.after)
    // The momentum of the body has waited: the step with it and the one without differ.
    let states = try trainer.checkpointTensors()
    #expect(states.contains { $0.0 == "optimizer.momentum.body.conv2d.kernel" })
    model.unfreeze()
    try trainer.prepare(inputShapes: [[4, 4, 1]])
    let momentum = try trainer.checkpointTensors().first { $0.0 == "optimizer.momentum.body.conv2d.kernel" }!.1
    #expect(momentum == states.first { $0.0 == "optimizer.momentum.body.conv2d.kernel" }!.1)
    #expect(momentum.doubles.contains { $0 != 0 })
  }

  /// Without room for what is to be trained nothing is lost: with room again, training goes on as if it had always been.
  @Test func aLackOfMemoryLosesNothing() throws {
    func train(lacks: Bool) throws -> [NDArray] {
      let backend = SmallBackend(limit: 1 << 30)
      let net = Net()
      let trainer = try Trainer(
        net, optimizer: Adam(learningRate: 0.02), loss: .sparseCategoricalCrossEntropy,
        session: BackendSession(backend), seed: 1)
      try trainer.fit(quadrants(20), progress: .none)
      try net.freeze(.path("body.*"))
      try trainer.fit(quadrants(20), progress: .none)
      net.unfreeze()
      if lacks {
        // The vectors of two parameters have 1024 bytes, those of six 3072.
        backend.limit = 2000
        for _ in 0..<2 {
          let error = #expect(throws: BackendError.self) { try trainer.fit(quadrants(20), progress: .none) }
          #expect(error?.code == .outOfMemory)
          #expect(try trainer.checkpointTensors().contains { $0.0 == "optimizer.mean.body.conv2d.kernel" })
        }
        backend.limit = 1 << 30
      }
      try trainer.fit(quadrants(20), progress: .none)
      return try trainer.checkpointTensors().map(\.1)
    }
    #expect(try train(lacks: true) == train(lacks: false))
  }

  @Test func aFilterThatMeansNothingIsAnError() throws {
    let net = Net()
    let error = #expect(throws: GraphError.self) { try net.freeze(.path("boddy.*")) }
    #expect(error?.description.contains("boddy.*") == true && error?.description.contains("head.kernel") == true)
  }

  /// Within a `fit`, and in a step that was traced, nothing changes any more; that is said.
  @Test func aLateChangeIsAnError() throws {
    final class Freezer: Callback {
      func handle(_ event: TrainingEvent, in trainer: Trainer) throws {
        guard case .epochEnded = event else { return }
        try trainer.model.freeze(.path("head.*"))
        _ = try trainer.evaluate(quadrants(20))
      }
    }
    let trainer = try makeTrainer(Net())
    let error = #expect(throws: TrainingError.self) {
      try trainer.fit(quadrants(20), progress: .none, callbacks: [Freezer()])
    }
    #expect(error?.place == "head.kernel")
    try trainer.fit(quadrants(20), progress: .none)

    let free = BatchNormalization(center: false, scale: false)
    let body = Sequential {
      Conv2D(4, kernel: 3)
      free
    }
    let step = try step(body) { squared(body($0)) }
    try step(x)
    free.freeze()
    #expect(throws: TrainingError.self) { try step(x) }
    free.unfreeze()
    try step(x)
  }
}
