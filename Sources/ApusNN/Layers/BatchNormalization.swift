public import ApusCore

/// Batch normalization of the last axis: `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`.
///
/// Input and output `[..., C]`. Training takes mean and (biased) variance of the batch, over all axes but the last, and
/// moves the running ones: `moving = momentum * moving + (1 - momentum) * batch`. Inference takes the running ones, and
/// so does training of a layer that is frozen: one whose statistics are, or all that it learns.
/// Names and defaults are Keras's; note that PyTorch's momentum is `1 - momentum`.
/// Source: Ioffe and Szegedy, "Batch normalization", ICML 2015.
public struct BatchNormalization: NamedLayer {
  public let momentum: Double
  public let epsilon: Double
  public let gamma: Parameter?
  public let beta: Parameter?
  public let movingMean = Parameter("moving_mean", isTrainable: false)
  public let movingVariance = Parameter("moving_variance", isTrainable: false)
  let layerName = LayerName()

  /// - Parameters:
  ///   - center: whether there is a `beta`.
  ///   - scale: whether there is a `gamma`.
  public init(momentum: Double = 0.99, epsilon: Double = 1e-3, center: Bool = true, scale: Bool = true) {
    self.momentum = momentum
    self.epsilon = epsilon
    gamma = scale ? Parameter("gamma") : nil
    beta = center ? Parameter("beta") : nil
  }

  private var isFrozen: Bool {
    let learnt = [gamma, beta].compactMap { $0 }
    return movingMean.isFrozen || movingVariance.isFrozen || !learnt.isEmpty && learnt.allSatisfy(\.isFrozen)
  }

  public func forward(_ x: Tensor) -> Tensor {
    let graph = x.graph
    guard x.rank >= 2 else {
      return graph.fail("BatchNormalization: the input \(x.shape.shapeDescription) has no axis beside the channels")
    }
    guard (0...1).contains(momentum), epsilon >= 0 else {
      return graph.fail("BatchNormalization: momentum \(momentum) must be in 0...1 and epsilon \(epsilon) at least 0")
    }
    let width = x.shape[x.rank - 1]
    func weight(_ parameter: Parameter, _ initializer: Initializer) -> Tensor {
      graph.weight(parameter, shape: [width], initializer, fanIn: width, fanOut: width)
    }
    var (mean, variance) = (weight(movingMean, .zeros), weight(movingVariance, .ones))
    if graph.mode == .training, !isFrozen {
      (mean, variance) = channelMoments(x)
      let moved = [0, 1].map { .constant(momentum) * Expr.input($0) + .constant(1 - momentum) * Expr.input($0 + 2) }
      graph.update([movingMean, movingVariance], reading: [mean, variance], moved)
    }
    var factor = pow(variance + epsilon, -0.5)
    if let gamma { factor = factor * weight(gamma, .ones) }
    let scaled = (Expr.input(0) - .input(1)) * .input(2)
    if let beta { return pointwise(scaled + .input(3), [x, mean, factor, weight(beta, .zeros)]) }
    return pointwise(scaled, [x, mean, factor])
  }
}
