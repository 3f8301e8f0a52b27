import ApusCore

/// Another schedule times a factor.
public struct Scaled: Schedule {
  public let inner: Hyperparameter
  public let factor: Double

  public init(_ inner: some HyperparameterConvertible, by factor: Double) {
    (self.inner, self.factor) = (inner.hyperparameter, factor)
  }

  public func value(after steps: Int) -> Double { inner(steps + 1) * factor }

  public var problem: String? { inner.schedule?.problem }
}
