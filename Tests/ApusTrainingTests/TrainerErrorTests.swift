import ApusCore
import ApusData
import ApusDevices
import ApusNN
import ApusOptimize
import Testing

@testable import ApusTraining

@Suite struct TrainerErrorTests {
  @Test func labelsOutsideTheModelAreFoundBeforeTheFirstStep() throws {
    let model = Sequential {
      Flatten()
      Dense(3)
    }
    let data = try quadrants(40)
    let labels = data.labels.values(as: Int32.self)
    let trainer = try makeTrainer(model)
    let error = #expect(throws: TrainingError.self) { try trainer.fit(data, progress: .none) }
    #expect(error?.description.contains("label 3 at index \(labels.firstIndex(of: 3)!)") == true, "\(error!)")
    #expect(trainer.step == 0)
  }

  @Test func badArraysAreNamed() throws {
    let trainer = try makeTrainer(Dense(1), loss: .meanSquaredError, metrics: [])
    let x = NDArray([1, 2, .nan, 4] as [Float], shape: [4, 1])
    let y = NDArray(zeros: [4, 1])
    let error = #expect(throws: TrainingError.self) { try trainer.fit(inputs: x, targets: y, progress: .none) }
    #expect(error?.description.contains("input 2 holds nan") == true)
    for (x, y) in [
      (NDArray(zeros: [0, 1]), y), (NDArray(zeros: [3, 1]), y), (y, NDArray(zeros: [4, 1], dtype: .float64)),
      (NDArray(zeros: [4, 1], dtype: .int32), y), (NDArray(zeros: [4]), y),
    ] {
      #expect(throws: TrainingError.self) { try trainer.fit(inputs: x, targets: y, progress: .none) }
    }
    // The trainer stays usable, for inputs of its shape.
    #expect(throws: Never.self) { try trainer.fit(inputs: y, targets: y, progress: .none) }
    #expect(throws: GraphError.self) { try trainer.fit(inputs: NDArray(zeros: [4, 2]), targets: y, progress: .none) }
    #expect(throws: GraphError.self) { try trainer.fit(inputs: y, targets: NDArray(zeros: [4, 2]), progress: .none) }
  }

  @Test func argumentsAreChecked() throws {
    let data = try quadrants(10)
    let trainer = try makeTrainer()
    #expect(throws: TrainingError.self) { try trainer.fit(data, epochs: 0, progress: .none) }
    #expect(throws: TrainingError.self) { try trainer.fit(data, batchSize: 0, progress: .none) }
    #expect(throws: TrainingError.self) { try trainer.evaluate(data, batchSize: -1) }
    #expect(throws: TrainingError.self) { try trainer.predict(NDArray(zeros: [0, 4, 4, 1])) }
    #expect(throws: TrainingError.self) { try makeTrainer(loss: .meanSquaredError) }
    #expect(throws: TrainingError.self) { try makeTrainer(metrics: [.topK(0)]) }
    #expect(throws: TrainingError.self) { try makeTrainer(metrics: [.accuracy, .accuracy]) }
    #expect(throws: TrainingError.self) { try makeTrainer(optimizer: SGD(learningRate: Double.nan)) }
  }

  /// A loss that is a number can be wrong all the same.
  @Test func aTrainingThatHasDivergedSaysSo() throws {
    let data = try quadrants(64)
    let good = try makeTrainer()
    try good.fit(data, epochs: 3, progress: .none)
    #expect(good.divergence == nil)
    let bad = try makeTrainer(optimizer: SGD(learningRate: 1e4))
    var printed = ""
    let bar = ProgressBar(.lines, write: { printed += $0 })!
    try bad.fit(data, epochs: 2, batchSize: 64, progress: .none, callbacks: [bar])
    let note = try #require(bad.divergence)
    #expect(note.contains("that of a guess (1.3863)") && note.contains("10000"), "\(note)")
    #expect(printed.hasSuffix("note: \(note)\n"))
  }

  /// Numbers that no data set has mean "all of it" and "until something stops it".
  @Test func theLargestNumbersAreFine() throws {
    let data = try quadrants(10)
    let trainer = try makeTrainer()
    try trainer.fit(data, batchSize: .max, validation: .split(0.3), progress: .none)
    #expect(trainer.step == 1)
    trainer.shouldStop = { trainer.step >= 4 }
    try trainer.fit(data, epochs: .max, batchSize: 10, progress: .none)
    #expect(trainer.step == 4 && trainer.wasStopped)
    #expect(try trainer.evaluate(data, batchSize: .max).loss == trainer.evaluate(data, batchSize: 10).loss)
    #expect(try trainer.predict(data.images, batchSize: .max).shape == [10, 4])
  }

  @Test func theCheckedModeNamesTheLayer() throws {
    struct Broken: Layer {
      let head = Dense(4)
      func forward(_ x: Tensor) -> Tensor {
        let y = head(x.flattened())
        return x.graph.scope("broken") { log(y * 0 - 1) }
      }
    }
    let trainer = try makeTrainer(Broken(), options: .checked)
    let error = #expect(throws: GraphError.self) { try trainer.fit(quadrants(10), progress: .none) }
    #expect(error?.label == "broken")
    #expect(error?.message.contains("nan at element 0") == true)
  }

  @Test func aLossThatIsNotFiniteStopsTraining() throws {
    let trainer = try makeTrainer(optimizer: SGD(learningRate: 1e30))
    let error = #expect(throws: TrainingError.self) {
      try trainer.fit(quadrants(100), epochs: 3, batchSize: 10, progress: .none)
    }
    #expect(error?.code == .nonFiniteLoss)
    #expect(error?.description.contains("learning rate of 1e+30") == true, "\(error!)")
  }

  @Test func outOfMemoryNamesABatchSizeThatFits() throws {
    let model = smallModel()
    let session = BackendSession(SmallBackend(limit: 20_000))
    let trainer = try Trainer(
      model, optimizer: SGD(), loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy], session: session)
    let data = try quadrants(400)
    try trainer.fit(data, batchSize: 8, progress: .none)
    let weights = try values(of: model)
    let error = #expect(throws: BackendError.self) { try trainer.fit(data, batchSize: 400, progress: .none) }
    #expect(error?.code == .outOfMemory && error?.limitBytes == 20_000)
    let message = try #require(error?.message)
    let match = try #require(try /the batch size was 400, (\d+) would fit/.firstMatch(in: message), "\(message)")
    #expect(error?.suggestedBatchSize == Int(match.1))
    // Nothing is lost, and the size named does fit.
    #expect(try values(of: model) == weights)
    try trainer.fit(data, batchSize: try #require(Int(match.1)), progress: .none)
    #expect(try values(of: model) != weights)
  }

  @Test func aDataSetThatDoesNotFitIsNamed() throws {
    let trainer = try Trainer(
      smallModel(), optimizer: SGD(), loss: .sparseCategoricalCrossEntropy,
      session: BackendSession(SmallBackend(limit: 20_000)))
    let error = #expect(throws: BackendError.self) { try trainer.fit(quadrants(2000), batchSize: 8, progress: .none) }
    #expect(error?.message.contains("the 2000 samples of 'quadrants'") == true)
    #expect(throws: Never.self) { try trainer.fit(quadrants(100), batchSize: 8, progress: .none) }
  }

  @Test func shouldStopEndsBetweenSteps() throws {
    let trainer = try makeTrainer()
    trainer.shouldStop = { trainer.step >= 3 }
    let history = try trainer.fit(quadrants(50), epochs: 4, batchSize: 5, progress: .none)
    #expect(trainer.wasStopped && trainer.step == 3 && history.epochs.isEmpty)
    trainer.shouldStop = { false }
    #expect(try trainer.fit(quadrants(50), batchSize: 5, progress: .none).epochs.count == 1)
    #expect(!trainer.wasStopped)
  }

  @Test func callbacksHearAllAndMayStop() throws {
    final class Recorder: Callback {
      var events: [String] = []
      func handle(_ event: TrainingEvent, in trainer: Trainer) {
        switch event {
        case .trainingBegan(let schedule): events.append("began \(schedule.stepsPerEpoch)")
        case .epochBegan(let epoch): events.append("epoch \(epoch)")
        case .progress: break
        case .epochEnded(let record):
          events.append("ended \(record.epoch)")
          trainer.learningRate /= 2
          if record.epoch == 2 { trainer.stopsAfterEpoch = true }
        case .trainingEnded(let wasStopped): events.append("done \(wasStopped)")
        }
      }
    }
    let recorder = Recorder()
    let trainer = try makeTrainer(optimizer: SGD(learningRate: 1))
    try trainer.fit(quadrants(10), epochs: 5, batchSize: 4, progress: .none, callbacks: [recorder])
    #expect(recorder.events == ["began 3", "epoch 1", "ended 1", "epoch 2", "ended 2", "done false"])
    #expect(trainer.learningRate == 0.25)
  }
}
