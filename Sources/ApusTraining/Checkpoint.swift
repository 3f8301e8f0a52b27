import ApusCore
import ApusOptimize
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

  /// Weights, then what the optimizer and the transforms keep of those that are trained, and of those that are frozen.
  func checkpointTensors() throws -> [(String, NDArray)] {
    guard !parameters.isEmpty else {
      throw TrainingError(.invalidArgument, at: modelName, "there is nothing to save before the first `fit`")
    }
    return try zip(modelPaths, modelParameters).map { ($0, try $1.value()) } + (arena?.states() ?? [])
      + dormantStates.sorted { $0.key < $1.key }
  }

  /// Of what `checkpointTensors` gave, the weights as evaluation has them: averages, where a transform keeps some.
  func evaluatedWeights(in tensors: [(String, NDArray)]) -> [(String, NDArray)] {
    let weights = tensors.prefix(modelParameters.count)
    guard let standIn = arena?.standInName else { return Array(weights) }
    let all = Dictionary(uniqueKeysWithValues: tensors)
    return weights.map { ($0.0, all["\(standIn).\($0.0)"] ?? $0.1) }
  }

  func saveCheckpoint(_ tensors: [(String, NDArray)], to path: String) throws {
    var metadata = [
      "step": "\(step)", "seed": "\(seed)", "optimizer": optimizer.name,
      "hyperparameters": try jsonText(optimizer.hyperparameters()), "history": try jsonText(history),
    ]
    for (key, text) in try settings where text != "[]" { metadata[key] = text }
    try Safetensors.write(tensors, metadata: metadata, to: path)
  }

  /// Groups and transforms, as metadata have them.
  private var settings: [(key: String, text: String)] {
    get throws {
      [
        ("groups", try jsonText(optimization.groups)),
        ("transforms", try jsonText(optimization.transforms.map(NamedTransform.init))),
      ]
    }
  }

  /// Takes over what `saveCheckpoint` wrote; nothing is changed when anything does not fit.
  ///
  /// The learning rate is the checkpoint's, too, since callbacks may have changed it; for another one set it
  /// afterwards. All else of the optimizer must be as it was. (Older checkpoints hold its name alone.)
  ///
  /// - Parameter inputShapes: of each input one sample, without the batch axis.
  /// - Throws: `TrainingError` saying what does not fit, `SafetensorsError` and `FileError` when the file is bad.
  public func restoreCheckpoint(from path: String, inputShapes: [[Int]]) throws {
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
    for (key, own) in try settings where metadata[key, default: "[]"] != own {
      throw bad(
        "was made with the \(key) \(metadata[key, default: "[]"]), the trainer has \(own); make it with the same to go on"
      )
    }
    try prepare(inputShapes: inputShapes)
    let arena = arena!
    // What was kept of parameters that are frozen now waits for them.
    let frozen = zip(modelPaths, modelParameters).filter { $1.isFrozen }.map { (path: $0, parameter: $1) }
    let waiting = Dictionary(uniqueKeysWithValues: arena.stateTypes(of: frozen).map { ($0.name, $0.type) })
    func waits(_ name: String, _ value: NDArray) -> Bool {
      waiting[name] == TensorType(shape: value.shape, dtype: value.dtype)
    }
    let pieces = tensors.flatMap { arena.pieces($0.name, $0.array) }
    let arrays = try fitting(
      pieces.filter { !waits($0.name, $0.value) }.map { (name: $0.name, array: $0.value) },
      zip(modelPaths, modelParameters).map { ($0, $1.type) } + arena.stateTypes, path: path)
    for (name, parameter) in zip(modelPaths, modelParameters) { try parameter.assign(arrays[name]!) }
    try arena.setStates(arrays)
    let dormant = pieces.filter { waits($0.name, $0.value) }
    dormantStates = Dictionary(dormant.map { ($0.name, $0.value) }) { first, _ in first }
    self.step = step
    self.history.epochs = history.epochs
    if let saved { optimization.optimizer.learningRate = saved.learningRate }
  }

  /// Takes over a checkpoint of a model with one input; see `restoreCheckpoint(from:inputShapes:)`.
  ///
  /// - Parameter inputShape: one sample, without the batch axis.
  public func restoreCheckpoint(from path: String, inputShape: [Int]) throws {
    try restoreCheckpoint(from: path, inputShapes: [inputShape])
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
      if let problem = saved.learningRate.problem { throw bad("its learning rate is \(problem)") }
      return saved
    }
    return try checked(optimizer)
  }
}

/// One line of JSON with sorted keys.
func jsonText(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}
