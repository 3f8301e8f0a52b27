import ApusCore

/// Half a cosine: `to + (from - to) * (1 + cos(pi * min(s / over, 1))) / 2` after s steps.
///
/// Keras's `CosineDecay` with `alpha = to / from`, PyTorch's `CosineAnnealingLR`. Loshchilov and Hutter, "SGDR:
/// stochastic gradient descent with warm restarts", 2017.
public struct CosineDecay: Schedule {
  public let from: Double
  public let to: Double
  /// Steps until `to` is reached, where it stays.
  public let over: Int

  public init(from: Double, to: Double = 0, over: Int) { (self.from, self.to, self.over) = (from, to, over) }

  public func value(after steps: Int) -> Double {
    to + (from - to) * (1 + Double.cos(.pi * min(Double(steps) / Double(over), 1))) / 2
  }

  public var problem: String? { stepsProblem(over, "over") }
}

extension HyperparameterConvertible where Self == CosineDecay {
  /// `CosineDecay(...)`, for `learningRate: .cosineDecay(from: 0.1, over: 10_000)`.
  public static func cosineDecay(from: Double, to: Double = 0, over: Int) -> CosineDecay {
    CosineDecay(from: from, to: to, over: over)
  }
}
