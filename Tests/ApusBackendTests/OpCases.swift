import ApusCore

/// Every operation, in the shapes that break kernels: odd sizes, tails, borders, one element, all attributes.
let opCases: [OpCase] =
  pointwiseCases + activationCases + matMulCases + convolutionCases + poolingCases + rowCases + normalizationCases
  + shapingCases

/// The cases of several operations, which fusion and memory planning change most.
let networkCases: Set<String> = [
  "two layers", "residual", "conv2D bias relu", "dense bias relu", "dense after flatten", "long chain",
  "pool2D max of relu", "mean cross entropy",
]

private typealias Input = OpCase.Input

let pointwiseCases: [OpCase] = [
  OpCase("add same", [5, 7], [5, 7]) { $0[0] + $0[1] },
  OpCase("multiply channel", [3, 4, 5, 6], [6]) { $0[0] * $0[1] },
  OpCase("subtract row", [4, 1, 6], [1, 5, 1]) { $0[0] - $0[1] },
  OpCase("divide", [Input(shape: [17], values: .real(-1...1)), Input(shape: [17], values: .real(0.5...2))]) {
    $0[0] / $0[1]
  },
  OpCase("scalar operands", [33]) { 2 * (1 - $0[0]) / 3 + 0.5 },
  OpCase("maximum", [40], [40]) { maximum($0[0], $0[1]) },
  OpCase("minimum scalar shape", [3, 19], []) { minimum($0[0], $0[1]) },
  OpCase("log sqrt exp", [Input(shape: [100], values: .real(0.5...3))]) { log(sqrt($0[0]) + exp($0[0])) },
  OpCase("power", [Input(shape: [31], values: .real(0.5...3))]) { pow($0[0], 2.5) },
  OpCase("absolute", [64]) { abs($0[0]) },
  OpCase("broadcast", [1, 3, 1]) { broadcast($0[0], to: [4, 3, 5]) },
  OpCase("same tensor twice", [21]) { $0[0] * $0[0] + $0[0] },
  OpCase("long chain", [1025]) { tanh(sigmoid($0[0] * 3) * $0[0] + exp(-($0[0] * $0[0]))) },
  OpCase("large", [70_001]) { relu($0[0]) * 2 + 1 },
  OpCase("dropout", [50, 40]) { dropout($0[0], rate: 0.4) },
  OpCase("uint8 scaled", [Input(shape: [3, 5, 5, 2], values: .uint8)]) { $0[0] * (1 / 255.0) },
  OpCase("int32 compared", [Input(shape: [77], values: .int32(3)), Input(shape: [77], values: .int32(3))]) {
    pointwise(.ifEqual(.input(0), .input(1), then: 1, otherwise: 0), $0)
  },
  OpCase("one hot", [Input(shape: [9], values: .int32(6))]) { oneHot($0[0], classes: 6) },
]

let activationCases: [OpCase] = [
  ("relu", Activation.relu), ("leakyReLU", .leakyReLU()), ("elu", .elu()), ("selu", .selu), ("gelu", .gelu),
  ("silu", .silu), ("sigmoid", .sigmoid), ("tanh", .tanh), ("softplus", .softplus), ("hardSwish", .hardSwish),
].map { name, activation in
  OpCase(name, [Input(shape: [5, 37], values: .real(-4...4))]) { activation($0[0]) }
}

let matMulCases: [OpCase] =
  [
    (1, 1, 1), (5, 7, 3), (64, 100, 10), (17, 33, 65), (130, 70, 129), (1, 200, 40), (96, 1, 31), (40, 530, 100),
    (75, 525, 12),
  ].flatMap { m, k, n in
    [(false, false), (true, false), (false, true), (true, true)].map { a, b in
      OpCase(
        "matMul \(m)x\(k)x\(n)\(a ? " Aᵀ" : "")\(b ? " Bᵀ" : "")", a ? [k, m] : [m, k], b ? [n, k] : [k, n],
        sums: max(m, k, n)
      ) { matMul($0[0], $0[1], transposeA: a, transposeB: b) }
    }
  } + [
    OpCase("matMul batch", [3, 5, 7], [3, 7, 4], sums: 7) { matMul($0[0], $0[1]) },
    OpCase("matMul batch Aᵀ Bᵀ", [2, 9, 5], [2, 6, 9], sums: 9) {
      matMul($0[0], $0[1], transposeA: true, transposeB: true)
    },
    OpCase("matMul rows of a batch", [2, 3, 8], [8, 4], sums: 8) { matMul($0[0], $0[1]) },
    OpCase("dense bias relu", [13, 50], [50, 33], [33], sums: 50) { relu(matMul($0[0], $0[1]) + $0[2]) },
    OpCase("dense after flatten", [6, 3, 3, 4], [36, 10], sums: 36) { matMul(relu($0[0]).flattened(), $0[1]) },
  ]

/// (name, input, kernel, stride, padding, dilation, groups)
private let convolutions: [(String, [Int], [Int], (Int, Int), Padding, (Int, Int), Int)] = [
  ("valid 3x3", [2, 9, 8, 5], [3, 3, 5, 7], (1, 1), .valid, (1, 1), 1),
  ("first layer", [3, 28, 28, 1], [3, 3, 1, 32], (1, 1), .valid, (1, 1), 1),
  ("colour first layer", [2, 16, 16, 3], [3, 3, 3, 32], (1, 1), .same, (1, 1), 1),
  ("32 to 64", [2, 13, 13, 32], [3, 3, 32, 64], (1, 1), .valid, (1, 1), 1),
  ("64 to 64 small map", [3, 5, 5, 64], [3, 3, 64, 64], (1, 1), .valid, (1, 1), 1),
  ("same", [2, 7, 6, 16], [3, 3, 16, 16], (1, 1), .same, (1, 1), 1),
  ("same stride 2", [2, 7, 8, 4], [3, 3, 4, 6], (2, 2), .same, (1, 1), 1),
  ("1x1", [2, 5, 5, 24], [1, 1, 24, 10], (1, 1), .valid, (1, 1), 1),
  ("1x1 stride 2", [2, 8, 8, 8], [1, 1, 8, 12], (2, 2), .valid, (1, 1), 1),
  ("1x1 stride 2 from few channels", [4, 64, 64, 8], [1, 1, 8, 16], (2, 2), .valid, (1, 1), 1),
  (
    "1x1 stride 2 padded", [2, 9, 10, 18], [1, 1, 18, 12], (2, 3), .explicit(top: 3, bottom: 2, left: 1, right: 4),
    (1, 1), 1
  ),
  ("5x5 same", [1, 10, 11, 6], [5, 5, 6, 20], (1, 1), .same, (1, 1), 1),
  ("7x7 stride 2", [2, 23, 21, 3], [7, 7, 3, 18], (2, 2), .explicit(top: 3, bottom: 3, left: 3, right: 3), (1, 1), 1),
  ("dilation", [2, 11, 12, 4], [3, 3, 4, 5], (1, 1), .same, (2, 2), 1),
  ("dilation and stride", [1, 15, 14, 3], [3, 2, 3, 8], (2, 3), .valid, (2, 1), 1),
  (
    "asymmetric padding", [2, 6, 7, 3], [3, 2, 3, 4], (1, 2), .explicit(top: 2, bottom: 0, left: 1, right: 3), (1, 1), 1
  ),
  ("groups 2", [2, 6, 6, 8], [3, 3, 4, 12], (1, 1), .same, (1, 1), 2),
  ("groups 3 stride 2", [2, 9, 9, 9], [3, 3, 3, 6], (2, 2), .valid, (1, 1), 3),
  ("depthwise", [2, 8, 9, 20], [3, 3, 1, 20], (1, 1), .same, (1, 1), 20),
  ("depthwise tails", [2, 9, 7, 41], [3, 3, 1, 41], (1, 1), .same, (1, 1), 41),
  (
    "depthwise stride 2 dilation", [2, 13, 12, 18], [3, 4, 1, 18], (2, 1),
    .explicit(top: 3, bottom: 1, left: 0, right: 4), (2, 3), 18
  ),
  ("depthwise smaller than kernel", [1, 2, 2, 5], [5, 5, 1, 5], (1, 1), .same, (1, 1), 5),
  ("depthwise 7x7", [1, 9, 8, 16], [7, 7, 1, 16], (1, 1), .same, (1, 1), 16),
  // Served by kernels of their own: bands of rows, vectors that reach over the ends of rows.
  ("depthwise 24 channels", [2, 19, 7, 24], [3, 3, 1, 24], (1, 1), .same, (1, 1), 24),
  ("depthwise 100 channels", [2, 7, 9, 100], [3, 3, 1, 100], (1, 1), .valid, (1, 1), 100),
  (
    "depthwise asymmetric", [2, 11, 13, 24], [3, 3, 1, 24], (1, 1),
    .explicit(top: 0, bottom: 3, left: 2, right: 1), (1, 1), 24
  ),
  (
    "depthwise more padding than window", [1, 6, 5, 10], [3, 3, 1, 10], (1, 1),
    .explicit(top: 4, bottom: 3, left: 5, right: 4), (1, 1), 10
  ),
  ("depthwise 5x5", [2, 18, 9, 10], [5, 5, 1, 10], (1, 1), .same, (1, 1), 10),
  ("depthwise 5x5 valid", [1, 9, 8, 72], [5, 5, 1, 72], (1, 1), .valid, (1, 1), 72),
  ("depthwise wide rows", [1, 10, 8, 128], [3, 3, 1, 128], (1, 1), .same, (1, 1), 128),
  ("depthwise one column", [2, 9, 1, 40], [3, 3, 1, 40], (1, 1), .same, (1, 1), 40),
  ("depthwise multiplier 2", [2, 7, 7, 6], [3, 3, 1, 12], (2, 2), .same, (1, 1), 6),
  ("kernel covers all", [4, 5, 5, 3], [5, 5, 3, 17], (1, 1), .valid, (1, 1), 1),
  ("stride above kernel", [1, 10, 10, 2], [2, 2, 2, 3], (3, 4), .valid, (1, 1), 1),
  ("one pixel", [1, 1, 1, 1], [1, 1, 1, 1], (1, 1), .valid, (1, 1), 1),
  ("wide tail", [1, 4, 30, 17], [3, 3, 17, 33], (1, 1), .same, (1, 1), 1),
  ("64 to 3", [2, 9, 8, 64], [3, 3, 64, 3], (1, 1), .same, (1, 1), 1),
  ("37 to 10 stride 2", [2, 14, 15, 37], [3, 3, 37, 10], (2, 2), .same, (1, 1), 1),
  ("64 to 24", [1, 9, 12, 64], [1, 1, 64, 24], (1, 1), .valid, (1, 1), 1),
  ("1x1 tails", [2, 7, 9, 50], [1, 1, 50, 90], (1, 1), .valid, (1, 1), 1),
  ("100 channels", [1, 6, 6, 100], [3, 3, 100, 48], (1, 1), .same, (1, 1), 1),
  // Served by kernels for few channels: ends of rows, and padding on every side.
  ("few channels", [2, 14, 20, 1], [3, 3, 1, 32], (1, 1), .valid, (1, 1), 1),
  ("few channels padded", [2, 7, 25, 3], [3, 3, 3, 32], (1, 1), .same, (1, 1), 1),
  (
    "few channels stride 2", [1, 8, 31, 3], [3, 4, 3, 16], (1, 2),
    .explicit(top: 4, bottom: 1, left: 0, right: 2), (1, 1), 1
  ),
  // Served by kernels for few filters, or channels of which the gradient is computed.
  ("few filters", [2, 11, 19, 32], [3, 3, 32, 3], (1, 1), .same, (1, 1), 1),
  ("few filters 2", [3, 8, 17, 48], [3, 3, 48, 2], (1, 1), .valid, (1, 1), 1),
  ("few filters 4", [1, 35, 9, 64], [3, 3, 64, 4], (1, 1), .same, (1, 1), 1),
  (
    "one filter 5x4", [2, 9, 20, 16], [5, 4, 16, 1], (1, 1), .explicit(top: 1, bottom: 4, left: 3, right: 0), (1, 1),
    1
  ),
  (
    "few channels to many", [2, 10, 22, 3], [3, 3, 3, 64], (1, 1), .explicit(top: 1, bottom: 0, left: 2, right: 0),
    (1, 1), 1
  ),
  // Served by Winograd's kernels: parts of tiles and of vectors, blocks of channels, many tiles.
  ("Winograd tails", [3, 15, 18, 40], [3, 3, 40, 50], (1, 1), .same, (1, 1), 1),
  (
    "Winograd channel blocks", [2, 15, 16, 72], [3, 3, 72, 90], (1, 1),
    .explicit(top: 2, bottom: 0, left: 0, right: 1), (1, 1), 1
  ),
  ("Winograd transposed", [9, 13, 14, 40], [3, 3, 40, 50], (1, 1), .valid, (1, 1), 1),
  (
    "Winograd transposed padded", [21, 6, 9, 24], [3, 3, 24, 36], (1, 1),
    .explicit(top: 0, bottom: 1, left: 1, right: 0), (1, 1), 1
  ),
  ("Winograd parts of fours", [3, 15, 18, 37], [3, 3, 37, 54], (1, 1), .same, (1, 1), 1),
  ("Winograd odd channels, full panels", [5, 15, 16, 41], [3, 3, 41, 64], (1, 1), .same, (1, 1), 1),
  ("Winograd few channels", [4, 22, 21, 11], [3, 3, 11, 53], (1, 1), .same, (1, 1), 1),
  ("Winograd few filters", [4, 22, 21, 53], [3, 3, 53, 11], (1, 1), .valid, (1, 1), 1),
  ("Winograd many tiles", [9, 24, 23, 20], [3, 3, 20, 48], (1, 1), .valid, (1, 1), 1),
]

let convolutionCases: [OpCase] =
  convolutions.map { name, input, kernel, stride, padding, dilation, groups in
    // The filter gradient sums over the positions of the whole batch.
    OpCase(
      "conv2D \(name)", input, kernel,
      sums: max(kernel[0] * kernel[1] * kernel[2], input[0] * input[1] * input[2])
    ) { conv2D($0[0], $0[1], stride: stride, padding: padding, dilation: dilation, groups: groups) }
  } + [
    OpCase("conv2D bias relu", [2, 10, 9, 6], [3, 3, 6, 20], [20], sums: 180) {
      relu(conv2D($0[0], $0[1]) + $0[2])
    },
    OpCase("conv2D few channels bias relu", [2, 6, 15, 2], [3, 3, 2, 32], [32], sums: 180) {
      relu(conv2D($0[0], $0[1], padding: .same) + $0[2])
    },
    OpCase("conv2D few channels bias residual", [2, 6, 15, 2], [3, 3, 2, 32], [2, 6, 15, 32], sums: 180) {
      relu(conv2D($0[0], $0[1], padding: .same) + $0[2])
    },
    OpCase("depthwise bias relu", [2, 7, 9, 24], [3, 3, 1, 24], [24], sums: 126) {
      relu(conv2D($0[0], $0[1], padding: .same, groups: 24) + $0[2])
    },
    OpCase("depthwise bias gelu", [2, 18, 5, 20], [3, 3, 1, 20], [20], sums: 180) {
      gelu(conv2D($0[0], $0[1], padding: .same, groups: 20) + $0[2])
    },
    // The sum's other term dies with it: it may lie where the sum goes.
    OpCase("depthwise sums", [2, 7, 8, 20], [3, 3, 1, 20], [5, 5, 1, 20], sums: 112) {
      let y = conv2D($0[0], $0[1], padding: .same, groups: 20)
      return relu(y + conv2D($0[0], $0[2], padding: .same, groups: 20))
    },
    OpCase("few channels sums", [2, 6, 15, 2], [3, 3, 2, 32], [3, 3, 2, 32], sums: 180) {
      relu(conv2D($0[0], $0[1], padding: .same) + conv2D($0[0], $0[2], padding: .same))
    },
    OpCase("few filters sums", [2, 9, 16, 32], [3, 3, 32, 3], [3, 3, 32, 3], sums: 288) {
      relu(conv2D($0[0], $0[1], padding: .same) + conv2D($0[0], $0[2], padding: .same))
    },
    OpCase("conv2D few filters bias relu", [2, 9, 16, 32], [3, 3, 32, 3], [3], sums: 288) {
      relu(conv2D($0[0], $0[1], padding: .same) + $0[2])
    },
    OpCase("conv2D bias gelu", [2, 6, 6, 6], [3, 3, 6, 19], [19], sums: 72) {
      gelu(conv2D($0[0], $0[1], padding: .same) + $0[2])
    },
    OpCase("Winograd bias residual relu", [3, 16, 15, 36], [3, 3, 36, 36], [36], sums: 720) {
      relu($0[0] + conv2D($0[0], $0[1], padding: .same) + $0[2])
    },
    OpCase("residual", [2, 6, 6, 18], [3, 3, 18, 18], sums: 162) {
      relu($0[0] + conv2D(relu($0[0]), $0[1], padding: .same))
    },
    OpCase("two layers", [2, 12, 12, 3], [3, 3, 3, 8], [8], [3, 3, 8, 5], sums: 288) {
      let y = maxPool2D(relu(conv2D($0[0], $0[1]) + $0[2]), size: 2)
      return relu(conv2D(y, $0[3])).flattened()
    },
  ]

let poolingCases: [OpCase] =
  [
    ("2x2", [2, 6, 8, 5], (2, 2), nil, Padding.valid), ("2x2 odd map", [2, 11, 13, 64], (2, 2), nil, .valid),
    ("3x3 stride 2", [2, 9, 9, 17], (3, 3), (2, 2), .valid),
    ("3x3 stride 1 same", [1, 6, 7, 4], (3, 3), (1, 1), .same),
    ("3x2 asymmetric", [2, 8, 7, 3], (3, 2), (2, 3), .explicit(top: 1, bottom: 2, left: 0, right: 1)),
    ("same stride 2", [1, 5, 5, 33], (2, 2), nil, .same),
    ("stride above window", [1, 9, 9, 2], (2, 2), (3, 3), .valid),
    ("whole map", [3, 4, 4, 6], (4, 4), nil, .valid),
  ].flatMap { (name: String, input: [Int], size: (Int, Int), stride: (Int, Int)?, padding: Padding) in
    [Pool2DAttributes.Kind.max, .average, .averageIncludingPadding].map { kind in
      OpCase("pool2D \(kind.rawValue) \(name)", input, sums: size.0 * size.1) {
        pool2D($0[0], kind, size: size, stride: stride, padding: padding)
      }
    }
  } + [OpCase("pool2D max of relu", [2, 8, 8, 16]) { maxPool2D(relu($0[0]), size: 2) }]

/// (name, input, kernel, stride, padding, groups, windows)
private let pooledConvolutions: [(String, [Int], [Int], Int, Padding, Int, (Pool2DAttributes.Kind, Int, Int))] = [
  ("first layer", [5, 28, 28, 1], [3, 3, 1, 32], 1, .valid, 1, (.max, 2, 2)),
  ("odd map", [3, 13, 13, 32], [3, 3, 32, 64], 1, .valid, 1, (.max, 2, 2)),
  ("padding", [2, 15, 17, 3], [3, 3, 3, 24], 1, .same, 1, (.max, 2, 2)),
  ("padding, mean", [2, 12, 12, 20], [5, 5, 20, 33], 1, .same, 1, (.average, 2, 2)),
  ("few filters", [2, 14, 14, 1], [5, 5, 1, 6], 1, .valid, 1, (.average, 2, 2)),
  ("stride 2", [2, 23, 25, 4], [3, 3, 4, 16], 2, .same, 1, (.averageIncludingPadding, 3, 3)),
  ("flat window", [2, 9, 14, 8], [3, 3, 8, 16], 1, .same, 1, (.max, 1, 4)),
  ("tall window", [2, 9, 7, 8], [3, 3, 8, 16], 1, .same, 1, (.max, 4, 1)),
  ("whole map", [3, 4, 4, 16], [3, 3, 16, 48], 1, .same, 1, (.average, 4, 4)),
  ("long window", [1, 3, 40, 4], [3, 3, 4, 4], 1, .same, 1, (.average, 3, 20)),
  ("groups", [2, 8, 8, 8], [3, 3, 4, 12], 1, .same, 2, (.max, 2, 2)),
  ("depthwise", [2, 9, 8, 20], [3, 3, 1, 20], 1, .same, 20, (.max, 2, 2)),
]

/// Without gradients, so that nothing but the pooling reads the convolution: one kernel may do both.
let pooledConvolutionCases: [OpCase] =
  pooledConvolutions.map { name, input, kernel, stride, padding, groups, pooling in
    OpCase("conv2D and pool2D \(name)", input, kernel, [kernel[3]], sums: kernel[0] * kernel[1] * kernel[2]) {
      let y = relu(conv2D($0[0], $0[1], stride: (stride, stride), padding: padding, groups: groups) + $0[2])
      return pool2D(y, pooling.0, size: (pooling.1, pooling.2))
    }
  } + [
    OpCase("conv2D, sum and pool2D", [2, 9, 9, 18], [3, 3, 18, 18], sums: 162) {
      maxPool2D(relu($0[0] + conv2D($0[0], $0[1], padding: .same)), size: 2)
    },
    OpCase("conv2D, pool2D and relu", [2, 9, 9, 18], [3, 3, 18, 18], sums: 162) {
      relu(maxPool2D(conv2D($0[0], $0[1]), size: 2))
    },
    // As many channels as pooled elements: the bias is still one value a channel.
    OpCase("conv2D, bias and pool2D to one pixel", [1, 4, 4, 3], [3, 3, 3, 16], [16], sums: 27) {
      maxPool2D(conv2D($0[0], $0[1]) + $0[2], size: 2)
    },
  ]

let rowCases: [OpCase] =
  [
    [Int]?.none, [0], [1], [-1], [0, 1], [1, 2], [0, 2], [0, 1, 3], [2, 3],
  ].flatMap { axes in
    [
      OpCase("sum \(axes.map { "\($0)" } ?? "all")", [3, 4, 5, 6], sums: 360) { reduceSum($0[0], axes: axes) },
      OpCase("mean \(axes.map { "\($0)" } ?? "all")", [3, 4, 5, 6], sums: 360) {
        reduceMean($0[0], axes: axes, keepingAxes: true)
      },
      OpCase("max \(axes.map { "\($0)" } ?? "all")", [3, 4, 5, 6]) { reduceMax($0[0], axes: axes) },
    ]
  } + [
    OpCase("bias gradient columns", [8, 11, 11, 64], sums: 968) { reduceSum($0[0], axes: [0, 1, 2]) },
    OpCase("odd columns", [999, 10], sums: 999) { reduceSum($0[0], axes: [0]) },
    OpCase("long row", [2, 5000], sums: 5000) { reduceSum($0[0], axes: [1]) },
    OpCase("long sum", [70_001], sums: 70_001) { reduceSum($0[0]) },
    OpCase("channel moments", [Input(shape: [6, 9, 11, 24], values: .real(2...3))], sums: 594) {
      let (mean, variance) = channelMoments($0[0])
      return mean * 0.5 + variance
    },
    OpCase("channel moments, many", [40, 8, 8, 64], sums: 2560) { channelMoments($0[0]).variance },
    OpCase("channel moments, wide", [37, 1500], sums: 37) { channelMoments($0[0]).variance },
    OpCase("channel sums of products", [5, 7, 13], [5, 7, 13], [13], [], sums: 35) {
      let (x, y, c, s) = (Expr.input(0), Expr.input(1), Expr.input(2), Expr.input(3))
      return channelSum((x - c) * y * s, $0) + channelSum(x * y, [$0[0], $0[2]])
    },
    OpCase("channel sum, one channel", [700, 1], [700, 1], sums: 700) { channelSum(.input(0) * .input(1), $0) },
    OpCase("batch normalization", [8, 5, 5, 20], [20], [20], sums: 200) {
      let (mean, variance) = channelMoments($0[0])
      return relu(($0[0] - mean) * (pow(variance + 1e-3, -0.5) * $0[1]) + $0[2])
    },
    OpCase("global average", [3, 7, 5, 18], sums: 35) { globalAveragePool2D($0[0]) },
    OpCase("argMax last", [23, 10]) { argMax($0[0]) },
    OpCase("argMax first", [7, 6, 5]) { argMax($0[0], axis: 0) },
    OpCase("argMax ties", [Input(shape: [40, 9], values: .int32(3))]) { argMax($0[0] * 1) },
    OpCase("softmax", [Input(shape: [6, 10], values: .real(-9...9))], sums: 10) { softmax($0[0]) },
    OpCase("softmax long", [2, 3, 1001], sums: 1001) { softmax($0[0]) },
    OpCase("logSoftmax", [Input(shape: [6, 13], values: .real(-9...9))], sums: 13) { logSoftmax($0[0]) },
    OpCase(
      "cross entropy sparse",
      [Input(shape: [21, 10], values: .real(-5...5)), Input(shape: [21], values: .int32(10))], sums: 10
    ) { softmaxCrossEntropy($0[0], labels: $0[1]) },
    OpCase(
      "cross entropy smoothed",
      [Input(shape: [5, 17], values: .real(-5...5)), Input(shape: [5], values: .int32(17))], sums: 17
    ) { softmaxCrossEntropy($0[0], labels: $0[1], labelSmoothing: 0.1) },
    OpCase(
      "cross entropy dense",
      [Input(shape: [7, 12], values: .real(-5...5)), Input(shape: [7, 12], values: .fixed(0...1))], sums: 12
    ) { softmaxCrossEntropy($0[0], labels: $0[1], labelSmoothing: 0.2) },
    OpCase(
      "mean cross entropy",
      [Input(shape: [64, 10], values: .real(-5...5)), Input(shape: [64], values: .int32(10))], sums: 64
    ) { reduceMean(softmaxCrossEntropy($0[0], labels: $0[1])) },
  ]

let shapingCases: [OpCase] = [
  OpCase("reshape", [4, 6]) { reshape($0[0] * 2, to: [3, -1]) },
  OpCase("transpose 2-D", [33, 70]) { transpose($0[0]) },
  OpCase("transpose 4-D", [2, 3, 4, 5]) { transpose($0[0], [0, 3, 1, 2]) },
  OpCase("transpose 6-D", [2, 3, 2, 3, 2, 2]) { transpose($0[0], [5, 3, 1, 0, 2, 4]) },
  OpCase("slice", [5, 6, 7]) { slice($0[0], starts: [1, 0, 2], sizes: [3, 6, 4]) },
  OpCase("slice leading", [40, 16]) { slice($0[0], starts: [16, 0], sizes: [20, 16]) * 1.5 },
  OpCase("slice strided", [Input(shape: [9, 10], values: .fixed(-1...1))]) {
    slice($0[0], starts: [1, 2], sizes: [3, 4], steps: [3, 2])
  },
  OpCase("slice integers", [Input(shape: [6, 5], values: .int32(100))]) {
    slice($0[0], starts: [2, 1], sizes: [3, 3])
  },
  OpCase("concat last", [3, 4], [3, 5], [3, 1]) { concat($0) },
  OpCase("concat first", [2, 3, 4], [5, 3, 4]) { concat($0, axis: 0) },
  OpCase("pad", [3, 4, 5]) { pad($0[0], before: [1, 0, 2], after: [0, 3, 1], value: 0.5) },
  OpCase("gather", [Input(shape: [9, 3, 4], values: .real(-1...1)), Input(shape: [13], values: .int32(9))], sums: 13) {
    gather($0[0], $0[1])
  },
  OpCase(
    "gather images", [Input(shape: [20, 6, 6, 3], values: .uint8), Input(shape: [8], values: .int32(20))]
  ) { gather($0[0], $0[1]) * (1 / 255.0) },
  OpCase("gather labels", [Input(shape: [50], values: .int32(10)), Input(shape: [8], values: .int32(50))]) {
    gather($0[0], $0[1])
  },
]
