import ApusCore

extension SelfTestCase {
  /// The cases of a family: each kernel that it has, forward and backward, on shapes with remainders at every edge.
  static func cases(of family: SelfTest.Family) -> [SelfTestCase] {
    switch family {
    case .pointwise: pointwise
    case .random: random
    case .convolution: convolution
    case .product: product
    case .pooling: pooling
    case .reduction: reduction
    case .normalization: normalization
    case .softmax: softmax
    case .loss: loss
    case .shaping: shaping
    case .gather: gather
    case .update: update
    }
  }

  // MARK: Families

  private static var pointwise: [SelfTestCase] {
    let activations: [(String, Activation)] = [
      ("relu", .relu), ("leakyReLU", .leakyReLU()), ("elu", .elu()), ("selu", .selu), ("gelu", .gelu), ("silu", .silu),
      ("sigmoid", .sigmoid), ("tanh", .tanh), ("softplus", .softplus), ("hardSwish", .hardSwish),
    ]
    return activations.map { name, activation in
      withGradients(name, [noise([3, 37])]) { activation($0[0]) }
    } + [
      // A broadcast input's gradient is a sum over the result.
      withGradients("a * b + c, broadcast", [noise([5, 1, 7]), noise([3, 1]), noise([7])], reductionLength: 35) {
        $0[0] * $0[1] + $0[2]
      },
      withGradients("a / b", [noise([19]), noise([19], from: 1, to: 2)]) { $0[0] / $0[1] },
      withGradients("exp, log, sqrt", [noise([33], from: 0.5, to: 2)]) { exp($0[0]) + log($0[0]) * sqrt($0[0]) },
    ]
  }

  private static var random: [SelfTestCase] {
    [withGradients("dropout", [noise([7, 41])]) { dropout($0[0], rate: 0.3) }]
  }

  private static var convolution: [SelfTestCase] {
    func test(
      _ name: String, _ image: [Int], _ kernel: [Int], stride: (Int, Int) = (1, 1), padding: Padding = .valid,
      dilation: (Int, Int) = (1, 1), groups: Int = 1
    ) -> SelfTestCase {
      let length = max(kernel[0] * kernel[1] * max(kernel[2], kernel[3]), image[0] * image[1] * image[2])
      return withGradients("convolution \(name)", [noise(image), noise(kernel)], reductionLength: length) {
        conv2D($0[0], $0[1], stride: stride, padding: padding, dilation: dilation, groups: groups)
      }
    }
    return [
      test("3x3", [2, 9, 11, 3], [3, 3, 3, 33]),
      test("3x3 same", [2, 8, 8, 16], [3, 3, 16, 32], padding: .same),
      test("1x1", [3, 5, 5, 17], [1, 1, 17, 20]),
      test("5x3 with strides", [2, 13, 12, 4], [5, 3, 4, 9], stride: (2, 3)),
      test(
        "asymmetric padding", [1, 7, 6, 5], [3, 2, 5, 8], padding: .explicit(top: 2, bottom: 0, left: 1, right: 2)),
      test("dilated", [2, 11, 10, 4], [3, 3, 4, 6], padding: .same, dilation: (2, 3)),
      test("in groups", [2, 8, 7, 12], [3, 3, 4, 18], padding: .same, groups: 3),
      test("depthwise", [2, 8, 9, 16], [3, 3, 1, 32], stride: (2, 2), padding: .same, groups: 16),
    ]
  }

  private static var product: [SelfTestCase] {
    var cases: [SelfTestCase] = []
    for (transposeA, transposeB) in [(false, false), (false, true), (true, false), (true, true)] {
      let (m, n, k) = (37, 29, 53)
      let a = noise(transposeA ? [k, m] : [m, k])
      let b = noise(transposeB ? [n, k] : [k, n])
      let name = "product \(transposeA ? "Aᵀ" : "A") \(transposeB ? "Bᵀ" : "B")"
      cases.append(
        withGradients(name, [a, b], reductionLength: k) {
          matMul($0[0], $0[1], transposeA: transposeA, transposeB: transposeB)
        })
    }
    cases.append(
      withGradients("products of a batch", [noise([3, 5, 8]), noise([3, 8, 6])], reductionLength: 8) {
        matMul($0[0], $0[1])
      })
    cases.append(
      withGradients(
        "product, bias and activation", [noise([9, 70]), noise([70, 33]), noise([33])], reductionLength: 70
      ) {
        relu(matMul($0[0], $0[1]) + $0[2])
      })
    return cases
  }

  private static var pooling: [SelfTestCase] {
    let kinds: [Pool2DAttributes.Kind] = [.max, .average, .averageIncludingPadding]
    return kinds.flatMap { kind in
      [
        withGradients("\(kind.rawValue) 2x2", [noise([2, 8, 6, 20])], reductionLength: 4) {
          pool2D($0[0], kind, size: (2, 2))
        },
        withGradients("\(kind.rawValue) 3x2 that overlaps, padded", [noise([2, 9, 8, 5])], reductionLength: 6) {
          pool2D(
            $0[0], kind, size: (3, 2), stride: (2, 1), padding: .explicit(top: 1, bottom: 2, left: 0, right: 1))
        },
      ]
    } + [withGradients("global average", [noise([3, 7, 7, 18])], reductionLength: 49) { globalAveragePool2D($0[0]) }]
  }

  private static var reduction: [SelfTestCase] {
    let axes: [[Int]] = [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]]
    return axes.flatMap { axes in
      let (image, length) = (noise([7, 35, 19]), axes.map { [7, 35, 19][$0] }.reduce(1, *))
      return [
        withGradients("sum over \(axes)", [image], reductionLength: length) { reduceSum($0[0], axes: axes) },
        withGradients("mean over \(axes)", [image], reductionLength: length) {
          reduceMean($0[0], axes: axes)
        },
        withGradients("maximum over \(axes)", [image]) { reduceMax($0[0], axes: axes) },
      ]
    } + [
      SelfTestCase(name: "argMax", reductionLength: 1, inputs: [noise([13, 10])]) { Traced(outputs: [argMax($0[0])]) }
    ]
  }

  private static var normalization: [SelfTestCase] {
    func test(_ name: String, _ shape: [Int], samples: Int = 1, groups: Int = 1) -> SelfTestCase {
      let channels = shape[shape.count - 1]
      return withGradients(
        "\(name) normalization", [noise(shape), noise([channels]), noise([channels])],
        reductionLength: shape.elementCount / channels
      ) { normalize($0[0], gamma: $0[1], beta: $0[2], sampleAxes: samples, groups: groups, epsilon: 1e-3) }
    }
    return [
      test("layer", [5, 7, 37], samples: 2), test("group", [3, 5, 7, 12], groups: 3),
      test("instance", [2, 9, 5, 17], groups: 17),
    ]
  }

  private static var softmax: [SelfTestCase] {
    [
      withGradients("softmax", [noise([9, 37], from: -8, to: 8)], reductionLength: 37) { ApusCore.softmax($0[0]) },
      withGradients("logSoftmax", [noise([9, 37], from: -8, to: 8)], reductionLength: 37) { logSoftmax($0[0]) },
    ]
  }

  private static var loss: [SelfTestCase] {
    let logits = noise([11, 10], from: -4, to: 4)
    return [0, 0.1].flatMap { smoothing in
      [
        withGradients(
          "sparse cross entropy, smoothing \(smoothing)", [logits, integers([11], below: 10)], reductionLength: 10
        ) {
          softmaxCrossEntropy($0[0], labels: $0[1], labelSmoothing: smoothing)
        },
        // No gradient flows to the labels, so they are outside the differentiated inputs.
        SelfTestCase(
          name: "dense cross entropy, smoothing \(smoothing)", reductionLength: 10,
          inputs: [logits, noise([11, 10], from: 0, to: 0.2)]
        ) { x in
          let loss = softmaxCrossEntropy(x[0], labels: x[1], labelSmoothing: smoothing)
          return Traced(outputs: [loss] + loss.graph.gradients(of: loss, with: [x[0]]))
        },
      ]
    }
  }

  private static var shaping: [SelfTestCase] {
    [
      withGradients("transpose", [noise([3, 5, 7, 2])]) { transpose($0[0], [2, 0, 3, 1]) },
      withGradients("transpose of matrices", [noise([2, 21, 18])]) { transpose($0[0], [0, 2, 1]) },
      withGradients("slice", [noise([6, 9, 5])]) { slice($0[0], starts: [1, 2, 0], sizes: [4, 5, 3]) },
      withGradients("concat", [noise([3, 4, 5]), noise([3, 2, 5])]) { concat($0, axis: 1) },
      withGradients("pad", [noise([3, 4, 5])]) { pad($0[0], before: [0, 1, 2], after: [1, 0, 3], value: 0.5) },
    ]
  }

  private static var gather: [SelfTestCase] {
    [
      withGradients("rows", [noise([9, 3, 5]), integers([14], below: 9)], reductionLength: 14) {
        ApusCore.gather($0[0], $0[1])
      },
      SelfTestCase(
        name: "bytes", reductionLength: 1,
        inputs: [integers([9, 4, 3], below: 256).converted(to: .uint8), integers([5], below: 9)]
      ) { Traced(outputs: [ApusCore.gather($0[0], $0[1]) / 255]) },
    ]
  }

  private static var update: [SelfTestCase] {
    [
      SelfTestCase(name: "momentum", reductionLength: 1, inputs: [noise([45])]) { x in
        let weight = Parameter("weight", value: noise([45]))
        let velocity = Parameter("velocity", value: noise([45], stream: 7))
        let next = 0.9 * Expr.input(1) - 0.1 * Expr.input(2)
        x[0].graph.update([weight, velocity], reading: [x[0]], [.input(0) + next, next])
        return Traced(outputs: [], parameters: [weight, velocity])
      }
    ]
  }

  // MARK: Making cases

  /// A function of `inputs` and its gradients by those that are floating-point, the incoming gradient being uneven.
  private static func withGradients(
    _ name: String, _ inputs: [NDArray], reductionLength: Int = 1, _ body: @escaping ([Tensor]) -> Tensor
  ) -> SelfTestCase {
    SelfTestCase(name: name, reductionLength: reductionLength, inputs: inputs) { x in
      let y = body(x)
      let loss = y * y.graph.constant(noise(y.shape, stream: 99))
      let targets = x.filter { $0.dtype.isFloatingPoint }
      return Traced(outputs: [y] + y.graph.gradients(of: loss, with: targets))
    }
  }

  /// Uniform numbers, the same at every call.
  private static func noise(_ shape: [Int], from low: Float = -1, to high: Float = 1, stream: UInt32 = 0) -> NDArray {
    var random = PhiloxGenerator(seed: UInt64(shape.elementCount), stream: stream)
    return NDArray((0..<shape.elementCount).map { _ in low + (high - low) * random.uniform() }, shape: shape)
  }

  private static func integers(_ shape: [Int], below bound: Int32) -> NDArray {
    var random = PhiloxGenerator(seed: UInt64(shape.elementCount), stream: 1)
    return NDArray((0..<shape.elementCount).map { _ in Int32.random(in: 0..<bound, using: &random) }, shape: shape)
  }
}
