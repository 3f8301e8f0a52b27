import ApusCore
import ApusOptimize

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What an optimizer encodes to, by name, as `config.json` and checkpoints hold it.
typealias Hyperparameters = [String: JSONValue]

extension Optimizer {
  /// All of them, the learning rate included.
  func hyperparameters() throws -> Hyperparameters {
    try JSONDecoder().decode(Hyperparameters.self, from: JSONEncoder().encode(self))
  }

  /// The optimizer with other values for the names in `values`.
  ///
  /// - Throws: `TrainingError` that names `path`, for values that are none of this optimizer's.
  func with(_ values: Hyperparameters, from path: String) throws -> Self {
    let own = try hyperparameters()
    if let stranger = values.keys.sorted().first(where: { own[$0] == nil }) {
      throw TrainingError(.badFile, at: path, "the optimizer '\(name)' has no hyperparameter '\(stranger)'")
    }
    do {
      return try JSONDecoder().decode(Self.self, from: JSONEncoder().encode(own.merging(values) { $1 }))
    } catch {
      throw TrainingError(.badFile, at: path, "makes no optimizer '\(name)' of \(values): \(error)")
    }
  }

  /// Where `other` has another value than this one, learning rates aside, which may change in training:
  /// `weight_decay is 0.01 there and 0.004 here`.
  func difference(there other: Self) throws -> String? {
    var other = other
    other.learningRate = learningRate
    let (here, there) = (try hyperparameters(), try other.hyperparameters())
    let names = here.keys.sorted().filter { here[$0] != there[$0] }
    guard !names.isEmpty else { return nil }
    return names.map { "\($0) is \(there[$0] ?? .null) there and \(here[$0] ?? .null) here" }.joined(separator: ", ")
  }
}
