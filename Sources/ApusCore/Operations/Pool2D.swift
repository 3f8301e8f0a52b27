/// Attributes of a pooling and of its gradient.
public struct Pool2DAttributes: Hashable, Sendable, CustomStringConvertible {
  public enum Kind: String, Hashable, Sendable {
    case max
    /// Mean over the cells of the window that lie in the image, as in Keras.
    case average
    /// Mean over the whole window, padding counted as zeros, as PyTorch's default.
    case averageIncludingPadding
  }

  public var kind: Kind
  public var height: Int, width: Int
  public var window: WindowGeometry

  public var description: String { "\(kind.rawValue) \(height)x\(width) \(window)" }

  /// Whether the windows lie side by side: no cell in two of them, none skipped between them, no padding.
  package var tilesImage: Bool {
    window.strideY == height && window.strideX == width
      && window.top == 0 && window.bottom == 0 && window.left == 0 && window.right == 0
  }
}

/// A pooling, or its gradient, which reads input, result and incoming gradient; for a maximum all of it goes to the
/// first maximum of each window in row-major order.
package struct Pooling: Hashable, Operation {
  package let pooling: Pool2DAttributes
  package let isGradient: Bool

  package var name: String { isGradient ? "pool2DGradient" : "pool2D" }
  package var attributes: String { pooling.description }
  package var arity: Int? { isGradient ? 3 : 1 }

  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule {
    .rows(Array(operands.indices))
  }

  package func gradients(_ site: GradientSite) -> [Tensor?]? {
    guard !isGradient else { return nil }
    let x = site.inputs[0]
    return [
      site.graph.append(
        .pooling(Pooling(pooling: pooling, isGradient: true)), [x, site.result, site.gradient], x.type)
    ]
  }
}

/// A pooling that became part of the kernel that makes its images.
package struct FusedPooling: Hashable, Sendable {
  package var attributes: Pool2DAttributes
  /// What is pooled, and never stored: the result of the operation and its epilogue.
  package var input: TensorType
}

/// Pooling of images `[N, H, W, C]`: `y[n,p,q,c]` is the maximum or mean of a window of `x[n, :, :, c]`.
///
/// - Parameters:
///   - size: window (height, width).
///   - stride: (vertical, horizontal); the window's size when not given.
///   - padding: a maximum ignores padded cells.
/// - Returns: `[N, P, Q, C]` with `P = floor((H + top + bottom - height) / stride) + 1`.
public func pool2D(
  _ x: Tensor, _ kind: Pool2DAttributes.Kind, size: (Int, Int), stride: (Int, Int)? = nil, padding: Padding = .valid
) -> Tensor {
  guard x.isValid else { return x }
  let stride = stride ?? size
  func failed(_ rule: String) -> Tensor {
    x.graph.fail(
      "pool2D (\(kind.rawValue)): input \(x.shape.shapeDescription), window \(size.0)x\(size.1), "
        + "stride \(stride.0)x\(stride.1): \(rule)")
  }
  guard x.rank == 4 else { return failed("the input must be [N, H, W, C]") }
  guard size.0 > 0, size.1 > 0 else { return failed("the window must not be empty") }
  guard stride.0 > 0, stride.1 > 0 else { return failed("strides must be at least 1") }
  guard !x.shape.contains(0) else { return failed("no size may be 0") }
  guard x.dtype.isFloatingPoint else { return failed("the input must be floating-point, not \(x.dtype)") }
  var window = WindowGeometry(strideY: stride.0, strideX: stride.1)
  (window.top, window.bottom) = padding.amounts(size: x.shape[1], window: size.0, stride: stride.0, isVertical: true)
  (window.left, window.right) = padding.amounts(size: x.shape[2], window: size.1, stride: stride.1, isVertical: false)
  guard max(window.top, window.bottom) < size.0, max(window.left, window.right) < size.1 else {
    return failed("padding must be smaller than the window, or a window would hold no cell of the image")
  }
  switch window.outputSize(height: x.shape[1], width: x.shape[2], windowHeight: size.0, windowWidth: size.1) {
  case .failure(let error): return failed(error.rule)
  case .success(let (p, q)):
    return x.graph.append(
      .pooling(
        Pooling(
          pooling: Pool2DAttributes(kind: kind, height: size.0, width: size.1, window: window), isGradient: false)),
      [x],
      TensorType(shape: [x.shape[0], p, q, x.shape[3]], dtype: x.dtype))
  }
}

/// Maximum of each window; see `pool2D`.
public func maxPool2D(_ x: Tensor, size: Int, stride: Int? = nil, padding: Padding = .valid) -> Tensor {
  pool2D(x, .max, size: (size, size), stride: stride.map { ($0, $0) }, padding: padding)
}

/// Mean of each window, padded cells not counted; see `pool2D`.
public func averagePool2D(_ x: Tensor, size: Int, stride: Int? = nil, padding: Padding = .valid) -> Tensor {
  pool2D(x, .average, size: (size, size), stride: stride.map { ($0, $0) }, padding: padding)
}

/// Mean over height and width: `[N, H, W, C]` to `[N, C]`.
public func globalAveragePool2D(_ x: Tensor) -> Tensor {
  guard x.requireRank(4, "globalAveragePool2D", "[N, H, W, C]") else { return Tensor(graph: x.graph, id: -1) }
  return reduceMean(x, axes: [1, 2])
}
