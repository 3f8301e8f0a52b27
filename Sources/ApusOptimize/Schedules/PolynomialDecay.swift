import ApusCore

/// A power of what is left: `(from - to) * (1 - min(s / over, 1)) ^ power + to` after s steps; with power 1 a line.
///
/// Keras's `PolynomialDecay`, its default for `to` included; with `to: 0` PyTorch's `PolynomialLR`.
public struct PolynomialDecay: Schedule {
  public let from: Double
  public let to: Double
  /// Steps until `to` is reached, where it stays.
  public let over: Int
  public let power: Double

  public init(from: Double, to: Double = 0.0001, over: Int, power: Double = 1) {
    (self.from, self.to, self.over, self.power) = (from, to, over, power)
  }

  public func value(after steps: Int) -> Double {
    (from - to) * Double.pow(1 - min(Double(steps) / Double(over), 1), power) + to
  }

  public var problem: String? { stepsProblem(over, "over") }
}

extension HyperparameterConvertible where Self == PolynomialDecay {
  /// `PolynomialDecay(...)`, for `learningRate: .polynomialDecay(from: 0.1, over: 10_000)`.
  public static func polynomialDecay(
    from: Double, to: Double = 0.0001, over: Int, power: Double = 1
  ) -> PolynomialDecay {
    PolynomialDecay(from: from, to: to, over: over, power: power)
  }
}
