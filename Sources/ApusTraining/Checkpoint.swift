import ApusCore
import ApusNN
import ApusSafetensors

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension Trainer {
  /// Steps are counted exactly up to here, by optimizers in floating point, too.
  private static let lastStep = 1 << 53

  /// Writes all that training goes on from: weights, optimizer and its state, step and history.
  ///
  /// Restored between two epochs, a trainer with the same seed and device goes on bit by bit as this one would.
  ///
  /// - Throws: `TrainingError` before the first training or prediction, `FileError` when writing fails.
  public func saveCheckpoint(to path: String) throws { try saveCheckpoint(try checkpointTensors(), to: path) }

  /// Weights, then optimizer state, as the device holds them.
  func checkpointTensors() throws -> [(String, NDArray)] {
    guard !parameters.isEmpty else {
      throw TrainingError(.invalidArgument, at: modelName, "there is nothing to save before the first `fit`")
    }
    return try checkpointed.map { ($0.name, try $0.box.value()) }
  }

  func saveCheckpoint(_ tensors: [(String, NDArray)], to path: String) throws {
    func text(_ value: some Encodable) throws -> String {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
    try Safetensors.write(
      tensors,
      metadata: [
        "step": "\(step)", "seed": "\(seed)", "optimizer": optimizer.name,
        "hyperparameters": try text(optimizer.hyperparameters()), "history": try text(history),
      ], to: path)
  }

  /// Takes over what `saveCheckpoint` wrote; nothing is changed when anything does not fit.
  ///
  /// The learning rate is the checkpoint's, too, since callbacks may have changed it; for another one set it
  /// afterwards. All else of the optimizer must be as it was. (Older checkpoints hold its name alone.)
  ///
  /// - Parameter inputShape: one sample, without the batch axis.
  /// - Throws: `TrainingError` saying what does not fit, `SafetensorsError` and `FileError` when the file is bad.
  public func restoreCheckpoint(from path: String, inputShape: [Int]) throws {
    let (tensors, metadata) = try Safetensors.read(from: path)
    func bad(_ reason: String) -> TrainingError { TrainingError(.badFile, at: path, reason) }
    guard let step = metadata["step"].flatMap(Int.init), step >= 0, let text = metadata["history"],
      let history = try? JSONDecoder().decode(History.self, from: Data(text.utf8))
    else { throw bad("is not a checkpoint: it has no step and history") }
    guard step <= Self.lastStep else { throw bad("its step, \(step), is more than training can reach") }
    guard metadata["optimizer"] == optimizer.name else {
      throw bad("was made with the optimizer '\(metadata["optimizer"] ?? "none")', this is '\(optimizer.name)'")
    }
    let saved = try savedOptimizer(metadata["hyperparameters"], path)
    guard metadata["seed"] == "\(seed)" else {
      throw bad("was made with seed \(metadata["seed"] ?? "none"), this is \(seed); use the same to go on")
    }
    try prepare(inputShape: inputShape)
    try assign(tensors, to: checkpointed, path: path)
    self.step = step
    self.history.epochs = history.epochs
    if let saved { learningRate = saved.learningRate }
  }

  /// The optimizer of a checkpoint's metadata, which must be this one but for the learning rate.
  private func savedOptimizer(_ text: String?, _ path: String) throws -> (any Optimizer)? {
    guard let text else { return nil }
    func bad(_ reason: String) -> TrainingError { TrainingError(.badFile, at: path, reason) }
    guard let values = try? JSONDecoder().decode(Hyperparameters.self, from: Data(text.utf8)) else {
      throw bad("its hyperparameters cannot be understood: \(text.prefix(100))")
    }
    func checked<Rule: Optimizer>(_ own: Rule) throws -> Rule {
      let saved = try own.with(values, from: path)
      if let difference = try own.difference(there: saved) {
        throw bad(
          "was made with another optimizer: \(difference); make the trainer with the same '\(own.name)' to go on")
      }
      guard saved.learningRate.isFinite, saved.learningRate >= 0 else {
        throw bad("its learning rate is \(saved.learningRate)")
      }
      return saved
    }
    return try checked(optimizer)
  }
}
