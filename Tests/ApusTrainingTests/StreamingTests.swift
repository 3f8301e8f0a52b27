import ApusCore
import ApusData
import ApusDevices
import ApusNN
import ApusOptimize
import Foundation
import Synchronization
import Testing

@testable import ApusTraining

@Suite struct StreamingTests {
  /// Weights and losses of a run in which each batch size leaves a smaller last batch, with dropout and validation.
  private func run(
    _ placement: DataPlacement, device: Device = .reference, _ train: (Trainer) throws -> History
  ) throws -> (weights: [NDArray], history: History) {
    let model = Sequential {
      Conv2D(4, kernel: 3, activation: .relu)
      Dropout(0.3)
      Flatten()
      Dense(4)
    }
    let trainer = try Trainer(
      model, optimizer: Adam(learningRate: 0.02), loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy],
      device: device, seed: 3)
    trainer.dataPlacement = placement
    let history = try train(trainer)
    return (try values(of: model), history)
  }

  private static let devices: [Device] = {
    #if OpenCL
      if (try? Device.all()) != nil { return [.reference, .cpu, .openCL(.best)] }
    #endif
    return [.reference, .cpu]
  }()

  @Test(arguments: devices) func placementChangesNoBit(_ device: Device) throws {
    let data = try quadrants(70)
    let floats = NDArray(data.images.doubles.map { Float($0 / 255) }, shape: data.images.shape)
    for inputs in [data.images, floats] {
      let runs = try [DataPlacement.device, .host, .automatic].map { placement in
        try run(placement, device: device) {
          try $0.fit(
            inputs: inputs, targets: data.labels, epochs: 3, batchSize: 16, validation: .split(0.1), progress: .none)
        }
      }
      for other in runs.dropFirst() {
        #expect(other.weights == runs[0].weights)
        #expect(other.history.epochs.map(\.loss) == runs[0].history.epochs.map(\.loss))
        #expect(other.history.epochs.map(\.validationLoss) == runs[0].history.epochs.map(\.validationLoss))
      }
      #expect(runs.map { $0.history.epochs[0].inputWaitSeconds != nil } == [false, true, false])
    }
  }

  @Test func evaluationIsTheSame() throws {
    let data = try quadrants(50)
    let trainer = try makeTrainer()
    let resident = try trainer.evaluate(data, batchSize: 16)
    trainer.dataPlacement = .host
    #expect(try trainer.evaluate(data, batchSize: 16) == resident)
  }

  @Test func placementFollowsTheDevicesMemory() {
    var device = DeviceDescription(
      identifier: "gpu", name: "", kind: .gpu, driver: "", computeUnits: 1, memoryBytes: 1000,
      maximumAllocationBytes: 400, alignment: 64)
    #expect(DataPlacement.fits([400, 100], on: device, used: 0))
    #expect(!DataPlacement.fits([400, 101], on: device, used: 0))
    #expect(!DataPlacement.fits([401], on: device, used: 0))
    #expect(!DataPlacement.fits([400, 100], on: device, used: 1))
    #expect(!DataPlacement.fits([1], on: device, used: 2000))
    device.kind = .cpu
    #expect(DataPlacement.fits([250], on: device, used: 0))
    #expect(!DataPlacement.fits([251], on: device, used: 0))
  }

  /// Pictures that are computed when they are read, one of which cannot be.
  private struct Drawn: Dataset {
    struct Unreadable: Error, Equatable { var index: Int }
    let data: ImageDataset
    var broken: Set<Int> = []
    var count: Int { data.count }
    let inputs = [TensorType(shape: [4, 4, 1], dtype: .uint8)]
    let targets = [TensorType(shape: [], dtype: .int32)]
    let name = "drawn"

    func read(_ index: Int, into sample: Sample) throws {
      if broken.contains(index) { throw Unreadable(index: index) }
      sample.input(0).copyBytes(from: data.images.rows(index..<(index + 1)).bytes)
      sample.target(0).copyBytes(from: data.labels.rows(index..<(index + 1)).bytes)
    }
  }

  /// Samples read by several threads at once.
  @Test func aSourceTrainsAsItsArraysDo() throws {
    let data = try quadrants(70)
    let arrays = try run(.device) { try $0.fit(data, epochs: 2, batchSize: 16, progress: .none) }
    let drawn = try run(.automatic) { try $0.fit(Drawn(data: data), epochs: 2, batchSize: 16, progress: .none) }
    #expect(drawn.weights == arrays.weights)
  }

  /// A second look at data that are streamed compiles nothing again; validation and evaluation take them, too.
  @Test func aDatasetServesEverywhere() throws {
    let data = try quadrants(70)
    let trainer = try makeTrainer()
    let history = try trainer.fit(
      Drawn(data: data), epochs: 2, batchSize: 16, validation: .data(Drawn(data: data)), progress: .none)
    let first = try trainer.step(.evaluation, trainer.place(Drawn(data: data)), batchSize: 16)
    #expect(try trainer.evaluate(Drawn(data: data), batchSize: 16).loss == history.epochs[1].validationLoss)
    #expect(try trainer.step(.evaluation, trainer.place(Drawn(data: data)), batchSize: 16) === first)
    #expect(try trainer.evaluate(data, batchSize: 16) == trainer.evaluate(Drawn(data: data), batchSize: 16))
  }

  private struct Strange: Dataset {
    let name = "strange"
    var count = 8
    var input = TensorType(shape: [4, 4, 1], dtype: .uint8)
    var target = TensorType(shape: [], dtype: .int32)
    var label: Int32 = 1
    var inputs: [TensorType] { [input] }
    var targets: [TensorType] { [target] }
    func read(_ index: Int, into sample: Sample) {
      sample.input(0).initializeMemory(as: UInt8.self, repeating: 0)
      sample.target(0).storeBytes(of: index == 5 ? label : 1, as: Int32.self)
    }
  }

  @Test func dataThatCannotBeTrainedOnAreErrors() throws {
    for (data, part) in [
      (Strange(label: 4), "label 4 at index 5"), (Strange(label: -1), "label -1 at index 5"),
      (Strange(count: 0), "0 samples"), (Strange(input: TensorType(shape: [], dtype: .uint8)), "uint8[]"),
      (Strange(input: TensorType(shape: [4, 0, 1], dtype: .uint8)), "empty"),
      (Strange(input: TensorType(shape: [4, 4, 1], dtype: .int32)), "int32"),
      (Strange(target: TensorType(shape: [], dtype: .float64)), "float64"),
    ] {
      let error = #expect(throws: TrainingError.self) { try makeTrainer().fit(data, batchSize: 4, progress: .none) }
      #expect(error?.place == "strange" && error?.description.contains(part) == true, "\(String(describing: error))")
    }
    try makeTrainer().fit(Strange(), batchSize: 4, progress: .none)
  }

  /// The error of the first sample in the order ends training; the steps before it count, and the trainer stays usable.
  @Test func anErrorOfTheSourceEndsTraining() throws {
    let data = try quadrants(70)
    let trainer = try makeTrainer()
    #expect(throws: Drawn.Unreadable(index: 40)) {
      try trainer.fit(
        Drawn(data: data, broken: [40, 43, 60]), batchSize: 16, shuffle: false, progress: .none)
    }
    #expect(trainer.step == 2)
    #expect(trainer.history.epochs.isEmpty)
    try trainer.fit(Drawn(data: data), batchSize: 16, progress: .none)
    #expect(trainer.step == 7)
  }

  /// A loader whose pass is left early fills the buffers it has and ends its thread, which lets go of the source.
  @Test func aDroppedLoaderEndsItsThread() throws {
    final class Reads: Sendable {
      let count = Atomic(0)
    }
    struct Counted: Dataset {
      let reads: Reads
      let count = 1000
      let inputs = [TensorType(shape: [1], dtype: .uint8)]
      let targets = [TensorType(shape: [], dtype: .int32)]
      let name = "counted"
      func read(_ index: Int, into sample: Sample) {
        reads.count.add(1, ordering: .relaxed)
      }
    }
    weak var thread: Reads?
    do {
      let reads = Reads()
      thread = reads
      let loader = PrefetchingLoader(Counted(reads: reads), Array(0..<1000), Batches(count: 1000, size: 1))
      let graph = Graph()
      let inputs = [
        graph.input("inputs", shape: [1, 1], dtype: .uint8), graph.input("targets", shape: [1], dtype: .int32),
      ]
      try loader.setNext([0, 1], of: Device.cpu.openSession().compile(graph, outputs: inputs))
      Thread.sleep(forTimeInterval: 0.05)
      #expect(reads.count.load(ordering: .relaxed) <= 4)
    }
    let start = ContinuousClock.now
    while thread != nil, start.duration(to: .now) < .seconds(60) { Thread.sleep(forTimeInterval: 0.001) }
    #expect(thread == nil)
  }

  /// Going on from a checkpoint, and stopping between steps, are the same with a loader that is ahead.
  @Test func stopsAndGoesOn() throws {
    let data = try quadrants(70)
    let folder = try TemporaryFolder()
    func trainer() throws -> Trainer {
      let trainer = try makeTrainer()
      trainer.dataPlacement = .host
      return trainer
    }
    let whole = try trainer()
    try whole.fit(data, epochs: 2, batchSize: 16, progress: .none)
    let first = try trainer()
    try first.fit(data, epochs: 1, batchSize: 16, progress: .none)
    try first.saveCheckpoint(to: folder("checkpoint"))
    let weights = folder("weights")
    try first.model.save(to: weights)
    let second = try trainer()
    try second.prepare(inputShapes: [data.imageShape])
    try second.model.load(from: weights)
    try second.restoreCheckpoint(from: folder("checkpoint"), inputShape: data.imageShape)
    try second.fit(data, epochs: 1, batchSize: 16, progress: .none)
    #expect(try values(of: second.model) == values(of: whole.model))

    second.shouldStop = { second.step == 12 }
    try second.fit(data, epochs: 5, batchSize: 16, progress: .none)
    #expect(second.wasStopped && second.step == 12)
  }

  @Test func theWaitIsSaidWhereItIsLong() {
    func line(wait: Double?) -> String {
      var text = ""
      let bar = ProgressBar(.lines, columns: { nil }) { text += $0 }!
      bar.handle(.progress(.init(epoch: 1, step: 2, stepsPerEpoch: 2, seconds: 4, result: Evaluation(loss: 1))))
      var record = History.Epoch(epoch: 1, loss: 1, metrics: [:], seconds: 4, imagesPerSecond: 1)
      record.inputWaitSeconds = wait
      bar.handle(.epochEnded(record))
      return text
    }
    #expect(line(wait: nil) == "Epoch 1/1: 2/2 - 4s - 2s/step - loss: 1.0000\n")
    #expect(line(wait: 0.01) == line(wait: nil))
    #expect(line(wait: 0.5) == "Epoch 1/1: 2/2 - 4s - 2s/step - loss: 1.0000 - input_wait: 500ms\n")
  }

  @Test func theWaitIsInTheHistory() throws {
    var history = History(device: "cpu", model: "m", seed: 0)
    history.epochs = [History.Epoch(epoch: 1, loss: 1, metrics: [:], seconds: 4, imagesPerSecond: 1)]
    history.epochs[0].inputWaitSeconds = 0.25
    let folder = try TemporaryFolder()
    try history.write(to: folder("history.json"))
    let text = try String(contentsOfFile: folder("history.json"), encoding: .utf8)
    #expect(text.contains("\"input_wait_seconds\" : 0.25"))
    #expect(try readJSON(History.self, from: folder("history.json")) == history)
  }
}
