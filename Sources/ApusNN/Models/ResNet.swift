public import ApusCore

/// Two 3x3 convolutions beside a shortcut: `relu(x' + norm(conv(relu(norm(conv(x))))))`.
///
/// Input `[N, H, W, C]`, output `[N, ceil(H / stride), ceil(W / stride), filters]`. The shortcut `x'` is `x` itself, or
/// a 1x1 convolution of it with batch normalization where the shape changes.
/// Source: He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016, figure 5 left, option B.
public struct BasicBlock: Layer {
  let first: Conv2D
  let firstNorm = BatchNormalization(momentum: 0.9, epsilon: 1e-5)
  let second: Conv2D
  let secondNorm = BatchNormalization(momentum: 0.9, epsilon: 1e-5)
  let projection: Conv2D?
  let projectionNorm: BatchNormalization?

  /// - Parameter projects: whether the shortcut changes the shape.
  public init(_ filters: Int, stride: Int = 1, projects: Bool = false) {
    first = Conv2D(
      filters, kernel: (3, 3), stride: (stride, stride), padding: .symmetric(1), useBias: false,
      kernelInitializer: .heNormal)
    second = Conv2D(filters, kernel: (3, 3), padding: .symmetric(1), useBias: false, kernelInitializer: .heNormal)
    projection =
      projects ? Conv2D(filters, kernel: 1, stride: stride, useBias: false, kernelInitializer: .heNormal) : nil
    projectionNorm = projects ? BatchNormalization(momentum: 0.9, epsilon: 1e-5) : nil
  }

  public func forward(_ x: Tensor) -> Tensor {
    let residual = secondNorm(second(relu(firstNorm(first(x)))))
    if let projection, let projectionNorm { return relu(projectionNorm(projection(x)) + residual) }
    return relu(x + residual)
  }
}

/// A 3x3 convolution between two 1x1 convolutions, beside a shortcut:
/// `relu(x' + norm(conv1x1(relu(norm(conv3x3(relu(norm(conv1x1(x)))))))))`.
///
/// Input `[N, H, W, C]`, output `[N, ceil(H / stride), ceil(W / stride), 4 * filters]`. The shortcut `x'` is `x` itself,
/// or a 1x1 convolution of it with batch normalization where the shape changes.
/// Source: He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016, figure 5 right, with the
/// stride in the 3x3 convolution, as in PyTorch's reference models (version 1.5), instead of the first one.
public struct BottleneckBlock: Layer {
  /// Channels that leave the block for each filter within it.
  static let expansion = 4

  let first: Conv2D
  let firstNorm = BatchNormalization(momentum: 0.9, epsilon: 1e-5)
  let second: Conv2D
  let secondNorm = BatchNormalization(momentum: 0.9, epsilon: 1e-5)
  let third: Conv2D
  let thirdNorm = BatchNormalization(momentum: 0.9, epsilon: 1e-5)
  let projection: Conv2D?
  let projectionNorm: BatchNormalization?

  /// - Parameters:
  ///   - filters: of the first two convolutions; the third has four times as many.
  ///   - projects: whether the shortcut changes the shape.
  public init(_ filters: Int, stride: Int = 1, projects: Bool = false) {
    // A number of filters that overflows is refused by the layer, not here.
    let outputs = filters.multipliedReportingOverflow(by: Self.expansion)
    let outputFilters = outputs.overflow ? Int.max : outputs.partialValue
    first = Conv2D(filters, kernel: 1, useBias: false, kernelInitializer: .heNormal)
    second = Conv2D(
      filters, kernel: (3, 3), stride: (stride, stride), padding: .symmetric(1), useBias: false,
      kernelInitializer: .heNormal)
    third = Conv2D(outputFilters, kernel: 1, useBias: false, kernelInitializer: .heNormal)
    projection =
      projects ? Conv2D(outputFilters, kernel: 1, stride: stride, useBias: false, kernelInitializer: .heNormal) : nil
    projectionNorm = projects ? BatchNormalization(momentum: 0.9, epsilon: 1e-5) : nil
  }

  public func forward(_ x: Tensor) -> Tensor {
    let residual = thirdNorm(third(relu(secondNorm(second(relu(firstNorm(first(x))))))))
    if let projection, let projectionNorm { return relu(projectionNorm(projection(x)) + residual) }
    return relu(x + residual)
  }
}

extension Padding {
  /// As many cells on every side: what a 3x3 window needs to keep the size, the same at every stride.
  static func symmetric(_ cells: Int) -> Padding { .explicit(top: cells, bottom: cells, left: cells, right: cells) }
}

/// Residual networks, with the momentum and epsilon of PyTorch's reference models.
enum ResNet {
  /// The first layers, by the size of the pictures.
  enum Stem { case cifar, imageNet }

  enum Block { case basic, bottleneck }

  /// - Parameter stages: number of blocks and filters of each stage; all but the first halve the map.
  static func make(
    _ stem: Stem, _ block: Block, _ stages: [(blocks: Int, filters: Int)]
  ) -> @Sendable (_ classes: Int) -> Sequential {
    { classes in
      Sequential {
        switch stem {
        case .cifar:
          Conv2D(stages[0].filters, kernel: 3, padding: .symmetric(1), useBias: false, kernelInitializer: .heNormal)
          BatchNormalization(momentum: 0.9, epsilon: 1e-5)
          Activation.relu
        case .imageNet:
          Conv2D(
            stages[0].filters, kernel: 7, stride: 2, padding: .symmetric(3), useBias: false,
            kernelInitializer: .heNormal)
          BatchNormalization(momentum: 0.9, epsilon: 1e-5)
          Activation.relu
          MaxPool2D((3, 3), stride: (2, 2), padding: .symmetric(1))
        }
        for (index, stage) in stages.enumerated() {
          for position in 0..<stage.blocks {
            let stride = index > 0 && position == 0 ? 2 : 1
            switch block {
            case .basic:
              BasicBlock(stage.filters, stride: stride, projects: stride > 1)
            case .bottleneck:
              // The first stage keeps the map but widens it to four times its filters.
              BottleneckBlock(stage.filters, stride: stride, projects: position == 0)
            }
          }
        }
        GlobalAveragePool2D()
        Dense(classes)
      }
    }
  }
}
