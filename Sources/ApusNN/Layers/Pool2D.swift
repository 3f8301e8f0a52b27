public import ApusCore

/// The largest value of each window: `[N, H, W, C]` to `[N, P, Q, C]`; see `pool2D`.
public struct MaxPool2D: NamedLayer {
  public static let defaultName = "max_pooling2d"
  /// Height and width of the window.
  public let size: (Int, Int)
  public let stride: (Int, Int)
  public let padding: Padding
  let layerName = LayerName()

  /// Windows given as (vertical, horizontal), side by side unless `stride` says otherwise.
  public init(_ size: (Int, Int), stride: (Int, Int)? = nil, padding: Padding = .valid) {
    self.size = size
    self.stride = stride ?? size
    self.padding = padding
  }

  /// Square windows, side by side unless `stride` says otherwise.
  public init(_ size: Int = 2, stride: Int? = nil, padding: Padding = .valid) {
    self.init((size, size), stride: stride.map { ($0, $0) }, padding: padding)
  }

  public func forward(_ x: Tensor) -> Tensor {
    pool2D(x, .max, size: size, stride: stride, padding: padding)
  }
}

/// The mean of each window: `[N, H, W, C]` to `[N, P, Q, C]`; see `pool2D`.
public struct AveragePool2D: NamedLayer {
  public static let defaultName = "average_pooling2d"
  /// Height and width of the window.
  public let size: (Int, Int)
  public let stride: (Int, Int)
  public let padding: Padding
  /// Whether padding counts as zeros in the mean, as PyTorch has it; Keras leaves it out.
  public let countsPadding: Bool
  let layerName = LayerName()

  /// Windows given as (vertical, horizontal), side by side unless `stride` says otherwise.
  public init(
    _ size: (Int, Int), stride: (Int, Int)? = nil, padding: Padding = .valid, countsPadding: Bool = false
  ) {
    self.size = size
    self.stride = stride ?? size
    self.padding = padding
    self.countsPadding = countsPadding
  }

  /// Square windows, side by side unless `stride` says otherwise.
  public init(_ size: Int = 2, stride: Int? = nil, padding: Padding = .valid, countsPadding: Bool = false) {
    self.init((size, size), stride: stride.map { ($0, $0) }, padding: padding, countsPadding: countsPadding)
  }

  public func forward(_ x: Tensor) -> Tensor {
    pool2D(
      x, countsPadding ? .averageIncludingPadding : .average, size: size, stride: stride, padding: padding)
  }
}

/// The mean over height and width: `[N, H, W, C]` to `[N, C]`.
public struct GlobalAveragePool2D: NamedLayer {
  public static let defaultName = "global_average_pooling2d"
  let layerName = LayerName()

  public init() {}

  public func forward(_ x: Tensor) -> Tensor { globalAveragePool2D(x) }
}
