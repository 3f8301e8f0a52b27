import ApusCore

extension ConvolutionShape {
  var defines: Defines {
    [
      "N": n, "H": h, "W": w, "C": c, "P": p, "Q": q, "K": k, "R": r, "S": s, "GROUPS": groups,
      "STRIDE_H": window.strideY, "STRIDE_W": window.strideX,
      "DILATION_H": window.dilationY, "DILATION_W": window.dilationX,
      "PAD_TOP": window.top, "PAD_LEFT": window.left,
    ]
  }

  /// Elements of what a pass computes.
  func resultCount(_ pass: ConvolutionPass) -> Int {
    switch pass {
    case .forward: n * p * q * k
    case .inputGradient: n * h * w * c
    case .filterGradient: filterCount
    }
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
    case .forward: (kernelName, "CONV2D_FORWARD")
    case .inputGradient: (kernelName, "CONV2D_INPUT_GRADIENT")
    case .filterGradient: (kernelName, "CONV2D_FILTER_GRADIENT")
    }
  }
}
