import ApusCore
import ApusNN
import Testing

/// Layers against Keras and PyTorch: outputs and the gradients of `sum(y * dy)`.
@Suite struct LayerFixtureTests {
  @Test(arguments: Fixture.all(in: "layers"))
  func layerAgrees(_ fixture: Fixture) throws {
    let (layer, weights) = try #require(try Self.layer(for: fixture), "no layer for '\(fixture.op)'")
    let values = try evaluate { graph in
      let x = graph.parameter(Parameter("x", value: fixture["x"]))
      for (name, parameter) in weights { try parameter.assign(fixture[name]) }
      let y = layer(x)
      let targets = [x] + weights.map { graph.parameter($0.parameter) }
      return [y] + graph.gradients(of: y * graph.constant(fixture["dy"]), with: targets)
    }
    expectEqual(values[0], fixture["y"], "y")
    expectEqual(values[1], fixture["dx"], "dx")
    for (index, weight) in weights.enumerated() {
      expectEqual(values[2 + index], fixture["d\(weight.name)"], weight.name)
    }
  }

  /// The layer that the case describes and its parameters by the case's names.
  private static func layer(for f: Fixture) throws -> (any Layer, [(name: String, parameter: Parameter)])? {
    func weights(_ kernel: Parameter, _ bias: Parameter?) -> [(String, Parameter)] {
      [("kernel", kernel)] + (bias.map { [("bias", $0)] } ?? [])
    }
    func scales(_ gamma: Parameter?, _ beta: Parameter?) -> [(String, Parameter)] {
      [("gamma", gamma), ("beta", beta)].compactMap { name, parameter in parameter.map { (name, $0) } }
    }
    switch f.op {
    case "conv2d":
      let kernel = f["kernel"].shape
      let layer = Conv2D(
        kernel[3], kernel: (kernel[0], kernel[1]), stride: f.pair("strides"), padding: padding(f),
        dilation: f.pair("dilation"), groups: Int(f.number("groups") ?? 1), useBias: f.tensors["bias"] != nil,
        activation: try activation(f))
      return (layer, weights(layer.kernel, layer.bias))
    case "depthwise_conv2d":
      let kernel = f["kernel"].shape
      let layer = DepthwiseConv2D(
        kernel: (kernel[0], kernel[1]), depthMultiplier: Int(f.number("depth_multiplier") ?? 1),
        stride: f.pair("strides"), padding: padding(f), dilation: f.pair("dilation"),
        useBias: f.tensors["bias"] != nil, activation: try activation(f))
      return (layer, weights(layer.kernel, layer.bias))
    case "dense":
      let layer = Dense(f["kernel"].shape[1], activation: try activation(f), useBias: f.tensors["bias"] != nil)
      return (layer, weights(layer.kernel, layer.bias))
    case "max_pool2d": return (MaxPool2D(f.pair("window"), stride: f.pair("strides"), padding: padding(f)), [])
    case "average_pool2d":
      return (
        AveragePool2D(
          f.pair("window"), stride: f.pair("strides"), padding: padding(f),
          countsPadding: f.flag("count_include_pad")), []
      )
    case "global_average_pool2d": return (GlobalAveragePool2D(), [])
    case "layer_normalization":
      let layer = LayerNormalization(
        axes: f.integers("axes"), epsilon: f.number("epsilon")!, center: f.tensors["beta"] != nil,
        scale: f.tensors["gamma"] != nil)
      return (layer, scales(layer.gamma, layer.beta))
    case "group_normalization":
      let (epsilon, center, scale) = (f.number("epsilon")!, f.tensors["beta"] != nil, f.tensors["gamma"] != nil)
      if f.number("groups") == -1 {
        let layer = InstanceNormalization(epsilon: epsilon, center: center, scale: scale)
        return (layer, scales(layer.gamma, layer.beta))
      }
      let layer = GroupNormalization(
        groups: Int(f.number("groups")!), epsilon: epsilon, center: center, scale: scale)
      return (layer, scales(layer.gamma, layer.beta))
    case "softmax": return (Softmax(), [])
    case "log_softmax": return (LogSoftmax(), [])
    case "activation": return (try activation(f), [])
    default: return nil
    }
  }

  private struct LogSoftmax: Layer {
    func forward(_ x: Tensor) -> Tensor { logSoftmax(x) }
  }

  private static func padding(_ f: Fixture) -> Padding {
    switch f.string("padding") {
    case "valid": return .valid
    case "same": return .same
    default:
      let pads = f.integers("pads")
      return .explicit(top: pads[0], bottom: pads[1], left: pads[2], right: pads[3])
    }
  }

  private static func activation(_ f: Fixture) throws -> Activation {
    switch f.string("activation") {
    case nil: return .linear
    case "relu": return .relu
    case "leaky_relu": return .leakyReLU(slope: f.number("negative_slope")!)
    case "elu": return .elu(alpha: f.number("alpha")!)
    case "selu": return .selu
    case "gelu": return .gelu
    case "silu": return .silu
    case "sigmoid": return .sigmoid
    case "tanh": return .tanh
    case "softplus": return .softplus
    case "hard_swish": return .hardSwish
    case let name?:
      Issue.record("unknown activation \(name)")
      return .linear
    }
  }
}
