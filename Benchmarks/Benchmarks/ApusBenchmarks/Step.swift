import Apus
import ApusBenchmark

/// A step of training or inference.
struct Step: Sendable {
  var model: String
  var batchSize = 64
  var trains: Bool

  static let all = ["tutorial-mnist", "tutorial-cifar", "resnet18-cifar"].flatMap { model in
    [true, false].map { Step(model: model, trains: $0) }
  }

  var name: String { "\(trains ? "train" : "infer") \(model) batch \(batchSize)" }

  func prepare(on device: Device) throws -> ModelSteps {
    try ModelSteps(model: model, batchSize: batchSize, trains: trains, device: device)
  }
}
