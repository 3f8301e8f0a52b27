public import ApusCore

/// A convolution of each channel by itself, with `depthMultiplier` filters a channel.
///
/// Input `[N, H, W, C]`, output `[N, P, Q, C * depthMultiplier]`: filter m of channel c gives output channel
/// `c * depthMultiplier + m`. The kernel is `[R, S, 1, C * depthMultiplier]`, drawn Glorot uniform with the fans of
/// Keras's `[R, S, C, depthMultiplier]`; the bias is zero at first.
public struct DepthwiseConv2D: NamedLayer {
  /// Height and width of the window.
  public let kernelSize: (Int, Int)
  public let depthMultiplier: Int
  public let stride: (Int, Int)
  public let padding: Padding
  public let dilation: (Int, Int)
  public let activation: Activation
  public let kernelInitializer: Initializer
  public let kernel = Parameter("kernel")
  public let bias: Parameter?
  let layerName = LayerName()

  /// A depthwise convolution with sizes given as (vertical, horizontal).
  public init(
    kernel: (Int, Int), depthMultiplier: Int = 1, stride: (Int, Int) = (1, 1), padding: Padding = .valid,
    dilation: (Int, Int) = (1, 1), useBias: Bool = true, activation: Activation = .linear,
    kernelInitializer: Initializer = .glorotUniform
  ) {
    self.kernelSize = kernel
    self.depthMultiplier = depthMultiplier
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.activation = activation
    self.kernelInitializer = kernelInitializer
    self.bias = useBias ? Parameter("bias") : nil
  }

  /// A depthwise convolution that is the same in both directions.
  public init(
    kernel: Int, depthMultiplier: Int = 1, stride: Int = 1, padding: Padding = .valid, dilation: Int = 1,
    useBias: Bool = true, activation: Activation = .linear, kernelInitializer: Initializer = .glorotUniform
  ) {
    self.init(
      kernel: (kernel, kernel), depthMultiplier: depthMultiplier, stride: (stride, stride), padding: padding,
      dilation: (dilation, dilation), useBias: useBias, activation: activation, kernelInitializer: kernelInitializer)
  }

  public func forward(_ x: Tensor) -> Tensor {
    let graph = x.graph
    guard x.requireRank(4, "DepthwiseConv2D", "[N, H, W, C]") else { return x }
    let channels = x.shape[3]
    let (filters, overflow) = channels.multipliedReportingOverflow(by: depthMultiplier)
    guard depthMultiplier > 0, !overflow, kernelSize.0 > 0, kernelSize.1 > 0 else {
      return graph.fail(
        "DepthwiseConv2D: multiplier \(depthMultiplier), window \(kernelSize.0)x\(kernelSize.1); each must be at "
          + "least 1 and fit in memory")
    }
    let window = kernelSize.0.multipliedReportingOverflow(by: kernelSize.1).partialValue
    let weights = graph.weight(
      kernel, shape: [kernelSize.0, kernelSize.1, 1, filters], kernelInitializer,
      fanIn: window &* channels, fanOut: window &* depthMultiplier)
    let y = conv2D(x, weights, stride: stride, padding: padding, dilation: dilation, groups: channels)
    return activation(y.adding(bias))
  }
}
