package import ApusCore

/// All that turns gradients into new weights: transforms of the gradients one after another, then the optimizer's rule,
/// for each group of parameters with its own numbers.
public struct Optimization: Sendable {
  public var optimizer: any Optimizer { didSet { makeRules() } }
  public let groups: [ParameterGroup]
  public let transforms: [any GradientTransform]
  /// The optimizer of all parameters that are in no group, then that of each group.
  private(set) var rules: [any Optimizer] = []

  public init(_ optimizer: any Optimizer, groups: [ParameterGroup] = [], transforms: [any GradientTransform] = []) {
    self.optimizer = optimizer
    self.groups = groups
    self.transforms = transforms
    makeRules()
  }

  private mutating func makeRules() { rules = [optimizer] + groups.map { $0.optimizer(from: optimizer) } }

  /// Steps that make one change of the weights.
  package var stepsPerUpdate: Int { transforms.reduce(1) { $0 * $1.stepsPerUpdate } }

  /// Number of the change of the weights that step `step` takes part in, both from 1: what schedules count.
  package func update(at step: Int) -> Int { (step - 1) / stepsPerUpdate + 1 }

  /// The learning rate of step `step`, 1 for the first.
  package func learningRate(at step: Int) -> Double { optimizer.learningRate(update(at: step)) }

  /// - Throws: `GraphError` for numbers that make no sense.
  package func validate() throws(GraphError) {
    if let problem = optimizer.learningRate.problem {
      throw GraphError(label: "optimizer", message: "a learning rate of \(problem)")
    }
    for group in groups {
      if let problem = group.problem(with: optimizer) {
        throw GraphError(label: "the group \(group.filter)", message: problem)
      }
    }
    for transform in transforms {
      if let problem = transform.problem { throw GraphError(label: transform.name, message: problem) }
    }
  }
}
