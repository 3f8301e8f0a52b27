/// Normalisation of the last axis.
public enum SoftmaxKind: String, Hashable, Sendable {
  /// `exp(x - max) / sum(exp(x - max))`
  case softmax
  /// `x - max - log(sum(exp(x - max)))`
  case logSoftmax

}

extension SoftmaxKind: Operation {
  package var name: String { "softmax" }
  package var attributes: String { rawValue }
  package var arity: Int? { 1 }

  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule {
    result.shape.count > 1 ? .rows([0]) : .whole
  }

  package func gradients(_ site: GradientSite) -> [Tensor?]? {
    let (y, dy) = (site.result, site.gradient)
    switch self {
    case .softmax:
      let dot = reduceSum(y * dy, axes: [-1], keepingAxes: true)
      return [y * (dy - dot)]
    case .logSoftmax:
      let total = reduceSum(dy, axes: [-1], keepingAxes: true)
      return [dy - exp(y) * total]
    }
  }
}

/// Probabilities along the last axis.
public func softmax(_ x: Tensor) -> Tensor { normalized(x, .softmax) }

/// Logarithms of the probabilities along the last axis, without forming the probabilities.
public func logSoftmax(_ x: Tensor) -> Tensor { normalized(x, .logSoftmax) }

private func normalized(_ x: Tensor, _ kind: SoftmaxKind) -> Tensor {
  guard x.isValid else { return x }
  guard x.rank >= 1, x.dtype.isFloatingPoint, x.shape[x.rank - 1] > 0 else {
    return x.graph.fail(
      "\(kind.rawValue): the input \(x.type) must be floating-point with a non-empty last axis")
  }
  return x.graph.append(.softmax(kind), [x], x.type)
}
