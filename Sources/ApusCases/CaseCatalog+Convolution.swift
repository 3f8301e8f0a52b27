import ApusCore

extension CaseCatalog {
  package static let convolution: [OperationCase] = [
    convolution("valid 3x3", [2, 9, 8, 5], [3, 3, 5, 7]),
    convolution("first layer", [3, 28, 28, 1], [3, 3, 1, 32]),
    convolution("colour first layer", [2, 16, 16, 3], [3, 3, 3, 32], padding: .same),
    convolution("32 to 64", [2, 13, 13, 32], [3, 3, 32, 64]),
    convolution("64 to 64 small map", [3, 5, 5, 64], [3, 3, 64, 64]),
    convolution("same", [2, 7, 6, 16], [3, 3, 16, 16], padding: .same),
    convolution("same stride 2", [2, 7, 8, 4], [3, 3, 4, 6], stride: (2, 2), padding: .same),
    convolution("1x1", [2, 5, 5, 24], [1, 1, 24, 10], for: .selfTest),
    convolution("1x1 stride 2", [2, 8, 8, 8], [1, 1, 8, 12], stride: (2, 2)),
    convolution("1x1 stride 2 from few channels", [4, 64, 64, 8], [1, 1, 8, 16], stride: (2, 2)),
    convolution(
      "1x1 stride 2 padded", [2, 9, 10, 18], [1, 1, 18, 12], stride: (2, 3),
      padding: .explicit(top: 3, bottom: 2, left: 1, right: 4)),
    convolution("5x5 same", [1, 10, 11, 6], [5, 5, 6, 20], padding: .same),
    convolution(
      "7x7 stride 2", [2, 23, 21, 3], [7, 7, 3, 18], stride: (2, 2),
      padding: .explicit(top: 3, bottom: 3, left: 3, right: 3)),
    convolution("dilation", [2, 11, 12, 4], [3, 3, 4, 5], padding: .same, dilation: (2, 2), for: .selfTest),
    convolution(
      "dilation and stride", [1, 15, 14, 3], [3, 2, 3, 8], stride: (2, 3), dilation: (2, 1), for: .selfTest),
    convolution(
      "asymmetric padding", [2, 6, 7, 3], [3, 2, 3, 4], stride: (1, 2),
      padding: .explicit(top: 2, bottom: 0, left: 1, right: 3), for: .selfTest),
    convolution("groups 2", [2, 6, 6, 8], [3, 3, 4, 12], padding: .same, groups: 2, for: .selfTest),
    convolution("groups 3 stride 2", [2, 9, 9, 9], [3, 3, 3, 6], stride: (2, 2), groups: 3),
    convolution("depthwise", [2, 8, 9, 20], [3, 3, 1, 20], padding: .same, groups: 20, for: .selfTest),
    convolution("depthwise tails", [2, 9, 7, 41], [3, 3, 1, 41], padding: .same, groups: 41),
    convolution(
      "depthwise stride 2 dilation", [2, 13, 12, 18], [3, 4, 1, 18], stride: (2, 1),
      padding: .explicit(top: 3, bottom: 1, left: 0, right: 4), dilation: (2, 3), groups: 18),
    convolution("depthwise smaller than kernel", [1, 2, 2, 5], [5, 5, 1, 5], padding: .same, groups: 5),
    convolution("depthwise 7x7", [1, 9, 8, 16], [7, 7, 1, 16], padding: .same, groups: 16),
    // Served by kernels of their own: bands of rows, vectors that reach over the ends of rows.
    convolution("depthwise 24 channels", [2, 19, 7, 24], [3, 3, 1, 24], padding: .same, groups: 24),
    convolution("depthwise 100 channels", [2, 7, 9, 100], [3, 3, 1, 100], groups: 100),
    convolution(
      "depthwise asymmetric", [2, 11, 13, 24], [3, 3, 1, 24], padding: .explicit(top: 0, bottom: 3, left: 2, right: 1),
      groups: 24),
    convolution(
      "depthwise more padding than window", [1, 6, 5, 10], [3, 3, 1, 10],
      padding: .explicit(top: 4, bottom: 3, left: 5, right: 4), groups: 10),
    convolution("depthwise 5x5", [2, 18, 9, 10], [5, 5, 1, 10], padding: .same, groups: 10),
    convolution("depthwise 5x5 valid", [1, 9, 8, 72], [5, 5, 1, 72], groups: 72),
    convolution("depthwise wide rows", [1, 10, 8, 128], [3, 3, 1, 128], padding: .same, groups: 128),
    convolution("depthwise one column", [2, 9, 1, 40], [3, 3, 1, 40], padding: .same, groups: 40),
    convolution(
      "depthwise multiplier 2", [2, 7, 7, 6], [3, 3, 1, 12], stride: (2, 2), padding: .same, groups: 6, for: .selfTest),
    convolution("kernel covers all", [4, 5, 5, 3], [5, 5, 3, 17]),
    convolution("stride above kernel", [1, 10, 10, 2], [2, 2, 2, 3], stride: (3, 4)),
    convolution("one pixel", [1, 1, 1, 1], [1, 1, 1, 1]),
    convolution("wide tail", [1, 4, 30, 17], [3, 3, 17, 33], padding: .same, for: .selfTest),
    convolution("64 to 3", [2, 9, 8, 64], [3, 3, 64, 3], padding: .same),
    convolution("37 to 10 stride 2", [2, 14, 15, 37], [3, 3, 37, 10], stride: (2, 2), padding: .same),
    convolution("64 to 24", [1, 9, 12, 64], [1, 1, 64, 24]),
    convolution("1x1 tails", [2, 7, 9, 50], [1, 1, 50, 90]),
    convolution("100 channels", [1, 6, 6, 100], [3, 3, 100, 48], padding: .same),
    // Served by kernels for few channels: ends of rows, and padding on every side.
    convolution("few channels", [2, 14, 20, 1], [3, 3, 1, 32]),
    convolution("few channels padded", [2, 7, 25, 3], [3, 3, 3, 32], padding: .same, for: .selfTest),
    convolution(
      "few channels stride 2", [1, 8, 31, 3], [3, 4, 3, 16], stride: (1, 2),
      padding: .explicit(top: 4, bottom: 1, left: 0, right: 2)),
    // Served by kernels for few filters, or channels of which the gradient is computed.
    convolution("few filters", [2, 11, 19, 32], [3, 3, 32, 3], padding: .same),
    convolution("few filters 2", [3, 8, 17, 48], [3, 3, 48, 2]),
    convolution("few filters 4", [1, 35, 9, 64], [3, 3, 64, 4], padding: .same),
    convolution(
      "one filter 5x4", [2, 9, 20, 16], [5, 4, 16, 1], padding: .explicit(top: 1, bottom: 4, left: 3, right: 0)),
    convolution(
      "few channels to many", [2, 10, 22, 3], [3, 3, 3, 64], padding: .explicit(top: 1, bottom: 0, left: 2, right: 0)),
    // Served by Winograd's kernels: parts of tiles and of vectors, blocks of channels, many tiles.
    convolution("Winograd tails", [3, 15, 18, 40], [3, 3, 40, 50], padding: .same),
    convolution(
      "Winograd channel blocks", [2, 15, 16, 72], [3, 3, 72, 90],
      padding: .explicit(top: 2, bottom: 0, left: 0, right: 1)),
    convolution("Winograd transposed", [9, 13, 14, 40], [3, 3, 40, 50]),
    convolution(
      "Winograd transposed padded", [21, 6, 9, 24], [3, 3, 24, 36],
      padding: .explicit(top: 0, bottom: 1, left: 1, right: 0)),
    convolution("Winograd parts of fours", [3, 15, 18, 37], [3, 3, 37, 54], padding: .same),
    convolution("Winograd odd channels, full panels", [5, 15, 16, 41], [3, 3, 41, 64], padding: .same),
    convolution("Winograd few channels", [4, 22, 21, 11], [3, 3, 11, 53], padding: .same),
    convolution("Winograd few filters", [4, 22, 21, 53], [3, 3, 53, 11]),
    convolution("Winograd many tiles", [9, 24, 23, 20], [3, 3, 20, 48]),
    OperationCase("conv2D bias relu", [2, 10, 9, 6], [3, 3, 6, 20], [20], sums: 180, for: .unfused) {
      relu(conv2D($0[0], $0[1]) + $0[2])
    },
    OperationCase("conv2D few channels bias relu", [2, 6, 15, 2], [3, 3, 2, 32], [32], sums: 180) {
      relu(conv2D($0[0], $0[1], padding: .same) + $0[2])
    },
    OperationCase("conv2D few channels bias residual", [2, 6, 15, 2], [3, 3, 2, 32], [2, 6, 15, 32], sums: 180) {
      relu(conv2D($0[0], $0[1], padding: .same) + $0[2])
    },
    OperationCase("depthwise bias relu", [2, 7, 9, 24], [3, 3, 1, 24], [24], sums: 126) {
      relu(conv2D($0[0], $0[1], padding: .same, groups: 24) + $0[2])
    },
    OperationCase("depthwise bias gelu", [2, 18, 5, 20], [3, 3, 1, 20], [20], sums: 180) {
      gelu(conv2D($0[0], $0[1], padding: .same, groups: 20) + $0[2])
    },
    // The sum's other term dies with it: it may lie where the sum goes.
    OperationCase("depthwise sums", [2, 7, 8, 20], [3, 3, 1, 20], [5, 5, 1, 20], sums: 112) {
      let y = conv2D($0[0], $0[1], padding: .same, groups: 20)
      return relu(y + conv2D($0[0], $0[2], padding: .same, groups: 20))
    },
    OperationCase("few channels sums", [2, 6, 15, 2], [3, 3, 2, 32], [3, 3, 2, 32], sums: 180) {
      relu(conv2D($0[0], $0[1], padding: .same) + conv2D($0[0], $0[2], padding: .same))
    },
    OperationCase("few filters sums", [2, 9, 16, 32], [3, 3, 32, 3], [3, 3, 32, 3], sums: 288) {
      relu(conv2D($0[0], $0[1], padding: .same) + conv2D($0[0], $0[2], padding: .same))
    },
    OperationCase("conv2D few filters bias relu", [2, 9, 16, 32], [3, 3, 32, 3], [3], sums: 288) {
      relu(conv2D($0[0], $0[1], padding: .same) + $0[2])
    },
    OperationCase("conv2D bias gelu", [2, 6, 6, 6], [3, 3, 6, 19], [19], sums: 72) {
      gelu(conv2D($0[0], $0[1], padding: .same) + $0[2])
    },
    OperationCase("Winograd bias residual relu", [3, 16, 15, 36], [3, 3, 36, 36], [36], sums: 720) {
      relu($0[0] + conv2D($0[0], $0[1], padding: .same) + $0[2])
    },
    OperationCase("residual", [2, 6, 6, 18], [3, 3, 18, 18], sums: 162, for: .unfused) {
      relu($0[0] + conv2D(relu($0[0]), $0[1], padding: .same))
    },
    OperationCase("two layers", [2, 12, 12, 3], [3, 3, 3, 8], [8], [3, 3, 8, 5], sums: 288, for: .unfused) {
      let y = maxPool2D(relu(conv2D($0[0], $0[1]) + $0[2]), size: 2)
      return relu(conv2D(y, $0[3])).flattened()
    },
  ]

  private static func convolution(
    _ name: String, _ image: [Int], _ kernel: [Int], stride: (Int, Int) = (1, 1), padding: Padding = .valid,
    dilation: (Int, Int) = (1, 1), groups: Int = 1, for uses: OperationCase.Uses = []
  ) -> OperationCase {
    // The filter gradient sums over the positions of the whole batch.
    let terms = max(kernel[0] * kernel[1] * kernel[2], image[0] * image[1] * image[2])
    return OperationCase("conv2D \(name)", image, kernel, sums: terms, for: uses) {
      conv2D($0[0], $0[1], stride: stride, padding: padding, dilation: dilation, groups: groups)
    }
  }
}
