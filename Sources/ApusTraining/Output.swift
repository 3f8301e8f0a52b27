public import ApusNN

/// What a trainer makes of one of a model's outputs: the loss that is made small, its weight among the others, metrics.
///
/// ```swift
/// let trainer = try Trainer(
///   TwoHeads(),
///   outputs: [
///     Output("digit", loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy]),
///     Output("angle", loss: .meanSquaredError, weight: 0.1),
///   ])
/// ```
/// The loss of a sample is the sum of `weight * loss` over the outputs. Where there are several, the trainer reports, as
/// Keras does, `loss`, then `digit_loss` and `angle_loss`, which are without their weights, then `digit_accuracy`.
public struct Output: Sendable {
  /// In front of what is reported of the output; without meaning where it is the only one.
  public let name: String
  public let loss: any Loss
  /// Of the loss in the sum over all outputs; at least 0.
  public let weight: Double
  /// Reported beside the loss.
  public let metrics: [any Metric]

  /// - Parameters:
  ///   - name: may be left out where there is one output.
  ///   - loss: of the output and its targets.
  ///   - weight: of the loss in the sum over all outputs.
  ///   - metrics: reported beside the loss.
  public init(_ name: String = "", loss: any Loss, weight: Double = 1, metrics: [any Metric] = []) {
    (self.name, self.loss, self.weight, self.metrics) = (name, loss, weight, metrics)
  }
}

extension [Output] {
  /// `accuracy`, or `digit_accuracy` where there are several outputs.
  func label(_ label: String, of output: Output) -> String { count > 1 ? "\(output.name)_\(label)" : label }

  /// `metrics`, or `metrics of 'digit'` where there are several outputs.
  func place(_ part: String, of output: Output) -> String { count > 1 ? "\(part) of '\(output.name)'" : part }

  /// What is reported, in the order in which `BatchTotals` has it: the loss, of several outputs each one's, the metrics.
  var labels: [String] {
    ["loss"] + (count > 1 ? map { label("loss", of: $0) } : [])
      + flatMap { output in output.metrics.map { label($0.label, of: output) } }
  }

  /// No sum of the losses is smaller.
  var lowerBound: Double { reduce(0) { $0 + ($1.weight > 0 ? $1.weight * $1.loss.lowerBound : 0) } }

  /// The loss of a model that knows nothing, whose outputs have these shapes; `nil` where a loss cannot tell.
  func guess(_ shapes: [[Int]]) -> Double? {
    guard shapes.count == count else { return nil }
    var sum = 0.0
    for (output, shape) in zip(self, shapes) {
      guard let size = shape.last, let guess = output.loss.guess(outputs: size) else { return nil }
      sum += output.weight * guess
    }
    return sum
  }

  /// - Throws: `TrainingError` for losses, weights, metrics and names that do not go together.
  func requireUsable() throws(TrainingError) {
    func failure(_ place: String, _ reason: String) -> TrainingError {
      TrainingError(.invalidArgument, at: place, reason)
    }
    guard !isEmpty else { throw failure("outputs", "there are none; give an Output for each of the model's outputs") }
    for output in self {
      for metric in output.metrics {
        if let problem = metric.problem(with: output.loss.outputs) {
          throw failure(place("metrics", of: output), problem)
        }
      }
      guard Set(output.metrics.map(\.label)).count == output.metrics.count else {
        throw failure(place("metrics", of: output), "each may be given once")
      }
      guard output.weight >= 0, output.weight.isFinite else {
        throw failure(
          place("weight", of: output), "it is \(output.weight); it must be a finite number of at least 0")
      }
    }
    guard count > 1 else { return }
    for (index, output) in enumerated() {
      guard !output.name.isEmpty else {
        throw failure("outputs", "output \(index) has no name; each of several needs one, as in Output(\"digit\", ...)")
      }
      guard !"\(output.name)_".hasPrefix("val_") else {
        throw failure("outputs", "'\(output.name)' begins as what validation reports; give the output another name")
      }
    }
    var known: Set<String> = []
    for label in labels where !known.insert(label).inserted {
      throw failure("outputs", "two values would be called '\(label)'; give each output a name of its own")
    }
  }
}
