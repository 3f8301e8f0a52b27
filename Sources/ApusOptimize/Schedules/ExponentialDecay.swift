import ApusCore

/// A factor at each step: `from * factor ^ (s / every)` after s steps.
///
/// Keras's `ExponentialDecay`; with `every: 1` PyTorch's `ExponentialLR`. `StepDecay` is the same in stairs.
public struct ExponentialDecay: Schedule {
  public let from: Double
  public let factor: Double
  /// Steps that together multiply the value by `factor`.
  public let every: Int

  public init(from: Double, factor: Double, every: Int = 1) {
    (self.from, self.factor, self.every) = (from, factor, every)
  }

  public func value(after steps: Int) -> Double { from * Double.pow(factor, Double(steps) / Double(every)) }

  public var problem: String? { stepsProblem(every, "every") ?? factorProblem(factor) }
}

extension HyperparameterConvertible where Self == ExponentialDecay {
  /// `ExponentialDecay(...)`, for `learningRate: .exponentialDecay(from: 0.1, factor: 0.5, every: 1000)`.
  public static func exponentialDecay(from: Double, factor: Double, every: Int = 1) -> ExponentialDecay {
    ExponentialDecay(from: from, factor: factor, every: every)
  }
}
