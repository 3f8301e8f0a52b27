/// The sizes of a convolution, the same for its three passes, in the field's letters: images `[N, H, W, C]`, filters
/// `[R, S, C / groups, K]`, results `[N, P, Q, K]`.
package struct ConvolutionShape {
  package var n: Int, h: Int, w: Int, c: Int
  package let r: Int, s: Int, k: Int
  package let p: Int, q: Int
  package let groups: Int
  package var window: WindowGeometry

  /// - Parameters:
  ///   - operands: of the pass.
  ///   - result: what it computes.
  package init(_ convolution: Convolution, operands: [TensorType], result: TensorType) {
    let arrays = convolution.pass.arrays(operands.map(\.shape), computed: result.shape)
    (n, h, w, c) = (arrays.images[0], arrays.images[1], arrays.images[2], arrays.images[3])
    (r, s, k) = (arrays.filter[0], arrays.filter[1], arrays.filter[3])
    (p, q) = (arrays.result[1], arrays.result[2])
    groups = convolution.geometry.groups
    window = convolution.geometry.window
  }

  /// Channels of images, and filters, of one group.
  package var groupC: Int { c / groups }
  package var groupK: Int { k / groups }
  package var filterCount: Int { r * s * groupC * k }
  package var isDepthwise: Bool { groups > 1 && c == groups && k == groups }
  /// Whether every pixel of the result is the product of one of the images and a matrix.
  package var isPixelwise: Bool {
    r == 1 && s == 1 && groups == 1 && window.strideX == 1 && window.strideY == 1 && (p, q) == (h, w)
      && (window.top, window.left) == (0, 0)
  }
}
