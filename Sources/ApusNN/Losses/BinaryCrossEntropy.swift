public import ApusCore

/// Mean over the outputs of `-target * log p - (1 - target) * log(1 - p)`; targets have the shape of the predictions, or
/// `[N]` where those are `[N, 1]`.
public struct BinaryCrossEntropy: Loss, Hashable {
  public static let name = "binary_crossentropy"
  /// Whether the model's outputs are logits; else they are probabilities.
  public let fromLogits: Bool
  /// Share `e` of the target that is spread evenly: `(1 - e) * target + e / 2`.
  public let labelSmoothing: Double

  private enum CodingKeys: String, CodingKey {
    case fromLogits = "from_logits"
    case labelSmoothing = "label_smoothing"
  }

  /// - Parameters:
  ///   - fromLogits: whether the model ends without sigmoid.
  ///   - labelSmoothing: in `0..<1`.
  public init(fromLogits: Bool = true, labelSmoothing: Double = 0) {
    (self.fromLogits, self.labelSmoothing) = (fromLogits, labelSmoothing)
  }

  public var outputs: ModelOutputs { .binary(fromLogits: fromLogits) }
  public var lowerBound: Double { 0 }
  public func guess(outputs count: Int) -> Double? { .log(2) }

  public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
    trace(prediction, target, smoothing: labelSmoothing) {
      elementwise(prediction, target) { x, target in
        let target = Self.smoothed(target, by: labelSmoothing, classes: 2)
        return fromLogits ? Self.ofLogit(x, target) : Self.ofProbability(x, target)
      }
    }
  }

  /// `max(x, 0) - x * target + log1p(exp(-|x|))` as a sum without differences: neither the loss of a confident right
  /// answer nor its gradient, `sigmoid(x) - target`, is rounded away, and no kink at 0 is differentiated.
  private static func ofLogit(_ x: Expr, _ target: Expr) -> Expr {
    target * .softplus(-x) + (1 - target) * .softplus(x)
  }

  private static func ofProbability(_ x: Expr, _ target: Expr) -> Expr {
    let p = clipped(x)
    return -(target * .log(p) + (1 - target) * .log(1 - p))
  }
}

extension Loss where Self == BinaryCrossEntropy {
  /// `BinaryCrossEntropy()`: each output by itself.
  public static var binaryCrossEntropy: BinaryCrossEntropy { BinaryCrossEntropy() }
  /// `BinaryCrossEntropy(...)`.
  public static func binaryCrossEntropy(fromLogits: Bool = true, labelSmoothing: Double = 0) -> BinaryCrossEntropy {
    BinaryCrossEntropy(fromLogits: fromLogits, labelSmoothing: labelSmoothing)
  }
}
