public import ApusCore

/// `-log p[label]`; labels are class numbers, int32 `[N, ...]`, predictions `[N, ..., classes]`.
public struct SparseCategoricalCrossEntropy: Loss, Hashable {
  public static let name = "sparse_categorical_crossentropy"
  /// Whether the model's outputs are logits; else they are probabilities.
  public let fromLogits: Bool
  /// Share `e` of the target that is spread evenly: `(1 - e) * target + e / classes`; from logits only.
  public let labelSmoothing: Double

  private enum CodingKeys: String, CodingKey {
    case fromLogits = "from_logits"
    case labelSmoothing = "label_smoothing"
  }

  /// - Parameters:
  ///   - fromLogits: whether the model ends without softmax.
  ///   - labelSmoothing: in `0..<1`; from logits only.
  public init(fromLogits: Bool = true, labelSmoothing: Double = 0) {
    (self.fromLogits, self.labelSmoothing) = (fromLogits, labelSmoothing)
  }

  public var outputs: ModelOutputs { .classes(fromLogits: fromLogits, labels: .sparse) }
  public var lowerBound: Double { 0 }
  public func guess(outputs count: Int) -> Double? { .log(Double(max(count, 2))) }

  public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
    trace(prediction, target, smoothing: labelSmoothing) {
      guard prediction.rank >= 2, target.dtype == .int32, target.shape == prediction.shape.dropLast() else {
        return fail(prediction, target, "it needs [N, ..., classes] and int32 labels [N, ...]")
      }
      guard fromLogits || labelSmoothing == 0 else {
        return fail(prediction, target, "label smoothing of sparse labels needs logits")
      }
      let rows = reshape(prediction, to: [-1, prediction.shape[prediction.rank - 1]])
      // Softmax of the logarithms normalises the clipped probabilities.
      let logits = fromLogits ? rows : log(Self.clipped(rows))
      let losses = softmaxCrossEntropy(
        logits, labels: reshape(target, to: [target.shape.elementCount]), labelSmoothing: labelSmoothing)
      return Self.samples(losses, like: target)
    }
  }
}

/// `-sum over c of target[c] * log p[c]`; targets are probabilities, of the shape of the predictions
/// `[N, ..., classes]`.
public struct CategoricalCrossEntropy: Loss, Hashable {
  public static let name = "categorical_crossentropy"
  /// Whether the model's outputs are logits; else they are probabilities.
  public let fromLogits: Bool
  /// Share `e` of the target that is spread evenly: `(1 - e) * target + e / classes`.
  public let labelSmoothing: Double

  private enum CodingKeys: String, CodingKey {
    case fromLogits = "from_logits"
    case labelSmoothing = "label_smoothing"
  }

  /// - Parameters:
  ///   - fromLogits: whether the model ends without softmax.
  ///   - labelSmoothing: in `0..<1`.
  public init(fromLogits: Bool = true, labelSmoothing: Double = 0) {
    (self.fromLogits, self.labelSmoothing) = (fromLogits, labelSmoothing)
  }

  public var outputs: ModelOutputs { .classes(fromLogits: fromLogits, labels: .dense) }
  public var lowerBound: Double { 0 }
  public func guess(outputs count: Int) -> Double? { .log(Double(max(count, 2))) }

  public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
    trace(prediction, target, smoothing: labelSmoothing) {
      guard prediction.rank >= 2, target.shape == prediction.shape else {
        return fail(prediction, target, "both must be [N, ..., classes]")
      }
      let classes = prediction.shape[prediction.rank - 1]
      let real = target.dtype.isFloatingPoint ? target : target.map { $0 }
      let (rows, targets) = (reshape(prediction, to: [-1, classes]), reshape(real, to: [-1, classes]))
      let losses: Tensor
      if fromLogits {
        losses = softmaxCrossEntropy(rows, labels: targets, labelSmoothing: labelSmoothing)
      } else {
        let normalized = rows / reduceSum(rows, axes: [-1], keepingAxes: true)
        let term =
          Self.smoothed(.input(1), by: labelSmoothing, classes: classes) * .log(Self.clipped(.input(0)))
        losses = reduceSum(-pointwise(term, [normalized, targets]), axes: [-1])
      }
      return Self.samples(losses, like: prediction)
    }
  }
}

extension Loss where Self == SparseCategoricalCrossEntropy {
  /// `SparseCategoricalCrossEntropy()`: labels are class numbers.
  public static var sparseCategoricalCrossEntropy: SparseCategoricalCrossEntropy { SparseCategoricalCrossEntropy() }
  /// `SparseCategoricalCrossEntropy(...)`.
  public static func sparseCategoricalCrossEntropy(
    fromLogits: Bool = true, labelSmoothing: Double = 0
  ) -> SparseCategoricalCrossEntropy {
    SparseCategoricalCrossEntropy(fromLogits: fromLogits, labelSmoothing: labelSmoothing)
  }
}

extension Loss where Self == CategoricalCrossEntropy {
  /// `CategoricalCrossEntropy()`: targets are probabilities.
  public static var categoricalCrossEntropy: CategoricalCrossEntropy { CategoricalCrossEntropy() }
  /// `CategoricalCrossEntropy(...)`.
  public static func categoricalCrossEntropy(
    fromLogits: Bool = true, labelSmoothing: Double = 0
  ) -> CategoricalCrossEntropy {
    CategoricalCrossEntropy(fromLogits: fromLogits, labelSmoothing: labelSmoothing)
  }
}
