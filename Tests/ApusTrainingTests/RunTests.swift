import ApusCore
import ApusData
import ApusDevices
import ApusNN
import ApusOptimize
import ApusSafetensors
import Foundation
import Testing

@testable import ApusTraining

@Suite struct WeightTests {
  @Test func weightsSurviveTheFile() throws {
    let folder = try TemporaryFolder()
    let (model, copy) = (smallModel(), smallModel())
    try model.build(inputShape: [4, 4, 1], seed: 1)
    try copy.build(inputShape: [4, 4, 1], seed: 2)
    try model.save(to: folder("w.safetensors"), metadata: ["note": "x"])
    #expect(try copy.load(from: folder("w.safetensors")) == ["note": "x"])
    #expect(try values(of: model) == values(of: copy))
    #expect(try Safetensors.read(from: folder("w.safetensors")).tensors.map(\.name).contains("conv2d.kernel"))
  }

  @Test func allMismatchesAreListedAndNothingIsLoaded() throws {
    let folder = try TemporaryFolder()
    let model = smallModel()
    try model.build(inputShape: [4, 4, 1], seed: 1)
    let before = try values(of: model)
    try Safetensors.write(
      [
        ("conv2d.kernel", NDArray(zeros: [3, 3, 1, 4])), ("conv2d.bias", NDArray(zeros: [5])),
        ("dense.kernel", NDArray(zeros: [16, 4], dtype: .int32)), ("extra", NDArray(zeros: [1])),
      ],
      to: folder("w.safetensors"))
    let error = #expect(throws: TrainingError.self) { try model.load(from: folder("w.safetensors")) }
    for part in ["'conv2d.bias' is float32 5", "'dense.kernel' is int32", "'dense.bias' is missing", "'extra' is not"] {
      #expect(error?.description.contains(part) == true, "\(part): \(error!)")
    }
    #expect(try values(of: model) == before)
    #expect(throws: GraphError.self) { try smallModel().save(to: folder("x.safetensors")) }
    #expect(throws: GraphError.self) { try smallModel().load(from: folder("w.safetensors")) }
  }
}

@Suite struct RunTests {
  private func makeRun(_ folder: String, epochs: Int) throws -> Trainer {
    let data = try Digits.train(count: 60, seed: 1)
    let model = try Models.make("lenet5", inputShape: data.imageShape, classes: 10, seed: 5)
    let trainer = try Trainer(
      model, loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy], device: .reference, seed: 5,
      modelName: "lenet5")
    try trainer.fit(data, epochs: epochs, batchSize: 20, progress: .none)
    trainer.history.test = try trainer.evaluate(data)
    let configuration = try RunConfiguration(
      model: "lenet5", inputShape: data.imageShape, classNames: data.classNames, dataset: data.name,
      optimizer: trainer.optimizer, batchSize: 20, seed: 5)
    try Run.save(trainer, configuration, to: folder)
    return trainer
  }

  @Test func aRunIsRebuilt() throws {
    let folder = try TemporaryFolder()
    let data = try Digits.train(count: 60, seed: 1)
    let trainer = try makeRun(folder("run"), epochs: 1)
    let run = try Run.load(folder("run"))
    #expect(run.configuration.classNames == data.classNames && run.configuration.loss is SparseCategoricalCrossEntropy)
    let again = try run.makeTrainer(device: .reference)
    #expect(try again.evaluate(data) == trainer.evaluate(data))
    #expect(try again.probabilities(data.images.rows(0..<1)).shape == [1, 10])
    for name in ["model.safetensors", "config.json", "history.json", "history.svg", "checkpoint.safetensors"] {
      #expect(FileManager.default.fileExists(atPath: folder("run/\(name)")), "\(name)")
    }
  }

  /// Two epochs are one, and one more after a restart, bit by bit.
  @Test func aRunGoesOnWhereItEnded() throws {
    let folder = try TemporaryFolder()
    let data = try Digits.train(count: 60, seed: 1)
    let whole = try makeRun(folder("whole"), epochs: 2)
    _ = try makeRun(folder("part"), epochs: 1)
    let resumed = try Run.load(folder("part")).resume(device: .reference)
    #expect(resumed.step == 3 && resumed.history.epochs.count == 1)
    try resumed.fit(data, epochs: 1, batchSize: 20, progress: .none)
    #expect(resumed.history.epochs.map(\.loss) == whole.history.epochs.map(\.loss))
    #expect(try values(of: resumed.model) == values(of: whole.model))
  }

  @Test func aRunKeepsWhichDataItHad() throws {
    let folder = try TemporaryFolder()
    let data = try Digits.train(count: 60, seed: 1)
    let trainer = try makeRun(folder("run"), epochs: 1)
    // Runs of programs that did not keep it are read, too.
    var configuration = try Run.load(folder("run")).configuration
    #expect(configuration.trainingData == nil && configuration.testData == nil)
    configuration.trainingData = data.identity
    configuration.testData = data[0..<10].identity
    try Run.save(trainer, configuration, to: folder("run"))
    let loaded = try Run.load(folder("run")).configuration
    #expect(loaded == configuration && loaded.trainingData?.hasSameContents(as: data.identity) == true)
    #expect(loaded.testData?.count == 10 && loaded.testData?.hasSameContents(as: data.identity) == false)
  }

  @Test func damagedFoldersAreErrors() throws {
    let folder = try TemporaryFolder()
    _ = try makeRun(folder("run"), epochs: 1)
    #expect(throws: (any Error).self) { try Run.load(folder("nothing")) }
    let config = folder("run/config.json")
    let text = try String(contentsOfFile: config, encoding: .utf8)
    for (old, new) in [("{", ""), ("lenet5", "other"), ("accuracy", "taste"), ("28,", "-1,"), ("adam", "eve")] {
      try text.replacing(old, with: new).write(toFile: config, atomically: true, encoding: .utf8)
      #expect(throws: (any Error).self, "\(new)") { try Run.load(folder("run")).makeTrainer(device: .reference) }
    }
    try text.write(toFile: config, atomically: true, encoding: .utf8)
    try Data("junk".utf8).write(to: URL(filePath: folder("run/model.safetensors")))
    #expect(throws: SafetensorsError.self) { try Run.load(folder("run")) }
  }
}

@Suite struct TrainStepTests {
  /// An input is told from the framework's own by what it is, whatever its name.
  @Test func inputsMayHaveAnyName() throws {
    func losses(_ names: [String]) throws -> [Double] {
      let model = Sequential {
        Dense(3, activation: .relu)
        Dropout(0.5)
        Dense(1)
      }
      let step = try TrainStep(model, optimizer: Adam(learningRate: 0.1), device: .reference, seed: 3) { graph in
        let x = graph.input(names[0], shape: [4, 2]), shift = graph.input(names[1], shape: [])
        let error = model(x) - graph.input(names[2], shape: [4, 1]) + shift
        return reduceMean(error * error)
      }
      #expect(step.inputs.map(\.name) == names)
      let values = [
        NDArray([1, 2, 3, 4, 5, 6, 7, 8] as [Float], shape: [4, 2]), NDArray([0.5] as [Float], shape: []),
        NDArray([1, 0, 1, 0] as [Float], shape: [4, 1]),
      ]
      return try (0..<3).map { _ in
        try step(values[0], values[1], values[2])
        return try step.loss()
      }
    }
    let expected = try losses(["x", "shift", "target"])
    #expect(try losses(["random_state", "optimizer.value0", "inputs"]) == expected)
    #expect(try losses(["optimizer.value1", "random_state", "parameters"]) == expected)
  }

  /// A trainer sets nothing but the data: an input of a layer's own would hold nobody knows what.
  @Test func aTrainerRefusesInputsOfLayers() throws {
    struct Shifted: Layer {
      let dense = Dense(4), name: String
      func forward(_ x: Tensor) -> Tensor { dense(x.flattened()) + x.graph.input(name, shape: []) }
    }
    for name in ["shift", "indices", "inputs", "random_state", "optimizer.value0"] {
      let trainer = try makeTrainer(Shifted(name: name))
      let error = #expect(throws: GraphError.self) { try trainer.fit(quadrants(8), progress: .none) }
      #expect(error?.description.contains("TrainStep") == true, "\(error!)")
      #expect(throws: GraphError.self) { try trainer.predict(quadrants(8).images) }
    }
  }

  @Test func aClosureTrains() throws {
    struct Line: Layer {
      let slope = Parameter("slope", value: NDArray(Float(0)))
      func forward(_ x: Tensor) -> Tensor { x * x.graph.parameter(slope) }
    }
    let model = Line()
    let step = try TrainStep(model, optimizer: SGD(learningRate: 0.1), device: .reference) { graph in
      let x = graph.input("x", shape: [8])
      let y = graph.input("y", shape: [8])
      let error = model(x) - y
      return error * error
    }
    let x = NDArray((0..<8).map { Float($0) / 4 }, shape: [8])
    let y = NDArray((0..<8).map { Float($0) / 2 }, shape: [8])
    for _ in 0..<100 { try step(x, y) }
    #expect(step.count == 100)
    #expect(try step.loss() < 1e-6)
    #expect(abs(try model.slope.value().item - 2) < 1e-3)
    #expect(throws: TrainingError.self) { try step(x) }
    #expect(throws: GraphError.self) { try step(x, NDArray(zeros: [9])) }
  }

  /// Labels of a step of one's own are plain inputs: one that is no class shows in the loss, on every device.
  @Test(arguments: [Device.reference, .cpu]) func labelsOutOfRangeAreSeen(_ device: Device) throws {
    let model = Dense(10)
    let step = try TrainStep(model, optimizer: SGD(learningRate: 0.1), device: device) { graph in
      softmaxCrossEntropy(
        model(graph.input("x", shape: [4, 3])), labels: graph.input("y", shape: [4], dtype: .int32))
    }
    try step(NDArray(zeros: [4, 3]), NDArray([0, 1, 255, 2] as [Int32], shape: [4]))
    #expect(try step.loss().isNaN)
  }

  @Test func dropoutDrawsAnewAtEachStep() throws {
    let model = Sequential {
      Dropout(0.5)
      Dense(1, useBias: false)
    }
    let step = try TrainStep(model, optimizer: SGD(learningRate: 0), device: .reference, seed: 7) { graph in
      model(graph.input("x", shape: [1, 64]))
    }
    let x = NDArray([Float](repeating: 1, count: 64), shape: [1, 64])
    try step(x)
    let first = try step.loss()
    try step(x)
    #expect(try step.loss() != first)
  }
}
