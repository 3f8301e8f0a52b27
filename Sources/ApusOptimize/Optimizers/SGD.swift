import ApusCore

/// Stochastic gradient descent with momentum:
/// `m <- momentum * m - learningRate * g`, `p <- p + m`; with Nesterov `p <- p + momentum * m - learningRate * g`.
///
/// `weightDecay` is added to the gradient (`g + weightDecay * p`): the classical L2 penalty, as in PyTorch. (Keras
/// takes it off the parameter instead, as `AdamW` does.) Defaults are Keras's.
///
/// Sutskever et al., "On the importance of initialization and momentum", 2013.
public struct SGD: WeightDecayingOptimizer, Hashable {
  public var learningRate: Hyperparameter
  public let momentum: Double
  public let nesterov: Bool
  public var weightDecay: Double

  private enum CodingKeys: String, CodingKey {
    case momentum, nesterov
    case learningRate = "learning_rate"
    case weightDecay = "weight_decay"
  }

  public init(
    learningRate: some HyperparameterConvertible = 0.01, momentum: Double = 0, nesterov: Bool = false,
    weightDecay: Double = 0
  ) {
    self.learningRate = learningRate.hyperparameter
    self.momentum = momentum
    self.nesterov = nesterov
    self.weightDecay = weightDecay
  }

  public var stateNames: [String] { momentum == 0 ? [] : ["momentum"] }

  public func appendValues(step: Int, to values: inout [Double]) { values.append(learningRate(step)) }

  public func rule(_ x: RuleInputs) -> UpdateRule {
    let scaled = x.values[0] * (x.gradient + .constant(weightDecay) * x.parameter)
    guard let velocity = x.states.first else { return UpdateRule(parameter: x.parameter - scaled) }
    let next = .constant(momentum) * velocity - scaled
    let change = nesterov ? .constant(momentum) * next - scaled : next
    return UpdateRule(parameter: x.parameter + change, states: [next])
  }
}

extension Optimizer where Self == SGD {
  /// `SGD()`, for `optimizer: .sgd`.
  public static var sgd: SGD { SGD() }
  /// `SGD(...)`, for `optimizer: .sgd(learningRate: 0.1, momentum: 0.9)`.
  public static func sgd(
    learningRate: some HyperparameterConvertible = 0.01, momentum: Double = 0, nesterov: Bool = false,
    weightDecay: Double = 0
  ) -> SGD {
    SGD(learningRate: learningRate, momentum: momentum, nesterov: nesterov, weightDecay: weightDecay)
  }
}
