public import ApusCore

/// Mean over the outputs of `(prediction - target)^2`.
public struct MeanSquaredError: Loss, Hashable {
  public init() {}

  public var outputs: ModelOutputs { .values }
  public var lowerBound: Double { 0 }

  public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
    trace(prediction, target) { elementwise(prediction, target) { p, t in (p - t) * (p - t) } }
  }
}

/// Mean over the outputs of `|prediction - target|`.
public struct MeanAbsoluteError: Loss, Hashable {
  public init() {}

  public var outputs: ModelOutputs { .values }
  public var lowerBound: Double { 0 }

  public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
    trace(prediction, target) { elementwise(prediction, target) { p, t in .abs(p - t) } }
  }
}

extension Loss where Self == MeanSquaredError {
  /// `MeanSquaredError()`.
  public static var meanSquaredError: MeanSquaredError { MeanSquaredError() }
}

extension Loss where Self == MeanAbsoluteError {
  /// `MeanAbsoluteError()`.
  public static var meanAbsoluteError: MeanAbsoluteError { MeanAbsoluteError() }
}
