import ApusCore

/// Adam: `m <- b1 * m + (1 - b1) * g`, `v <- b2 * v + (1 - b2) * g^2`, `p <- p - a * m / (sqrt(v) + epsilon)` with
/// `a = learningRate * sqrt(1 - b2^t) / (1 - b1^t)`.
///
/// Defaults and the place of epsilon are Keras's. Kingma and Ba, "Adam: a method for stochastic optimization", 2015.
public struct Adam: Optimizer, Hashable {
  public var learningRate: Hyperparameter
  public let beta1: Double
  public let beta2: Double
  public let epsilon: Double

  private enum CodingKeys: String, CodingKey {
    case beta1, beta2, epsilon
    case learningRate = "learning_rate"
  }

  public init(
    learningRate: some HyperparameterConvertible = 0.001, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-7
  ) {
    self.learningRate = learningRate.hyperparameter
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
  }

  public var stateNames: [String] { ["mean", "variance"] }

  public func appendValues(step: Int, to values: inout [Double]) {
    let t = Double(step)
    values.append(learningRate(step) * (1 - Double.pow(beta2, t)).squareRoot() / (1 - Double.pow(beta1, t)))
  }

  public func rule(_ x: RuleInputs) -> UpdateRule {
    let mean = .constant(beta1) * x.states[0] + .constant(1 - beta1) * x.gradient
    let variance = .constant(beta2) * x.states[1] + .constant(1 - beta2) * (x.gradient * x.gradient)
    let change = x.values[0] * mean / (.sqrt(variance) + .constant(epsilon))
    return UpdateRule(parameter: x.parameter - change, states: [mean, variance])
  }
}

/// Adam with weight decay that does not pass through the moments: before Adam's step,
/// `p <- p - learningRate * weightDecay * p`.
///
/// Defaults are Keras's. Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.
public struct AdamW: WeightDecayingOptimizer, Hashable {
  public var learningRate: Hyperparameter
  public var weightDecay: Double
  public let beta1: Double
  public let beta2: Double
  public let epsilon: Double

  private enum CodingKeys: String, CodingKey {
    case beta1, beta2, epsilon
    case learningRate = "learning_rate"
    case weightDecay = "weight_decay"
  }

  public init(
    learningRate: some HyperparameterConvertible = 0.001, weightDecay: Double = 0.004, beta1: Double = 0.9,
    beta2: Double = 0.999,
    epsilon: Double = 1e-7
  ) {
    self.learningRate = learningRate.hyperparameter
    self.weightDecay = weightDecay
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
  }

  /// The step after the decay.
  private var adam: Adam { Adam(learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon) }

  public var stateNames: [String] { adam.stateNames }

  public func appendValues(step: Int, to values: inout [Double]) {
    adam.appendValues(step: step, to: &values)
    values.append(learningRate(step) * weightDecay)
  }

  public func rule(_ x: RuleInputs) -> UpdateRule {
    let decayed = x.parameter - x.parameter * x.values[1]
    return adam.rule(
      RuleInputs(parameter: decayed, gradient: x.gradient, states: x.states, values: x.values))
  }
}

extension Optimizer where Self == Adam {
  /// `Adam()`, for `optimizer: .adam`.
  public static var adam: Adam { Adam() }
  /// `Adam(...)`, for `optimizer: .adam(learningRate: 3e-4)`.
  public static func adam(
    learningRate: some HyperparameterConvertible = 0.001, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-7
  ) -> Adam {
    Adam(learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon)
  }
}

extension Optimizer where Self == AdamW {
  /// `AdamW()`, for `optimizer: .adamw`.
  public static var adamw: AdamW { AdamW() }
  /// `AdamW(...)`, for `optimizer: .adamw(weightDecay: 0.01)`.
  public static func adamw(
    learningRate: some HyperparameterConvertible = 0.001, weightDecay: Double = 0.004, beta1: Double = 0.9,
    beta2: Double = 0.999,
    epsilon: Double = 1e-7
  ) -> AdamW {
    AdamW(learningRate: learningRate, weightDecay: weightDecay, beta1: beta1, beta2: beta2, epsilon: epsilon)
  }
}
