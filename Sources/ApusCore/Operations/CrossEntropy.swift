/// Softmax cross entropy of rows of logits against labels.
public struct CrossEntropy: Hashable, Sendable, CustomStringConvertible {
  /// Labels are class numbers (int32 `[N]`); else they are probabilities (`[N, classes]`).
  public var isSparse: Bool
  /// Share `e` of the target spread evenly: `(1 - e) * target + e / classes`.
  public var labelSmoothing = 0.0

  public var description: String {
    (isSparse ? "sparse" : "dense") + (labelSmoothing == 0 ? "" : " smoothing \(labelSmoothing)")
  }
}

/// The loss from logits and labels, or its gradient from these and the incoming gradient.
package struct CrossEntropyPass: Hashable, Operation {
  package let loss: CrossEntropy
  package let isGradient: Bool

  package var name: String { isGradient ? "crossEntropyGradient" : "crossEntropy" }
  package var attributes: String { loss.description }
  package var arity: Int? { isGradient ? 3 : 2 }

  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule {
    .rows(Array(operands.indices))
  }

  package func gradients(_ site: GradientSite) -> [Tensor?]? {
    guard !isGradient else { return nil }
    let (logits, labels) = (site.inputs[0], site.inputs[1])
    let pass = CrossEntropyPass(loss: loss, isGradient: true)
    return [site.graph.append(.crossEntropy(pass), [logits, labels, site.gradient], logits.type), nil]
  }
}

/// `loss[n] = -sum over c of target[n, c] * logSoftmax(logits[n])[c]`, computed stably from the logits.
///
/// - Parameters:
///   - logits: `[N, classes]`.
///   - labels: int32 `[N]` with class numbers, or probabilities `[N, classes]`. No gradient flows to them. The loss and
///     the gradient of a row whose class number is not in `0..<classes` are NaN; see `Numerics`.
///   - labelSmoothing: 0 for none; see `CrossEntropy`.
/// - Returns: `[N]`
public func softmaxCrossEntropy(_ logits: Tensor, labels: Tensor, labelSmoothing: Double = 0) -> Tensor {
  guard logits.isValid, labels.isValid else { return Tensor(graph: logits.graph, id: -1) }
  func failed(_ rule: String) -> Tensor {
    logits.graph.fail("softmaxCrossEntropy: logits \(logits.type), labels \(labels.type): \(rule)")
  }
  guard logits.rank == 2, logits.dtype.isFloatingPoint, logits.shape[1] > 0 else {
    return failed("the logits must be floating-point [N, classes]")
  }
  guard labelSmoothing >= 0, labelSmoothing < 1 else { return failed("label smoothing must be in 0..<1") }
  let isSparse = labels.dtype == .int32
  guard labels.shape == (isSparse ? [logits.shape[0]] : logits.shape), isSparse || labels.dtype == logits.dtype else {
    return failed("the labels must be int32 [N] or \(logits.dtype) [N, classes]")
  }
  let loss = CrossEntropy(isSparse: isSparse, labelSmoothing: labelSmoothing)
  return logits.graph.append(
    .crossEntropy(CrossEntropyPass(loss: loss, isGradient: false)), [logits, labels],
    TensorType(shape: [logits.shape[0]], dtype: logits.dtype))
}
