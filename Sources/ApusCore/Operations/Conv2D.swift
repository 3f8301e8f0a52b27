/// Cells added around an image before a window slides over it.
public enum Padding: Hashable, Sendable {
  /// None: `out = floor((in - window) / stride) + 1`.
  case valid
  /// As many that `out = ceil(in / stride)`; an odd one goes to the bottom and the right, as in Keras.
  case same
  case explicit(top: Int, bottom: Int, left: Int, right: Int)

  /// Cells before and after one axis.
  func amounts(size: Int, window: Int, stride: Int, isVertical: Bool) -> (Int, Int) {
    switch self {
    case .valid: return (0, 0)
    case .same:
      // The last window starts at the last multiple of the stride inside the image.
      let total = max(window - ((size - 1) % stride + 1), 0)
      return (total / 2, total - total / 2)
    case .explicit(let top, let bottom, let left, let right):
      return isVertical ? (top, bottom) : (left, right)
    }
  }
}

/// How a window moves over an image: shared by convolution and pooling. All sizes in cells, (vertical, horizontal).
public struct WindowGeometry: Hashable, Sendable, CustomStringConvertible {
  public var strideY = 1, strideX = 1
  public var dilationY = 1, dilationX = 1
  public var top = 0, bottom = 0, left = 0, right = 0

  /// Every cell, and no padding.
  package static let dense = WindowGeometry()

  /// Output height and width for an image and a window, or the rule that they break.
  func outputSize(height: Int, width: Int, windowHeight: Int, windowWidth: Int) -> Result<(Int, Int), GeometryError> {
    guard windowHeight > 0, windowWidth > 0 else { return .failure("the window must not be empty") }
    guard strideY > 0, strideX > 0 else { return .failure("strides must be at least 1") }
    guard dilationY > 0, dilationX > 0 else { return .failure("dilations must be at least 1") }
    guard min(top, bottom, left, right) >= 0 else { return .failure("padding must not be negative") }
    guard
      let extentY = checkedExtent(windowHeight, dilationY), let extentX = checkedExtent(windowWidth, dilationX),
      let paddedHeight = checkedSum(height, top, bottom), let paddedWidth = checkedSum(width, left, right)
    else { return .failure("sizes must fit in 63 bits") }
    guard paddedHeight >= extentY, paddedWidth >= extentX else {
      return .failure(
        "the padded image \(paddedHeight)x\(paddedWidth) is smaller than the window's extent \(extentY)x\(extentX)")
    }
    return .success(((paddedHeight - extentY) / strideY + 1, (paddedWidth - extentX) / strideX + 1))
  }

  public var description: String {
    var text = "stride \(strideY)x\(strideX)"
    if dilationY != 1 || dilationX != 1 { text += " dilation \(dilationY)x\(dilationX)" }
    if top != 0 || bottom != 0 || left != 0 || right != 0 { text += " padding \(top),\(bottom),\(left),\(right)" }
    return text
  }
}

/// A broken rule of window geometry, as a sentence.
struct GeometryError: Error, ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
  let rule: String
  init(stringLiteral rule: String) { self.rule = rule }
}

/// Cells from the first to the last that a dilated window touches.
private func checkedExtent(_ window: Int, _ dilation: Int) -> Int? {
  let (span, overflow) = (window - 1).multipliedReportingOverflow(by: dilation)
  return overflow ? nil : checkedSum(span, 1)
}

/// Attributes of a 2-D convolution and of its two gradients.
public struct Conv2DAttributes: Hashable, Sendable, CustomStringConvertible {
  public var window = WindowGeometry()
  /// Input and output channels are cut into this many groups that do not mix; equal to the channels: depthwise.
  public var groups = 1

  public var description: String { groups == 1 ? "\(window)" : "\(window) groups \(groups)" }
}

/// Which of a convolution's three arrays is computed from the other two.
package enum ConvolutionPass: Hashable, Sendable {
  /// Result from images and filter.
  case forward
  /// Gradient of the images from that of the result, and the filter.
  case inputGradient
  /// Gradient of the filter from images and the result's gradient.
  case filterGradient

  /// In the names of kernels and the keys of tunings.
  package var kernelName: String {
    switch self {
    case .forward: "conv2d_forward"
    case .inputGradient: "conv2d_input_gradient"
    case .filterGradient: "conv2d_filter_gradient"
    }
  }

  /// The three arrays, of which the operands of the pass are two.
  package func arrays<Array>(
    _ operands: [Array], computed: Array
  ) -> (images: Array, filter: Array, result: Array) {
    switch self {
    case .forward: (operands[0], operands[1], computed)
    case .inputGradient: (computed, operands[1], operands[0])
    case .filterGradient: (operands[0], computed, operands[1])
    }
  }
}

/// A pass of a convolution.
package struct Convolution: Hashable, Operation {
  package let geometry: Conv2DAttributes
  package let pass: ConvolutionPass

  package init(_ geometry: Conv2DAttributes, _ pass: ConvolutionPass) {
    (self.geometry, self.pass) = (geometry, pass)
  }

  package var name: String {
    switch pass {
    case .forward: "conv2D"
    case .inputGradient: "conv2DInputGradient"
    case .filterGradient: "conv2DFilterGradient"
    }
  }

  package var attributes: String { geometry.description }
  package var arity: Int? { 2 }

  /// `2 * N * P * Q * K * R * S * C / groups` in each pass: every element of the forward result meets a window of the
  /// filter once.
  package func contractionOperations(inputs: [[Int]], result: [Int]) -> Double {
    let arrays = pass.arrays(inputs, computed: result)
    return 2 * (arrays.result + arrays.filter.dropLast()).map(Double.init).reduce(1, *)
  }

  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule {
    pass == .filterGradient ? .sum([0, 1]) : .rows([0])
  }

  /// Each pass is linear in both operands; the gradient by one of them is another pass.
  package func gradients(_ site: GradientSite) -> [Tensor?]? {
    let (a, b, gradient) = (site.inputs[0], site.inputs[1], site.gradient)
    func append(_ pass: ConvolutionPass, _ inputs: [Tensor], like operand: Tensor) -> Tensor {
      site.graph.append(.convolution(Convolution(geometry, pass)), inputs, operand.type)
    }
    let shares: [() -> Tensor] =
      switch pass {
      case .forward:
        [{ append(.inputGradient, [gradient, b], like: a) }, { append(.filterGradient, [a, gradient], like: b) }]
      case .inputGradient:
        [{ append(.forward, [gradient, b], like: a) }, { append(.filterGradient, [gradient, a], like: b) }]
      case .filterGradient:
        [{ append(.inputGradient, [b, gradient], like: a) }, { append(.forward, [a, gradient], like: b) }]
      }
    return zip(shares, site.wanted).map { share, isWanted in isWanted ? share() : nil }
  }
}

/// 2-D convolution (cross-correlation, as everywhere in the field):
/// `y[n,p,q,k] = sum over r,s,c of x[n, p*stride + r*dilation - top, q*stride + s*dilation - left, c] * kernel[r,s,c,k]`
///
/// - Parameters:
///   - x: images, `[N, H, W, C]`.
///   - kernel: filters, `[R, S, C / groups, K]`.
///   - stride, dilation: (vertical, horizontal).
///   - groups: divides `C` and `K`; output channels `g*K/groups ..< (g+1)*K/groups` see the g-th group of inputs.
/// - Returns: `[N, P, Q, K]` with `P = floor((H + top + bottom - dilation*(R-1) - 1) / stride) + 1`.
public func conv2D(
  _ x: Tensor, _ kernel: Tensor, stride: (Int, Int) = (1, 1), padding: Padding = .valid,
  dilation: (Int, Int) = (1, 1), groups: Int = 1
) -> Tensor {
  let graph = x.graph
  guard x.isValid, kernel.isValid else { return Tensor(graph: graph, id: -1) }
  func failed(_ rule: String) -> Tensor {
    graph.fail(
      "conv2D: input \(x.shape.shapeDescription), kernel \(kernel.shape.shapeDescription), stride \(stride.0)x\(stride.1), "
        + "dilation \(dilation.0)x\(dilation.1), groups \(groups): \(rule)")
  }
  guard x.rank == 4, kernel.rank == 4 else {
    return failed("the input must be [N, H, W, C] and the kernel [R, S, C/groups, K]")
  }
  guard stride.0 > 0, stride.1 > 0 else { return failed("strides must be at least 1") }
  guard dilation.0 > 0, dilation.1 > 0 else { return failed("dilations must be at least 1") }
  let (channels, filters) = (x.shape[3], kernel.shape[3])
  guard groups > 0, channels % groups == 0, filters % groups == 0 else {
    return failed("groups must be at least 1 and divide the \(channels) input and \(filters) output channels")
  }
  guard kernel.shape[2] == channels / groups else {
    return failed("the kernel's third size must be the input channels / groups = \(channels / groups)")
  }
  guard !x.shape.contains(0), !kernel.shape.contains(0) else { return failed("no size may be 0") }
  guard x.dtype == kernel.dtype, x.dtype.isFloatingPoint else {
    return failed("input and kernel must have one floating-point type, not \(x.dtype) and \(kernel.dtype)")
  }
  var window = WindowGeometry(
    strideY: stride.0, strideX: stride.1, dilationY: dilation.0, dilationX: dilation.1)
  let (r, s) = (kernel.shape[0], kernel.shape[1])
  guard let extentY = checkedExtent(r, dilation.0), let extentX = checkedExtent(s, dilation.1) else {
    return failed("the dilated window must fit in 63 bits")
  }
  (window.top, window.bottom) = padding.amounts(
    size: x.shape[1], window: extentY, stride: stride.0, isVertical: true)
  (window.left, window.right) = padding.amounts(
    size: x.shape[2], window: extentX, stride: stride.1, isVertical: false)
  switch window.outputSize(height: x.shape[1], width: x.shape[2], windowHeight: r, windowWidth: s) {
  case .failure(let error): return failed(error.rule)
  case .success(let (p, q)):
    return graph.append(
      .convolution(Convolution(Conv2DAttributes(window: window, groups: groups), .forward)), [x, kernel],
      TensorType(shape: [x.shape[0], p, q, filters], dtype: x.dtype))
  }
}
