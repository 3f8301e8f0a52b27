import ApusCore

/// A factor at some steps: `from * factor ^ k` after s steps, where k is `floor(s / every)`, or the number of
/// milestones that are at most s.
///
/// PyTorch's `StepLR` and `MultiStepLR`.
public struct StepDecay: Schedule {
  public let from: Double
  public let factor: Double
  /// Steps between two changes; `nil` for milestones.
  public let every: Int?
  /// Numbers of steps after which the value changes; `nil` for regular changes.
  public let milestones: [Int]?

  /// Changes after each `every` steps.
  public init(from: Double, factor: Double = 0.1, every: Int) {
    (self.from, self.factor, self.every, milestones) = (from, factor, every, nil)
  }

  /// Changes after those numbers of steps.
  public init(from: Double, factor: Double = 0.1, milestones: [Int]) {
    (self.from, self.factor, every, self.milestones) = (from, factor, nil, milestones)
  }

  public func value(after steps: Int) -> Double {
    let changes = every.map { steps / $0 } ?? (milestones ?? []).count { $0 <= steps }
    return from * Double.pow(factor, Double(changes))
  }

  public var problem: String? { every.flatMap { stepsProblem($0, "every") } ?? factorProblem(factor) }
}

extension HyperparameterConvertible where Self == StepDecay {
  /// `StepDecay(...)`, for `learningRate: .stepDecay(from: 0.1, every: 1000)`.
  public static func stepDecay(from: Double, factor: Double = 0.1, every: Int) -> StepDecay {
    StepDecay(from: from, factor: factor, every: every)
  }
  /// `StepDecay(...)`, for `learningRate: .stepDecay(from: 0.1, milestones: [32_000, 48_000])`.
  public static func stepDecay(from: Double, factor: Double = 0.1, milestones: [Int]) -> StepDecay {
    StepDecay(from: from, factor: factor, milestones: milestones)
  }
}
