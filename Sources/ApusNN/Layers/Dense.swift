public import ApusCore

/// A fully connected layer: `y = activation(x . kernel + bias)`.
///
/// Input `[N, ..., inputs]`, output `[N, ..., units]`. The kernel is `[inputs, units]`, drawn Glorot uniform, the bias
/// `[units]` is zero at first. `inputs` is taken from the first input.
public struct Dense: NamedLayer {
  public let units: Int
  public let activation: Activation
  public let kernelInitializer: Initializer
  public let kernel = Parameter("kernel")
  public let bias: Parameter?
  let layerName = LayerName()

  public init(
    _ units: Int, activation: Activation = .linear, useBias: Bool = true,
    kernelInitializer: Initializer = .glorotUniform
  ) {
    self.units = units
    self.activation = activation
    self.kernelInitializer = kernelInitializer
    self.bias = useBias ? Parameter("bias") : nil
  }

  public func forward(_ x: Tensor) -> Tensor {
    guard x.rank >= 2, let inputs = x.shape.last, inputs > 0, units > 0 else {
      return x.graph.fail(
        "Dense: input \(x.shape.shapeDescription), \(units) units: it needs [N, ..., inputs] and at least one unit")
    }
    let weights = x.graph.weight(kernel, shape: [inputs, units], kernelInitializer, fanIn: inputs, fanOut: units)
    return activation(matMul(x, weights).adding(bias))
  }
}
