/// How values between grid points are made from those around them.
///
/// `w(d)` is the weight of a point at a distance of `d` grid points. Keys, "Cubic convolution interpolation for digital
/// image processing", IEEE Trans. ASSP 29, 1981.
public enum Interpolation: String, Sendable, Hashable, Codable, CaseIterable {
  /// The nearest point; Pillow's `NEAREST`, PyTorch's `nearest-exact`.
  case nearest
  /// `w(d) = max(0, 1 - |d|)`.
  case bilinear
  /// Keys' cubic of `a = -0.5`, as Pillow and TensorFlow have it.
  case bicubic
  /// The mean over what the new point covers, parts of old ones included; TensorFlow's `area`.
  case area

  /// Row `i` holds the weights of old point `i` for each new one, `[from, to]`, those of a new one adding up to 1.
  ///
  /// - Parameter antialias: a kernel as wide as the coarser of both grids asks for, so that shrinking is an average of
  ///   all points rather than a choice of some.
  func weights(from: Int, to: Int, antialias: Bool) -> NDArray {
    let scale = Double(from) / Double(to)
    let stretch = antialias ? max(scale, 1) : 1
    var weights = [Float](repeating: 0, count: from * to)
    for new in 0..<to {
      let center = (Double(new) + 0.5) * scale
      let raw = (0..<from).map { (old: Int) -> Double in
        switch self {
        case .nearest: old == min(Int(center), from - 1) ? 1 : 0
        case .bilinear: max(0, 1 - abs(Double(old) + 0.5 - center) / stretch)
        case .bicubic: Self.cubic(abs(Double(old) + 0.5 - center) / stretch)
        case .area: max(0, min(Double(old + 1), center + scale / 2) - max(Double(old), center - scale / 2))
        }
      }
      let total = raw.reduce(0, +)
      for old in 0..<from { weights[old * to + new] = Float(raw[old] / total) }
    }
    return NDArray(weights, shape: [from, to])
  }

  private static func cubic(_ d: Double) -> Double {
    if d < 1 { return (1.5 * d - 2.5) * d * d + 1 }
    return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0
  }
}

/// Pictures at another size: `y[n, i, j, c] = sum over h, w of rows[h, i] * columns[w, j] * x[n, h, w, c]`, where points
/// are the middles of pixels and weights beyond the edge are left out.
///
/// Two products with constant matrices, which have a gradient as all products have.
///
/// - Parameters:
///   - x: `[N, H, W, C]`, floating-point.
///   - antialias: for shrinking; see `Interpolation`. Pillow always does; TensorFlow and PyTorch do if asked. It changes
///     neither `nearest` nor `area`.
/// - Returns: `[N, height, width, C]`
public func resize(
  _ x: Tensor, height: Int, width: Int, interpolation: Interpolation = .bilinear, antialias: Bool = true
) -> Tensor {
  guard x.isValid else { return x }
  guard x.rank == 4, x.dtype.isFloatingPoint, x.shape[1] > 0, x.shape[2] > 0, height > 0, width > 0 else {
    return x.graph.fail(
      "resize: \(x.type) to \(height)x\(width); it is for pictures [N, height, width, channels] of floating-point "
        + "numbers and sizes of at least 1")
  }
  func resized(_ tensor: Tensor, axis: Int, to size: Int) -> Tensor {
    let old = tensor.shape[axis]
    if old == size { return tensor }
    let weights = interpolation.weights(from: old, to: size, antialias: antialias).converted(to: x.dtype)
    // The axis last, and back: swapping two axes twice leaves them where they were.
    let swap = axis == 1 ? [0, 3, 2, 1] : [0, 1, 3, 2]
    return transpose(matMul(transpose(tensor, swap), x.graph.constant(weights)), swap)
  }
  return resized(resized(x, axis: 2, to: width), axis: 1, to: height)
}
