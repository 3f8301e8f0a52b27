import ApusCore

extension CaseCatalog {
  package static let pooling: [OperationCase] =
    [
      pools("2x2", [2, 6, 8, 5], (2, 2)), pools("2x2 odd map", [2, 11, 13, 64], (2, 2)),
      pools("3x3 stride 2", [2, 9, 9, 17], (3, 3), stride: (2, 2)),
      pools("3x3 stride 1 same", [1, 6, 7, 4], (3, 3), stride: (1, 1), padding: .same),
      pools(
        "3x2 asymmetric", [2, 8, 7, 3], (3, 2), stride: (2, 3),
        padding: .explicit(top: 1, bottom: 2, left: 0, right: 1), for: .selfTest),
      pools("same stride 2", [1, 5, 5, 33], (2, 2), padding: .same, for: .selfTest),
      pools("stride above window", [1, 9, 9, 2], (2, 2), stride: (3, 3)),
      pools("whole map", [3, 4, 4, 6], (4, 4)),
    ].flatMap { $0 } + [
      OperationCase("pool2D max of relu", [2, 8, 8, 16], for: .unfused) { maxPool2D(relu($0[0]), size: 2) },
      OperationCase("global average", [3, 7, 5, 18], sums: 35, for: .selfTest) { globalAveragePool2D($0[0]) },
    ] + convolutionAndPooling

  private static func pools(
    _ name: String, _ image: [Int], _ size: (Int, Int), stride: (Int, Int)? = nil, padding: Padding = .valid,
    for uses: OperationCase.Uses = []
  ) -> [OperationCase] {
    [Pool2DAttributes.Kind.max, .average, .averageIncludingPadding].map { kind in
      OperationCase("pool2D \(kind.rawValue) \(name)", image, sums: size.0 * size.1, for: uses) {
        pool2D($0[0], kind, size: size, stride: stride, padding: padding)
      }
    }
  }

  /// Without gradients, so that nothing but the pooling reads the convolution: one kernel may do both.
  private static let convolutionAndPooling: [OperationCase] = [
    pooled("first layer", [5, 28, 28, 1], [3, 3, 1, 32], (.max, 2, 2)),
    pooled("odd map", [3, 13, 13, 32], [3, 3, 32, 64], (.max, 2, 2)),
    pooled("padding", [2, 15, 17, 3], [3, 3, 3, 24], padding: .same, (.max, 2, 2)),
    pooled("padding, mean", [2, 12, 12, 20], [5, 5, 20, 33], padding: .same, (.average, 2, 2)),
    pooled("few filters", [2, 14, 14, 1], [5, 5, 1, 6], (.average, 2, 2)),
    pooled("stride 2", [2, 23, 25, 4], [3, 3, 4, 16], stride: 2, padding: .same, (.averageIncludingPadding, 3, 3)),
    pooled("flat window", [2, 9, 14, 8], [3, 3, 8, 16], padding: .same, (.max, 1, 4)),
    pooled("tall window", [2, 9, 7, 8], [3, 3, 8, 16], padding: .same, (.max, 4, 1)),
    pooled("whole map", [3, 4, 4, 16], [3, 3, 16, 48], padding: .same, (.average, 4, 4)),
    pooled("long window", [1, 3, 40, 4], [3, 3, 4, 4], padding: .same, (.average, 3, 20)),
    pooled("groups", [2, 8, 8, 8], [3, 3, 4, 12], padding: .same, groups: 2, (.max, 2, 2)),
    pooled("depthwise", [2, 9, 8, 20], [3, 3, 1, 20], padding: .same, groups: 20, (.max, 2, 2)),
    OperationCase("conv2D, sum and pool2D", [.fixed([2, 9, 9, 18]), .fixed([3, 3, 18, 18])], sums: 162) {
      maxPool2D(relu($0[0] + conv2D($0[0], $0[1], padding: .same)), size: 2)
    },
    OperationCase("conv2D, pool2D and relu", [.fixed([2, 9, 9, 18]), .fixed([3, 3, 18, 18])], sums: 162) {
      relu(maxPool2D(conv2D($0[0], $0[1]), size: 2))
    },
    // As many channels as pooled elements: the bias is still one value a channel.
    OperationCase(
      "conv2D, bias and pool2D to one pixel", [.fixed([1, 4, 4, 3]), .fixed([3, 3, 3, 16]), .fixed([16])], sums: 27
    ) { maxPool2D(conv2D($0[0], $0[1]) + $0[2], size: 2) },
  ]

  private static func pooled(
    _ name: String, _ image: [Int], _ kernel: [Int], stride: Int = 1, padding: Padding = .valid, groups: Int = 1,
    _ pooling: (kind: Pool2DAttributes.Kind, height: Int, width: Int)
  ) -> OperationCase {
    OperationCase(
      "conv2D and pool2D \(name)", [.fixed(image), .fixed(kernel), .fixed([kernel[3]])],
      sums: kernel[0] * kernel[1] * kernel[2]
    ) {
      let y = relu(conv2D($0[0], $0[1], stride: (stride, stride), padding: padding, groups: groups) + $0[2])
      return pool2D(y, pooling.kind, size: (pooling.height, pooling.width))
    }
  }
}
