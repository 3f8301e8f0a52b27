import ApusCore

/// Each number of a gradient is brought into `-limit ... limit`: `g <- min(max(g, -limit), limit)`.
///
/// Keras's `clipvalue`, PyTorch's `clip_grad_value_`.
public struct ClipValue: GradientTransform, Hashable {
  public let limit: Double

  public init(_ limit: Double) { self.limit = limit }

  public func apply(to gradients: inout Gradients) {
    gradients.element = .min(.max(gradients.element, .constant(-limit)), .constant(limit))
  }

  public var problem: String? { limitProblem(limit) }
}

/// The gradient of each parameter by itself gets a length of at most `limit`: `g <- g * limit / max(|g|, limit)`.
///
/// Keras's `clipnorm`.
public struct ClipNorm: GradientTransform, Hashable {
  public let limit: Double

  public init(_ limit: Double) { self.limit = limit }

  public func apply(to gradients: inout Gradients) {
    gradients.mapEach { gradient in
      pointwise(.input(0) * clippingFactor(.input(1), limit), [gradient, reduceSum(gradient * gradient)])
    }
  }

  public var problem: String? { limitProblem(limit) }
}

/// All gradients together get a length of at most `limit`: `g <- g * limit / max(|all g|, limit)`.
///
/// Keras's `global_clipnorm`; PyTorch's `clip_grad_norm_` adds 1e-6 to the length. Pascanu et al., "On the difficulty of
/// training recurrent neural networks", 2013.
public struct ClipGlobalNorm: GradientTransform, Hashable {
  public let limit: Double

  public init(_ limit: Double) { self.limit = limit }

  public func apply(to gradients: inout Gradients) {
    let all = gradients.vector()
    let squares = gradients.read(reduceSum(all * all))
    gradients.element = gradients.element * clippingFactor(squares, limit)
  }

  public var problem: String? { limitProblem(limit) }
}

/// `limit / max(length, limit)`, of the sum of squares.
private func clippingFactor(_ squares: Expr, _ limit: Double) -> Expr {
  .constant(limit) / .max(.sqrt(squares), .constant(limit))
}

private func limitProblem(_ limit: Double) -> String? {
  limit.isFinite && limit > 0 ? nil : "a limit of \(limit); give one above 0, such as 1"
}
