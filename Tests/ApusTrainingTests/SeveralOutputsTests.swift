import ApusCore
import ApusData
import ApusDevices
import ApusNN
import ApusOptimize
import Testing

@testable import ApusTraining

/// A picture and three numbers become a class and a number.
struct TwoHeads: Model {
  let inputCount = 2
  let body = Conv2D(4, kernel: 3, activation: .relu), joint = Dense(8, activation: .relu)
  let digit = Dense(3), angle = Dense(1)

  func forward(_ inputs: [Tensor]) -> [Tensor] {
    let x = joint(concat([body(inputs[0]).flattened(), inputs[1]]))
    return [digit(x), angle(x)]
  }
}

/// Models with several inputs and outputs, against Keras's functional model with lists of them.
@Suite struct SeveralOutputsTests {
  static let fixture = Fixture.all(in: "models")[0]
  static let shapes = [[6, 6, 1], [3]]

  /// uint8 pictures and float32 positions.
  static let inputs = [
    NDArray(fixture["pictures"].values(as: Int32.self).map { UInt8($0) }, shape: fixture["pictures"].shape),
    fixture["positions"],
  ]
  static let targets = [fixture["digits"], fixture["angles"]]

  static let devices: [Device] = {
    #if OpenCL
      if (try? Device.all()) != nil { return [.reference, .cpu, .openCL(.best)] }
    #endif
    return [.reference, .cpu]
  }()

  /// The samples of the arrays, read one by one.
  struct Samples: Dataset {
    let name = "samples", count = 12
    let inputs = [TensorType(shape: [6, 6, 1], dtype: .uint8), TensorType(shape: [3])]
    var targets = [TensorType(shape: [], dtype: .int32), TensorType(shape: [1])]
    var strayLabel: Int32?

    func read(_ index: Int, into sample: Sample) {
      for (part, array) in SeveralOutputsTests.inputs.enumerated() {
        sample.input(part).copyBytes(from: array.rows(index..<(index + 1)).bytes)
      }
      for part in targets.indices {
        sample.target(part).copyBytes(from: SeveralOutputsTests.targets[part].rows(index..<(index + 1)).bytes)
      }
      if let strayLabel, index == 7 { sample.target(0).storeBytes(of: strayLabel, as: Int32.self) }
    }
  }

  /// A model with Keras's initial weights.
  func model() throws -> TwoHeads {
    let model = TwoHeads()
    try model.build(inputShapes: Self.shapes)
    for parameter in model.parameters {
      try parameter.assign(Self.fixture["initial_\(parameter.name.replacing(".", with: "_"))"])
    }
    return model
  }

  func trainer(
    _ model: some Model, device: Device = .reference, rate: Double = 0.125, options: CompileOptions = CompileOptions()
  ) throws -> Trainer {
    try Trainer(
      model, optimizer: SGD(learningRate: rate, momentum: 0.5),
      outputs: [
        Output("digit", loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy]),
        Output("angle", loss: .meanSquaredError, weight: 0.25),
      ], device: device, seed: 3, options: options)
  }

  @Test(arguments: devices) func agreesWithKeras(_ device: Device) throws {
    let model = try model()
    let trainer = try trainer(model, device: device)
    let history = try trainer.fit(
      inputs: Self.inputs, targets: Self.targets, epochs: 3, batchSize: 4, shuffle: false, progress: .none)
    let result = try trainer.evaluate(inputs: Self.inputs, targets: Self.targets, batchSize: 4)
    let names = ["loss", "digit_loss", "angle_loss", "digit_accuracy"]
    #expect(Set(history.epochs[0].values.keys) == Set(names))
    for name in names {
      let measured = NDArray(history.epochs.map { Float($0.values[name]!) }, shape: [3])
      expectEqual(measured, Self.fixture["epochs_\(name)"], tolerance: 5e-6, name)
      let value = name == "loss" ? result.loss : result.metrics[name]!
      expectEqual(NDArray(Float(value)), Self.fixture["evaluated_\(name)"], tolerance: 5e-6, name)
    }
    for parameter in model.parameters {
      let expected = Self.fixture["final_\(parameter.name.replacing(".", with: "_"))"]
      expectEqual(try parameter.value(), expected, tolerance: 5e-6, parameter.name)
    }
    let predictions = try trainer.predict(Self.inputs, batchSize: 5)
    expectEqual(predictions[0], Self.fixture["predicted_digit"], tolerance: 5e-6)
    expectEqual(predictions[1], Self.fixture["predicted_angle"], tolerance: 5e-6)
  }

  /// Arrays on the device, arrays on the host and samples that are read one by one, with a smaller last batch.
  ///
  /// Not on the reference, which rounds a fused formula once: what is fused depends on where the data lie.
  @Test(arguments: devices.dropFirst()) func placementChangesNoBit(_ device: Device) throws {
    func run(
      _ placement: DataPlacement, _ train: (Trainer) throws -> History
    ) throws -> (measured: [[String: Double]], weights: [NDArray]) {
      let model = try model()
      let trainer = try trainer(model, device: device)
      trainer.dataPlacement = placement
      return (try train(trainer).epochs.map(\.values), try values(of: model))
    }
    let arrays = { (trainer: Trainer) in
      try trainer.fit(
        inputs: Self.inputs, targets: Self.targets, epochs: 3, batchSize: 5,
        validation: .arrays(inputs: Self.inputs, targets: Self.targets), progress: .none)
    }
    let resident = try run(.device, arrays)
    let streamed = try run(.host, arrays)
    let read = try run(.automatic) {
      try $0.fit(Samples(), epochs: 3, batchSize: 5, validation: .data(Samples()), progress: .none)
    }
    for other in [streamed, read] {
      #expect(other.measured == resident.measured)
      #expect(other.weights == resident.weights)
    }
  }

  /// A batch that goes through the model in parts gives the numbers of a whole one.
  @Test(arguments: devices) func partsOfABatchChangeNoResult(_ device: Device) throws {
    func run(_ rows: Int) throws -> (measured: History.Epoch, weights: [NDArray]) {
      var options = CompileOptions()
      options.batchTileRows = rows
      let model = try model()
      let trainer = try trainer(model, device: device, options: options)
      return (try trainer.fit(Samples(), epochs: 2, batchSize: 12, progress: .none).epochs[1], try values(of: model))
    }
    let (whole, parts) = (try run(12), try run(5))
    for (name, value) in whole.measured.values { #expect(abs(parts.measured.values[name]! - value) < 1e-5, "\(name)") }
    for (a, b) in zip(whole.weights, parts.weights) { expectEqual(b, a, tolerance: 1e-5) }
  }

  /// Without learning an epoch measures what an evaluation does.
  @Test func evaluationIsThatOfTraining() throws {
    let trainer = try trainer(model(), rate: 0)
    let epoch = try trainer.fit(
      inputs: Self.inputs, targets: Self.targets, batchSize: 5, validation: .data(Samples()), shuffle: false,
      progress: .none
    ).epochs[0]
    let result = try trainer.evaluate(Samples(), batchSize: 5)
    #expect(Evaluation(loss: epoch.validationLoss!, metrics: epoch.validationMetrics) == result)
    #expect(abs(epoch.loss - result.loss) < 1e-6)
    for (name, value) in result.metrics { #expect(abs(epoch.metrics[name]! - value) < 1e-6, "\(name)") }
    #expect(abs(result.loss - (result.metrics["digit_loss"]! + 0.25 * result.metrics["angle_loss"]!)) < 1e-6)
    // What was measured reads back.
    let folder = try TemporaryFolder()
    try trainer.history.write(to: folder("history.json"))
    #expect(try readJSON(History.self, from: folder("history.json")) == trainer.history)
  }

  /// An output of weight 0 is reported and not learnt.
  @Test func weightsCount() throws {
    let model = try model()
    let trainer = try Trainer(
      model, optimizer: SGD(learningRate: 0.125),
      outputs: [
        Output("digit", loss: .sparseCategoricalCrossEntropy), Output("angle", loss: .meanSquaredError, weight: 0),
      ], device: .reference)
    let before = try model.angle.kernel.value()
    let epoch = try trainer.fit(Samples(), progress: .none).epochs[0]
    #expect(try model.angle.kernel.value() == before)
    #expect(epoch.loss == epoch.metrics["digit_loss"] && epoch.metrics["angle_loss"]! > 0)
    // A single output has no name in what is reported.
    let single = try Trainer(
      Dense(1), outputs: [Output("angle", loss: .meanSquaredError, weight: 0.5)], device: .reference)
    let (x, y) = (NDArray(zeros: [4, 1]), NDArray([1, 1, 1, 1] as [Float], shape: [4, 1]))
    #expect(try single.evaluate(inputs: x, targets: y) == Evaluation(loss: 0.5))
  }

  @Test func goesOnFromACheckpoint() throws {
    let folder = try TemporaryFolder()
    let whole = try trainer(model())
    try whole.fit(Samples(), epochs: 3, batchSize: 5, progress: .none)
    let first = try trainer(model())
    try first.fit(Samples(), epochs: 1, batchSize: 5, progress: .none)
    try first.saveCheckpoint(to: folder("checkpoint"))
    let second = try trainer(TwoHeads())
    try second.restoreCheckpoint(from: folder("checkpoint"), inputShapes: Self.shapes)
    try second.fit(Samples(), epochs: 2, batchSize: 5, progress: .none)
    #expect(try values(of: second.model) == values(of: whole.model))
    #expect(second.history.epochs.map(\.metrics) == whole.history.epochs.map(\.metrics))
    #expect(throws: GraphError.self) {
      try trainer(TwoHeads()).restoreCheckpoint(from: folder("checkpoint"), inputShape: [6, 6, 1])
    }
  }

  @Test func savesAndLoads() throws {
    let folder = try TemporaryFolder()
    let first = try trainer(model())
    try first.fit(Samples(), progress: .none)
    try first.save(to: folder("weights"))
    let copy = TwoHeads()
    #expect(try copy.build(inputShapes: Self.shapes) == [[3], [1]])
    try copy.load(from: folder("weights"))
    let predictions = try trainer(copy).predict(Self.inputs)
    #expect(try predictions == first.predict(Self.inputs))
    let probabilities = try first.probabilities(Self.inputs)
    #expect(probabilities[1] == predictions[1] && probabilities[0].shape == [12, 3])
    #expect(abs(probabilities[0].doubles.reduce(0, +) - 12) < 1e-5)
  }

  @Test func theSummaryHasAllLayers() throws {
    let rows = try TwoHeads().summary(inputShapes: Self.shapes).split(separator: "\n")
    #expect(rows[0] == "Model: \"two_heads\"")
    for part in ["body (Conv2D)", "joint (Dense)", "digit (Dense)", "angle (Dense)"] {
      #expect(rows.contains { $0.hasPrefix("│ \(part) ") }, "\(part)")
    }
    #expect(rows.last { $0.contains("Total") }!.hasPrefix(" Total params: 620 "))
  }

  /// A model in a model has its path; one of its inputs may be of no use; its statistics may be those of inference.
  @Test func modelsConsistOfModels() throws {
    struct Whole: Model {
      let inputCount = 3
      let trunk = TwoHeads(), head = Dense(2)
      func forward(_ inputs: [Tensor]) -> [Tensor] {
        let parts = trunk.inference([inputs[0], inputs[2]])
        return [head(concat(trunk([inputs[0], inputs[2]]))), parts[1]]
      }
    }
    let model = Whole()
    let trainer = try Trainer(
      model, outputs: [Output("a", loss: .meanSquaredError), Output("b", loss: .meanAbsoluteError)], device: .reference)
    let inputs = [Self.inputs[0], NDArray(zeros: [12, 9]), Self.inputs[1]]
    let targets = [NDArray(zeros: [12, 2]), NDArray(zeros: [12, 1])]
    var results: [Evaluation] = []
    for placement in [DataPlacement.device, .host] {
      trainer.dataPlacement = placement
      results.append(try trainer.evaluate(inputs: inputs, targets: targets, batchSize: 5))
    }
    #expect(results[0] == results[1])
    let history = try trainer.fit(inputs: inputs, targets: targets, epochs: 3, progress: .none)
    #expect(history.epochs[2].loss < history.epochs[0].loss)
    #expect(model.parameters.map(\.name).contains("trunk.body.kernel"))
    let error = #expect(throws: GraphError.self) {
      try Whole().build(inputShapes: [[2, 2, 1], [1], [3]])
    }
    #expect(error?.label == "trunk.body")
  }

  @Test func aStepTakesAModel() throws {
    let model = try model()
    let step = try TrainStep(model, optimizer: SGD(learningRate: 0.125), device: .reference) { graph in
      let outputs = model([
        graph.input("pictures", shape: [12, 6, 6, 1], dtype: .uint8) * (1.0 / 255), graph.input("x", shape: [12, 3]),
      ])
      return softmaxCrossEntropy(outputs[0], labels: graph.input("digits", shape: [12], dtype: .int32))
    }
    try step(Self.inputs[0], Self.inputs[1], Self.targets[0])
    let first = try step.loss()
    try step(Self.inputs[0], Self.inputs[1], Self.targets[0])
    #expect(try step.loss() < first)
  }
}
