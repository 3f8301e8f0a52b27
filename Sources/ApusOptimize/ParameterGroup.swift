public import ApusCore

/// Parameters that are updated by another rule than all others.
///
/// ```swift
/// let trainer = try Trainer(
///   model, optimizer: AdamW(weightDecay: 0.05),
///   groups: [.withoutWeightDecay, ParameterGroup(.path("body.*"), learningRate: 0.1)])
/// ```
/// A parameter belongs to the first group whose filter means it, or else to none, and then follows the optimizer as it
/// is.
public struct ParameterGroup: Sendable, Codable {
  public let filter: ParameterFilter
  /// Factor of the learning rate.
  public let learningRate: Double
  /// Factor of the weight decay.
  public let weightDecay: Double

  private enum CodingKeys: String, CodingKey {
    case filter
    case learningRate = "learning_rate"
    case weightDecay = "weight_decay"
  }

  public init(_ filter: ParameterFilter, learningRate: Double = 1, weightDecay: Double = 1) {
    (self.filter, self.learningRate, self.weightDecay) = (filter, learningRate, weightDecay)
  }

  /// Biases and norms, which weight decay spares.
  public static let withoutWeightDecay = ParameterGroup(.biasesAndNorms, weightDecay: 0)

  /// The group's optimizer.
  func optimizer(from optimizer: any Optimizer) -> any Optimizer {
    var own = optimizer
    own.learningRate = own.learningRate.scaled(by: learningRate)
    if weightDecay != 1, var decaying = own as? any WeightDecayingOptimizer {
      decaying.weightDecay *= weightDecay
      own = decaying
    }
    return own
  }

  /// Why the group makes no sense with `optimizer`.
  func problem(with optimizer: any Optimizer) -> String? {
    for (factor, what) in [(learningRate, "learning rate"), (weightDecay, "weight decay")] {
      if !(factor.isFinite && factor >= 0) { return "a factor of \(factor) of the \(what); give one of at least 0" }
    }
    if weightDecay != 1, !(optimizer is any WeightDecayingOptimizer) {
      return "\(optimizer.name) has no weight decay to change; use adamw or sgd"
    }
    return nil
  }
}
