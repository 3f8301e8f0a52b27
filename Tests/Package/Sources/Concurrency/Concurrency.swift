import Apus
import Foundation

/// Trains under strict concurrency, as an app with actors does.
@main struct Concurrency {
  static func main() async throws {
    let data = try Digits.train(count: 200)

    // Events reach an actor of one's own while the trainer works.
    let log = EpochLog()
    let training = AsyncTrainer(try makeTrainer())
    for try await event in training.events(fitting: data, epochs: 2, batchSize: 50, validation: 0.1) {
      if case .epochEnded(let epoch) = event { await log.note(epoch) }
    }
    let history = await training.history
    try require(await log.epochs == history.epochs && history.epochs.count == 2, "two epochs were told of")
    try require(history.epochs.allSatisfy { $0.validationLoss != nil }, "they were validated")

    // It goes on by another call; a result crosses over, as does one of a closure.
    let more = try await training.fit(data, batchSize: 50)
    try require(more.epochs.count == 3, "a third epoch followed")
    let result = try await training.run { try $0.evaluate(data) }
    try require(result.accuracy != nil, "it was evaluated")

    // The same steps as without tasks, to the bit.
    let plain = try makeTrainer()
    try plain.fit(data, epochs: 2, batchSize: 50, validation: 0.1, progress: .none)
    try plain.fit(data, batchSize: 50, progress: .none)
    try require(plain.history.epochs.map(\.loss) == more.epochs.map(\.loss), "the losses are the same")

    // A cancelled task ends after the step at hand, whichever way it was started.
    let endless = AsyncTrainer(try makeTrainer())
    let task = Task { try await endless.fit(data, epochs: .max, batchSize: 50) }
    try await Task.sleep(for: .milliseconds(300))
    task.cancel()
    let cancelled = try await task.value
    try require(await endless.run { $0.wasStopped }, "it was stopped")
    var epochs = 0
    for try await event in endless.events(fitting: data, epochs: .max, batchSize: 50) {
      if case .epochEnded = event { epochs += 1 }
      if epochs == 2 { break }
    }
    let left = await endless.history.epochs.count
    try require(left >= cancelled.epochs.count + 2, "it went on until the loop was left")

    // Errors arrive in the loop.
    do {
      for try await _ in training.events(fitting: data, epochs: 0) {}
      try require(false, "no epoch is an error")
    } catch let error as TrainingError {
      try require(error.place == "epochs", "\(error)")
    }

    // Values of configurations pass between tasks and into files.
    let values = Values(
      device: .openCL, options: .checked, metrics: [.topK(5)], placement: .host,
      loss: .categoricalCrossEntropy(labelSmoothing: 0.1), optimizer: AdamW(weightDecay: 0.1), history: history)
    let encoded = try await Task.detached { try JSONEncoder().encode(values) }.value
    try require(try JSONDecoder().decode(Values.self, from: encoded) == values, "they come back")
    print("concurrency: passed")
  }

  static func makeTrainer() throws -> sending Trainer {
    let model = Sequential {
      Conv2D(4, kernel: 3, activation: .relu)
      GlobalAveragePool2D()
      Dense(10)
    }
    return try Trainer(
      model, optimizer: .adam, loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy], device: .cpu)
  }
}

actor EpochLog {
  private(set) var epochs: [History.Epoch] = []
  func note(_ epoch: History.Epoch) { epochs.append(epoch) }
}

struct Values: Codable, Hashable, Sendable {
  var device: Device
  var options: CompileOptions
  var metrics: [TopKAccuracy]
  var placement: DataPlacement
  var loss: CategoricalCrossEntropy
  var optimizer: AdamW
  var history: History
}

struct Failure: Error, CustomStringConvertible { var description: String }

func require(_ condition: Bool, _ message: String) throws {
  guard condition else { throw Failure(description: "not so: \(message)") }
}
