import ApusCore
import ApusData
import ApusDevices
import ApusNN
import ApusOptimize
import Testing

@testable import ApusTraining

extension SeveralOutputsTests {
  private func outputs(_ first: Output, _ second: Output) throws {
    _ = try Trainer(TwoHeads(), outputs: [first, second], device: .reference)
  }

  @Test func outputsThatDoNotGoTogetherAreErrors() throws {
    let values = { (name: String) in Output(name, loss: .meanSquaredError) }
    for (first, second, place, part) in [
      (values(""), values("b"), "outputs", "output 0 has no name"),
      (values("a"), values("a"), "outputs", "two values would be called 'a_loss'"),
      (values("a"), values("val"), "outputs", "'val' begins as what validation reports"),
      (
        values("a"), Output("b", loss: .meanSquaredError, metrics: [.accuracy]), "metrics of 'b'",
        "accuracy has no meaning"
      ),
      (
        values("a"), Output("b", loss: .binaryCrossEntropy, metrics: [.accuracy, .accuracy]), "metrics of 'b'",
        "each may be given once"
      ),
      (values("a"), Output("b", loss: .meanSquaredError, weight: .nan), "weight of 'b'", "it is nan"),
      (Output("a", loss: .meanSquaredError, weight: -1), values("b"), "weight of 'a'", "it is -1.0"),
    ] {
      let error = #expect(throws: TrainingError.self) { try outputs(first, second) }
      #expect(error?.place == place && error?.reason.contains(part) == true, "\(String(describing: error))")
    }
    let none = #expect(throws: TrainingError.self) { try Trainer(TwoHeads(), outputs: [], device: .reference) }
    #expect(none?.reason.contains("there are none") == true)
  }

  @Test func arraysThatDoNotGoTogetherAreErrors() throws {
    let (x, y) = (Self.inputs, Self.targets)
    var positions = x[1].values(as: Float.self)
    positions[2 * 3 + 1] = .nan
    var labels = y[0].values(as: Int32.self)
    labels[4] = 3
    for (inputs, targets, part) in [
      ([], y, "there are no inputs"), (x, [y[0]], "a sample has 1 target, and the trainer has losses for 2 outputs"),
      ([x[0], x[1].rows(0..<11)], y, "inputs[1] is 11x3, but inputs[0] has 12 samples"),
      (x, [y[0], y[1].rows(0..<11)], "12 inputs, but targets[1] is 11x1"),
      ([x[0], NDArray(zeros: [12, 3], dtype: .int32)], y, "inputs[1] is int32"),
      ([x[0], NDArray(zeros: [12])], y, "inputs[1] is 12; they must be [N, ...]"),
      (x, [y[0], NDArray(zeros: [12, 1], dtype: .float64)], "targets[1] is float64"),
      ([x[0], NDArray(positions, shape: [12, 3])], y, "inputs[1], sample 2, holds nan"),
      (
        x, [NDArray(labels, shape: [12]), y[1]],
        "label 3 at index 4 of targets[0], but its output 'digit' has 3 outputs"
      ),
    ] as [([NDArray], [NDArray], String)] {
      let trainer = try trainer(TwoHeads())
      let error = #expect(throws: TrainingError.self) {
        try trainer.fit(inputs: inputs, targets: targets, progress: .none)
      }
      #expect(error?.code == .badData && error?.reason.contains(part) == true, "\(String(describing: error))")
      #expect(trainer.step == 0)
    }
    for (data, part) in [
      (Samples(strayLabel: -1), "label -1 at index 7 of targets[0], but its output 'digit' has 3 outputs"),
      (Samples(targets: [TensorType(shape: [], dtype: .int32)]), "a sample has 1 target"),
      (
        Samples(targets: [TensorType(shape: [], dtype: .int32), TensorType(shape: [1], dtype: .float64)]),
        "targets[1] is float64"
      ),
    ] {
      let error = #expect(throws: TrainingError.self) { try trainer(TwoHeads()).fit(data, progress: .none) }
      #expect(error?.place == "samples" && error?.reason.contains(part) == true, "\(String(describing: error))")
    }
  }

  @Test func modelsThatDoNotFitAreErrors() throws {
    struct Summed: Model {
      let inputCount = 1
      let body = Dense(2)
      func forward(_ inputs: [Tensor]) -> [Tensor] {
        let x = body(inputs[0])
        return [x, concat([x, x], axis: 0)]
      }
    }
    struct Silent: Model {
      let inputCount = 1
      func forward(_ inputs: [Tensor]) -> [Tensor] { [] }
    }
    func message(_ body: () throws -> Void) -> String {
      do {
        try body()
        return "nothing"
      } catch {
        return "\(error)"
      }
    }
    let (x, y) = (Self.inputs, Self.targets)
    for (body, part) in [
      ({ try TwoHeads().build(inputShapes: [[6, 6, 1]]) }, "two_heads takes 2 inputs and is given 1"),
      ({ try smallModel().build(inputShapes: [[4, 4, 1], [3]]) }, "sequential takes 1 input and is given 2"),
      ({ try TwoHeads().build(inputShapes: []) }, "the model takes 2 inputs"),
      ({ try TwoHeads().build(inputShapes: [[6, 6, 1], [0]]) }, "input shape 0 must hold"),
      (
        { try Summed().build(inputShapes: [[3]]) },
        "one sample 3 becomes 2x2; the first axis of output 1 must stay the batch"
      ),
      ({ try Silent().build(inputShapes: [[3]]) }, "gives no output"),
      (
        { try self.trainer(TwoHeads()).fit(inputs: [x[0]], targets: y, progress: .none) },
        "two_heads takes 2 inputs and is given 1"
      ),
      (
        {
          try Trainer(TwoHeads(), loss: .meanSquaredError, device: .reference)
            .fit(inputs: x, targets: [y[1]], progress: .none)
        }, "two_heads: has 2 outputs, and the trainer has losses for 1"
      ),
      (
        {
          let trainer = try self.trainer(TwoHeads())
          _ = try trainer.predict(x)
          _ = try trainer.predict([x[0], NDArray(zeros: [12, 4])])
        }, "was made for inputs 6x6x1 and 3, these are 6x6x1 and 4"
      ),
      ({ _ = try self.trainer(TwoHeads()).predict(x[0]) }, "the model has 2 outputs; predict([inputs]) gives"),
      ({ _ = try self.trainer(TwoHeads()).probabilities(x[0]) }, "probabilities([inputs]) gives a list"),
      ({ _ = try self.trainer(TwoHeads()).predict([]) }, "there are no inputs"),
      ({ _ = try self.trainer(TwoHeads()).predict([x[0], x[1].rows(0..<3)]) }, "inputs[1] is float32 3x3"),
    ] as [(() throws -> Void, String)] {
      #expect(message(body).contains(part), "\(message(body))")
    }
  }

  @Test func aRunIsOfOneOutput() throws {
    let trainer = try trainer(model())
    try trainer.fit(Samples(), progress: .none)
    let configuration = try RunConfiguration(
      model: "lenet5", inputShape: [6, 6, 1], classNames: ["a"], dataset: "samples", optimizer: trainer.optimizer,
      batchSize: 4, seed: 3)
    let error = #expect(throws: TrainingError.self) {
      try Run.save(trainer, configuration, to: TemporaryFolder()("run"))
    }
    #expect(error?.reason.contains("one input and one output") == true)
  }
}
