import ApusCore

/// A line up to the first value of another schedule, which begins then: after s < steps steps
/// `from + (then(0) - from) * s / steps`, later `then(s - steps)`.
///
/// Keras's `warmup_steps` of `CosineDecay`, for any schedule. Goyal et al., "Accurate, large minibatch SGD", 2017.
public struct WarmUp: Schedule {
  public let steps: Int
  public let from: Double
  /// What begins after the line: a constant or a schedule.
  public let then: Hyperparameter

  public init(steps: Int, from: Double = 0, then: some HyperparameterConvertible) {
    (self.steps, self.from, self.then) = (steps, from, then.hyperparameter)
  }

  public func value(after done: Int) -> Double {
    if done >= steps { return then(done - steps + 1) }
    return from + (then(1) - from) * Double(done) / Double(steps)
  }

  public var problem: String? {
    steps < 0 ? "\(steps) steps of warm-up; give at least 0" : then.schedule?.problem
  }
}

extension HyperparameterConvertible where Self == WarmUp {
  /// `WarmUp(...)`, for `learningRate: .warmUp(steps: 500, then: 0.1)`.
  public static func warmUp(steps: Int, from: Double = 0, then: some HyperparameterConvertible) -> WarmUp {
    WarmUp(steps: steps, from: from, then: then)
  }
}
