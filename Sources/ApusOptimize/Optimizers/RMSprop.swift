import ApusCore

/// RMSprop: `v <- rho * v + (1 - rho) * g^2`, `p <- p - learningRate * g / sqrt(v + epsilon)`.
///
/// Centered, `v - mean(g)^2` stands for `v` under the root; with momentum, `m <- momentum * m + step` and `p <- p - m`.
/// Defaults and the place of epsilon are Keras's. Hinton, Srivastava, Swersky, lecture 6e of
/// "Neural networks for machine learning", 2012.
public struct RMSprop: Optimizer, Hashable {
  public var learningRate: Hyperparameter
  public let rho: Double
  public let momentum: Double
  public let epsilon: Double
  public let centered: Bool

  private enum CodingKeys: String, CodingKey {
    case rho, momentum, epsilon, centered
    case learningRate = "learning_rate"
  }

  public init(
    learningRate: some HyperparameterConvertible = 0.001, rho: Double = 0.9, momentum: Double = 0,
    epsilon: Double = 1e-7,
    centered: Bool = false
  ) {
    self.learningRate = learningRate.hyperparameter
    self.rho = rho
    self.momentum = momentum
    self.epsilon = epsilon
    self.centered = centered
  }

  public var stateNames: [String] {
    ["variance"] + (centered ? ["mean"] : []) + (momentum == 0 ? [] : ["momentum"])
  }

  public func appendValues(step: Int, to values: inout [Double]) { values.append(learningRate(step)) }

  public func rule(_ x: RuleInputs) -> UpdateRule {
    func average(_ old: Expr, _ new: Expr) -> Expr { .constant(rho) * old + .constant(1 - rho) * new }
    var states = [average(x.states[0], x.gradient * x.gradient)]
    var spread = states[0]
    if centered {
      states.append(average(x.states[1], x.gradient))
      spread = spread - states[1] * states[1]
    }
    var change = x.values[0] * x.gradient / .sqrt(spread + .constant(epsilon))
    if momentum != 0 {
      change = .constant(momentum) * x.states[states.count] + change
      states.append(change)
    }
    return UpdateRule(parameter: x.parameter - change, states: states)
  }
}

extension Optimizer where Self == RMSprop {
  /// `RMSprop()`, for `optimizer: .rmsprop`.
  public static var rmsprop: RMSprop { RMSprop() }
  /// `RMSprop(...)`, for `optimizer: .rmsprop(momentum: 0.9)`.
  public static func rmsprop(
    learningRate: some HyperparameterConvertible = 0.001, rho: Double = 0.9, momentum: Double = 0,
    epsilon: Double = 1e-7,
    centered: Bool = false
  ) -> RMSprop {
    RMSprop(learningRate: learningRate, rho: rho, momentum: momentum, epsilon: epsilon, centered: centered)
  }
}
