import ApusCore

/// The sizes of a convolution in the field's letters: x [N,H,W,C], filter [R,S,C/groups,K], y [N,P,Q,K].
struct Conv2DShape {
  let n, h, w, c, p, q, k, r, s, groups: Int
  let window: WindowGeometry

  init(_ attributes: Conv2DAttributes, x: [Int], filter: [Int], y: [Int]) {
    (n, h, w, c) = (x[0], x[1], x[2], x[3])
    (p, q, k) = (y[1], y[2], y[3])
    (r, s) = (filter[0], filter[1])
    groups = attributes.groups
    window = attributes.window
  }

  var groupC: Int { c / groups }
  var groupK: Int { k / groups }
  var isDepthwise: Bool { groups > 1 && c == groups && k == groups }
  /// Whether every pixel of the result is the product of one of x and a matrix.
  var isPixelwise: Bool {
    r == 1 && s == 1 && groups == 1 && window.strideX == 1 && window.strideY == 1 && (p, q) == (h, w)
      && (window.top, window.left) == (0, 0)
  }
  var filterCount: Int { r * s * groupC * k }

  var defines: Defines {
    [
      "N": n, "H": h, "W": w, "C": c, "P": p, "Q": q, "K": k, "R": r, "S": s, "GROUPS": groups,
      "STRIDE_H": window.strideY, "STRIDE_W": window.strideX,
      "DILATION_H": window.dilationY, "DILATION_W": window.dilationX,
      "PAD_TOP": window.top, "PAD_LEFT": window.left,
    ]
  }

  /// Multiply-adds of one pass whose operands lie in the image, padding left out.
  var multiplyAdds: Int {
    let rows = Self.hits(p, r, window.strideY, window.dilationY, window.top, h)
    let columns = Self.hits(q, s, window.strideX, window.dilationX, window.left, w)
    return n * rows * columns * k * groupC
  }

  private static func hits(_ outputs: Int, _ taps: Int, _ stride: Int, _ dilation: Int, _ pad: Int, _ size: Int) -> Int
  {
    (0..<taps).reduce(0) { sum, tap in
      // Outputs o with 0 <= o * stride + shift < size.
      let shift = tap * dilation - pad
      let first = shift >= 0 ? 0 : (-shift).dividedRoundingUp(by: stride)
      let end = size <= shift ? 0 : (size - shift).dividedRoundingUp(by: stride)
      return sum + max(0, min(end, outputs) - first)
    }
  }
}

extension ConvolutionPass {
  /// Entry point, and the definition that selects it.
  var names: (entry: String, define: String) {
    switch self {
    case .forward: ("conv2d_forward", "CONV2D_FORWARD")
    case .inputGradient: ("conv2d_input_gradient", "CONV2D_INPUT_GRADIENT")
    case .filterGradient: ("conv2d_filter_gradient", "CONV2D_FILTER_GRADIENT")
    }
  }

  /// The shape of a convolution from the operands of this pass.
  func shape(_ attributes: Conv2DAttributes, _ inputs: [TensorType], _ output: TensorType) -> Conv2DShape {
    let (a, b, result) = (inputs[0].shape, inputs[1].shape, output.shape)
    return switch self {
    case .forward: Conv2DShape(attributes, x: a, filter: b, y: result)
    case .inputGradient: Conv2DShape(attributes, x: result, filter: b, y: a)
    case .filterGradient: Conv2DShape(attributes, x: a, filter: result, y: b)
    }
  }
}
