public import ApusCore

/// 2-D convolution with bias and activation: `y = activation(conv2D(x, kernel) + bias)`; see `conv2D(_:_:)`.
///
/// Input `[N, H, W, C]`, output `[N, P, Q, filters]`. The kernel is `[R, S, C / groups, filters]`, drawn Glorot
/// uniform, the bias `[filters]` is zero at first. `C` is taken from the first input. Names and defaults are Keras's.
public struct Conv2D: NamedLayer {
  public let filters: Int
  /// Height and width of the window.
  public let kernelSize: (Int, Int)
  public let stride: (Int, Int)
  public let padding: Padding
  public let dilation: (Int, Int)
  /// Input and output channels are cut into this many groups that do not mix.
  public let groups: Int
  public let activation: Activation
  public let kernelInitializer: Initializer
  public let kernel = Parameter("kernel")
  public let bias: Parameter?
  let layerName = LayerName()

  /// A convolution with sizes given as (vertical, horizontal).
  public init(
    _ filters: Int, kernel: (Int, Int), stride: (Int, Int) = (1, 1), padding: Padding = .valid,
    dilation: (Int, Int) = (1, 1), groups: Int = 1, useBias: Bool = true, activation: Activation = .linear,
    kernelInitializer: Initializer = .glorotUniform
  ) {
    self.filters = filters
    self.kernelSize = kernel
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
    self.activation = activation
    self.kernelInitializer = kernelInitializer
    self.bias = useBias ? Parameter("bias") : nil
  }

  /// A convolution that is the same in both directions.
  public init(
    _ filters: Int, kernel: Int, stride: Int = 1, padding: Padding = .valid, dilation: Int = 1, groups: Int = 1,
    useBias: Bool = true, activation: Activation = .linear, kernelInitializer: Initializer = .glorotUniform
  ) {
    self.init(
      filters, kernel: (kernel, kernel), stride: (stride, stride), padding: padding, dilation: (dilation, dilation),
      groups: groups, useBias: useBias, activation: activation, kernelInitializer: kernelInitializer)
  }

  public func forward(_ x: Tensor) -> Tensor {
    let graph = x.graph
    guard x.requireRank(4, "Conv2D", "[N, H, W, C]") else { return x }
    let channels = x.shape[3]
    guard filters > 0, kernelSize.0 > 0, kernelSize.1 > 0 else {
      return graph.fail("Conv2D: \(filters) filters of \(kernelSize.0)x\(kernelSize.1); each must be at least 1")
    }
    guard groups > 0, channels % groups == 0, filters % groups == 0 else {
      return graph.fail(
        "Conv2D: input \(x.shape.shapeDescription): groups \(groups) must be at least 1 and divide the \(channels) "
          + "input channels and the \(filters) filters")
    }
    let shape = [kernelSize.0, kernelSize.1, channels / groups, filters]
    let window = kernelSize.0.multipliedReportingOverflow(by: kernelSize.1)
    let fanIn = window.partialValue &* shape[2]
    let fanOut = window.partialValue &* filters
    let weights = graph.weight(kernel, shape: shape, kernelInitializer, fanIn: fanIn, fanOut: fanOut)
    let y = conv2D(x, weights, stride: stride, padding: padding, dilation: dilation, groups: groups)
    return activation(y.adding(bias))
  }
}

extension Tensor {
  /// The tensor plus a bias along its last axis, where the layer has one.
  func adding(_ bias: Parameter?) -> Tensor {
    guard let bias, isValid else { return self }
    let width = shape[rank - 1]
    return self + graph.weight(bias, shape: [width], .zeros, fanIn: width, fanOut: width)
  }
}
