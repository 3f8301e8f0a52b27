import ApusCore

/// One change of the weights for `steps` steps, by the mean of their gradients: a batch that does not fit in memory, in
/// parts.
///
/// Where all batches are of one size and the model has no batch statistics, n steps of batch size b are one of n * b,
/// but for rounding. Schedules count the changes. Keras's `gradient_accumulation_steps`.
public struct Accumulate: GradientTransform, Hashable {
  public let steps: Int

  public init(_ steps: Int) { self.steps = steps }

  public var states: [TransformState] { [TransformState("accumulated")] }
  public var stepsPerUpdate: Int { steps }

  public func appendValues(step: Int, update: Int, to values: inout [Double]) {
    values.append(step.isMultiple(of: steps) ? 1 : 0)
  }

  public func apply(to gradients: inout Gradients) {
    let isLast = gradients.values[0]
    let sum = gradients.states[0] + gradients.element
    gradients.element = .constant(1 / Double(steps)) * sum
    gradients.setStateAlways(0, .ifGreater(isLast, 0, then: 0, otherwise: sum))
    gradients.updateOnly(where: isLast)
  }

  public var problem: String? { steps >= 1 ? nil : "\(steps) steps; give at least 1" }
}
