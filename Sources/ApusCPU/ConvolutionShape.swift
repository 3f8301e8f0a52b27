import ApusCore

/// Sizes of a convolution, the same for its three passes; images NHWC, filters `[R, S, C / groups, K]`.
struct ConvolutionShape {
  var n: Int
  let c: Int
  var h: Int, w: Int
  let r: Int, s: Int, k: Int
  let p: Int, q: Int
  let groups: Int
  var window: WindowGeometry

  /// - Parameters:
  ///   - image: the forward pass's input, or its gradient.
  ///   - result: the forward pass's result, or its gradient.
  init(_ attributes: Conv2DAttributes, image: [Int], filter: [Int], result: [Int]) {
    (n, h, w, c) = (image[0], image[1], image[2], image[3])
    (r, s, k) = (filter[0], filter[1], filter[3])
    (p, q) = (result[1], result[2])
    groups = attributes.groups
    window = attributes.window
  }

  /// Channels of one group.
  var groupInputs: Int { c / groups }
  var groupOutputs: Int { k / groups }
}
