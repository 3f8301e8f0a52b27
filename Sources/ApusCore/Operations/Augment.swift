/// Changes of pictures, other ones for each picture of a batch, one after another.
///
/// What is done to a picture stands in a row of numbers, its edits: `slots` times `EditCode.stride` floats, of which the
/// first tells what the others mean. So pictures of one batch go through other changes in another order by one launch,
/// and nothing is compiled again.
package struct Augment: Hashable, Operation {
  /// Edits of a picture, at most.
  package var slots: Int
  /// What white is: 255 for bytes, 1 for floats. Edits of colours keep values in `0...white`.
  package var white: Float
  /// Whether an edit after the first may read neighbours, for which a picture is copied.
  package var readsNeighbours: Bool

  package var name: String { "augment" }
  package var attributes: String { "slots=\(slots)" }
  package var arity: Int? { 2 }

  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule { .rows([0, 1]) }

  /// Pictures are data: nothing flows back to them.
  package func gradients(_ site: GradientSite) -> [Tensor?]? { nil }
}

/// What an edit does, in the numbering of `kernels/augment.cl`, which has the formulas.
package enum EditCode: Int, Sendable, CaseIterable {
  case none
  // These read the picture elsewhere: the first edit is best one of them.
  case shift, warp, nearest
  // These change each pixel for itself.
  case linear, contrast, saturation, hue, gamma, grey, posterize, solarize
  // These ask all pixels first.
  case autocontrast, equalize
  // These ask a pixel's neighbours.
  case sharpness, blur
  case erase

  /// Floats of an edit: the code, then up to eleven numbers.
  package static let stride = 12

  package var readsNeighbours: Bool {
    switch self {
    case .shift, .warp, .nearest, .sharpness, .blur: true
    default: false
    }
  }

  /// Whether it mixes or weighs channels: grey pictures and those with three channels.
  package var needsColours: Bool {
    switch self {
    case .contrast, .saturation, .hue, .grey: true
    default: false
    }
  }
}

/// Each picture changed by its own edits.
///
/// - Parameters:
///   - pictures: uint8 or float32 `[N, H, W, C]`, with at least one pixel.
///   - edits: float32 `[N, slots * EditCode.stride]`.
///   - readsNeighbours: whether an edit after the first may read neighbours.
/// - Returns: float32 `[N, H, W, C]`, in the units of `pictures`.
package func augment(_ pictures: Tensor, edits: Tensor, readsNeighbours: Bool) -> Tensor {
  guard pictures.isValid, edits.isValid else { return Tensor(graph: pictures.graph, id: -1) }
  guard pictures.rank == 4, pictures.dtype == .uint8 || pictures.dtype == .float32, !pictures.shape.contains(0),
    edits.dtype == .float32, edits.rank == 2, edits.shape[0] == pictures.shape[0], edits.shape[1] > 0,
    edits.shape[1] % EditCode.stride == 0
  else {
    return pictures.graph.fail(
      "augment: pictures \(pictures.type), edits \(edits.type): the pictures must be uint8 or float32 [N, H, W, C], the "
        + "edits float32 [N, a multiple of \(EditCode.stride)]")
  }
  let op = Augment(
    slots: edits.shape[1] / EditCode.stride, white: pictures.dtype == .uint8 ? 255 : 1,
    readsNeighbours: readsNeighbours)
  return pictures.graph.append(.augment(op), [pictures, edits], TensorType(shape: pictures.shape, dtype: .float32))
}
