public import ApusCore

/// What training makes small: one number for each sample, of which the mean over the batch is taken.
///
/// Formulas are Keras's, with one difference: the cross entropies expect **logits** unless told otherwise, since the
/// models by name end in a layer without softmax, and logits give the more exact loss. A model that ends in a softmax
/// or sigmoid is refused then, instead of being squashed twice; use `fromLogits: false` for it.
///
/// ```swift
/// let trainer = try Trainer(model, loss: .sparseCategoricalCrossEntropy)          // Dense(10) at the end
/// let other = try Trainer(model, loss: .meanSquaredError)
/// ```
public struct Loss: Hashable, Sendable, Codable {
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    /// `-log p[label]`; labels are class numbers, int32.
    case sparseCategoricalCrossEntropy = "sparse_categorical_crossentropy"
    /// `-sum over c of target[c] * log p[c]`; targets are probabilities.
    case categoricalCrossEntropy = "categorical_crossentropy"
    /// Mean over the outputs of `-target * log p - (1 - target) * log(1 - p)`.
    case binaryCrossEntropy = "binary_crossentropy"
    /// Mean over the outputs of `(prediction - target)^2`.
    case meanSquaredError = "mean_squared_error"
    /// Mean over the outputs of `|prediction - target|`.
    case meanAbsoluteError = "mean_absolute_error"
  }

  public let kind: Kind
  /// Whether the model's outputs are logits; else they are probabilities. Of no meaning for regression.
  public let fromLogits: Bool
  /// Share `e` of the target that is spread evenly: `(1 - e) * target + e / classes`.
  public let labelSmoothing: Double

  private enum CodingKeys: String, CodingKey {
    case kind
    case fromLogits = "from_logits"
    case labelSmoothing = "label_smoothing"
  }

  /// Any loss; the static members say the same in fewer words.
  public init(_ kind: Kind, fromLogits: Bool = true, labelSmoothing: Double = 0) {
    self.kind = kind
    self.fromLogits = fromLogits
    self.labelSmoothing = labelSmoothing
  }

  public static let sparseCategoricalCrossEntropy = Loss(.sparseCategoricalCrossEntropy)
  public static let categoricalCrossEntropy = Loss(.categoricalCrossEntropy)
  public static let binaryCrossEntropy = Loss(.binaryCrossEntropy)
  public static let meanSquaredError = Loss(.meanSquaredError)
  public static let meanAbsoluteError = Loss(.meanAbsoluteError)

  /// - Parameters:
  ///   - fromLogits: whether the model ends without softmax.
  ///   - labelSmoothing: in `0..<1`; from logits only.
  public static func sparseCategoricalCrossEntropy(fromLogits: Bool = true, labelSmoothing: Double = 0) -> Loss {
    Loss(.sparseCategoricalCrossEntropy, fromLogits: fromLogits, labelSmoothing: labelSmoothing)
  }

  /// - Parameters:
  ///   - fromLogits: whether the model ends without softmax.
  ///   - labelSmoothing: in `0..<1`.
  public static func categoricalCrossEntropy(fromLogits: Bool = true, labelSmoothing: Double = 0) -> Loss {
    Loss(.categoricalCrossEntropy, fromLogits: fromLogits, labelSmoothing: labelSmoothing)
  }

  /// - Parameters:
  ///   - fromLogits: whether the model ends without sigmoid.
  ///   - labelSmoothing: `(1 - e) * target + e / 2`, in `0..<1`.
  public static func binaryCrossEntropy(fromLogits: Bool = true, labelSmoothing: Double = 0) -> Loss {
    Loss(.binaryCrossEntropy, fromLogits: fromLogits, labelSmoothing: labelSmoothing)
  }
}

extension Loss {
  /// The loss of each sample.
  ///
  /// - Parameters:
  ///   - prediction: the model's output `[N, ...]`, classes along the last axis.
  ///   - target: int32 `[N, ...]` without the class axis for sparse labels; else as the prediction, or `[N]` where the
  ///     prediction is `[N, 1]`.
  /// - Returns: `[N]`. Mistakes are recorded in the graph and thrown by `Graph.trace`.
  public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
    guard prediction.isValid, target.isValid else { return prediction.isValid ? target : prediction }
    return prediction.graph.scope("loss") {
      guard labelSmoothing >= 0, labelSmoothing < 1 else {
        return fail(prediction, target, "label smoothing \(labelSmoothing) must be in 0..<1")
      }
      guard prediction.shape.first != 0 else { return fail(prediction, target, "the batch must not be empty") }
      if let problem = mismatchedEnding(prediction) { return fail(prediction, target, problem) }
      switch kind {
      case .sparseCategoricalCrossEntropy: return sparse(prediction, target)
      case .categoricalCrossEntropy: return categorical(prediction, target)
      case .binaryCrossEntropy:
        return elementwise(prediction, target, fromLogits ? Self.binaryFromLogits : Self.binaryFromProbabilities)
      case .meanSquaredError: return elementwise(prediction, target) { p, t in (p - t) * (p - t) }
      case .meanAbsoluteError: return elementwise(prediction, target) { p, t in .abs(p - t) }
      }
    }
  }

  private func fail(_ prediction: Tensor, _ target: Tensor, _ rule: String) -> Tensor {
    prediction.graph.fail("\(kind.rawValue): prediction \(prediction.type), target \(target.type): \(rule)")
  }

  private func sparse(_ prediction: Tensor, _ target: Tensor) -> Tensor {
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

  private func categorical(_ prediction: Tensor, _ target: Tensor) -> Tensor {
    guard prediction.rank >= 2, target.shape == prediction.shape else {
      return fail(prediction, target, "both must be [N, ..., classes]")
    }
    let classes = prediction.shape[prediction.rank - 1]
    let (rows, targets) = (reshape(prediction, to: [-1, classes]), reshape(Self.real(target), to: [-1, classes]))
    let losses: Tensor
    if fromLogits {
      losses = softmaxCrossEntropy(rows, labels: targets, labelSmoothing: labelSmoothing)
    } else {
      let normalized = rows / reduceSum(rows, axes: [-1], keepingAxes: true)
      let term = smoothed(.input(1), classes: classes) * .log(Self.clipped(.input(0)))
      losses = reduceSum(-pointwise(term, [normalized, targets]), axes: [-1])
    }
    return Self.samples(losses, like: prediction)
  }

  /// A formula of each output and its target, averaged over a sample's outputs.
  private func elementwise(
    _ prediction: Tensor, _ target: Tensor, _ formula: (Expr, Expr) -> Expr
  ) -> Tensor {
    guard prediction.rank >= 1, prediction.dtype.isFloatingPoint else {
      return fail(prediction, target, "the prediction must be floating-point [N, ...]")
    }
    let isColumn = prediction.shape == target.shape + [1]
    guard target.shape == prediction.shape || isColumn else {
      return fail(prediction, target, "both must have one shape")
    }
    let term = formula(.input(0), kind == .binaryCrossEntropy ? smoothed(.input(1), classes: 2) : .input(1))
    let losses = pointwise(term, [prediction, reshape(target, to: prediction.shape)])
    return Self.samples(losses, like: prediction)
  }

  private func smoothed(_ target: Expr, classes: Int) -> Expr {
    target * .constant(1 - labelSmoothing) + .constant(labelSmoothing / Double(classes))
  }

  /// `max(x, 0) - x * target + log1p(exp(-|x|))` as a sum without differences: neither the loss of a confident right
  /// answer nor its gradient, `sigmoid(x) - target`, is rounded away, and no kink at 0 is differentiated.
  private static func binaryFromLogits(_ x: Expr, _ target: Expr) -> Expr {
    target * .softplus(-x) + (1 - target) * .softplus(x)
  }

  private static func binaryFromProbabilities(_ x: Expr, _ target: Expr) -> Expr {
    let p = clipped(x)
    return -(target * .log(p) + (1 - target) * .log(1 - p))
  }

  /// Keras's `epsilon()`: what keeps a logarithm of a probability finite.
  private static let epsilon = 1e-7
  private static func clipped(_ p: Expr) -> Expr { .min(.max(p, .constant(epsilon)), .constant(1 - epsilon)) }
  private static func clipped(_ p: Tensor) -> Tensor { p.map { clipped($0) } }

  /// The mean of each sample's losses: `[N]`.
  private static func samples(_ losses: Tensor, like batch: Tensor) -> Tensor {
    guard losses.isValid else { return losses }
    let rows = reshape(losses, to: [batch.shape[0], losses.shape.elementCount / batch.shape[0]])
    return rows.shape[1] == 1 ? reshape(rows, to: [rows.shape[0]]) : reduceMean(rows, axes: [1])
  }

  private static func real(_ x: Tensor) -> Tensor { x.dtype.isFloatingPoint ? x : x.map { $0 } }

  /// The rule that the model's last operation breaks: a softmax where logits are asked for, or the reverse.
  private func mismatchedEnding(_ prediction: Tensor) -> String? {
    guard kind != .meanSquaredError, kind != .meanAbsoluteError else { return nil }
    let graph = prediction.graph
    var id = prediction.id
    while case .reshape = graph.nodes[id].op { id = graph.nodes[id].inputs[0] }
    let node = graph.nodes[id]
    switch node.op {
    case .softmax(.softmax), .pointwise(.unary(.sigmoid, .input(0))):
      guard fromLogits else { return nil }
      return "the model ends in probabilities, the loss expects logits; "
        + "remove the last activation (best) or use fromLogits: false"
    case .matMul, .convolution, .pointwise(.binary(.add, .input, .input)):
      let addsBias = node.inputs.contains { graph.nodes[$0].parameter != nil }
      guard !fromLogits, addsBias else { return nil }
      return "the model ends in a linear layer, the loss expects probabilities; "
        + "use fromLogits: true (best) or end the model in Softmax() or Activation.sigmoid"
    default:
      return nil
    }
  }
}
