public import ApusCore

/// A rule by which gradients change parameters.
///
/// A rule is one expression for the parameter and one for each state vector; it is applied to all trainable
/// parameters at once, as one launch over a flat vector. What it encodes to is written to checkpoints, so that training
/// goes on by the same rule. A new optimizer is one struct:
///
/// ```swift
/// struct SignDescent: Optimizer {
///   var learningRate: Hyperparameter = 0.001
///   func rule(_ x: RuleInputs) -> UpdateRule {
///     let sign = Expr.ifGreater(x.gradient, 0, then: 1, otherwise: -1)
///     return UpdateRule(parameter: x.parameter - x.values[0] * sign)
///   }
///   func appendValues(step: Int, to values: inout [Double]) { values.append(learningRate(step)) }
/// }
/// ```
public protocol Optimizer: Configurable {
  /// May be changed between steps; nothing is traced again.
  var learningRate: Hyperparameter { get set }
  /// Names of the state vectors, zero at first.
  var stateNames: [String] { get }
  /// Appends the numbers that the rule reads and that may differ from step to step; computed on the host, in double
  /// precision.
  ///
  /// - Parameter step: 1 for the first.
  func appendValues(step: Int, to values: inout [Double])
  /// New parameter and states. Called when a step is traced; what it takes from `self` is constant from then on.
  func rule(_ inputs: RuleInputs) -> UpdateRule
}

extension Optimizer {
  public var stateNames: [String] { [] }

  /// The type's name, as weight files and histories have it: `adam`.
  public static var name: String { "\(Self.self)".lowercased() }
}

/// An optimizer that makes weights smaller by itself, which biases and norms may be spared.
public protocol WeightDecayingOptimizer: Optimizer {
  var weightDecay: Double { get set }
}

/// What an optimizer's rule is made of.
public struct RuleInputs {
  public let parameter: Expr
  public let gradient: Expr
  /// One for each of `stateNames`.
  public let states: [Expr]
  /// One for each of `appendValues(step:to:)`.
  public let values: [Expr]
}

/// New values after a step.
public struct UpdateRule {
  public var parameter: Expr
  public var states: [Expr]

  public init(parameter: Expr, states: [Expr] = []) {
    self.parameter = parameter
    self.states = states
  }
}
