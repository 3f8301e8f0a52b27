/// Normalisation of the last axis.
public enum SoftmaxKind: String, Hashable, Sendable {
  /// `exp(x - max) / sum(exp(x - max))`
  case softmax
  /// `x - max - log(sum(exp(x - max)))`
  case logSoftmax

  func gradients(_ y: Tensor, _ dy: Tensor) -> [Tensor?] {
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
