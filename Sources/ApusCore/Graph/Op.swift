/// What a node computes. One result each; attributes only, operands are the node's inputs.
///
/// Every switch over `Op` is exhaustive: adding a case makes the compiler list the places to fill in.
public enum Op: Hashable, Sendable {
  // Leaves
  /// A value given at every run.
  case input
  case constant(NDArray)
  /// The current value of a `Parameter`.
  case parameter

  // Elementwise, with NumPy broadcasting to the node's shape
  case pointwise(Expr)
  /// Writes `expressions[i]` into the parameter that input `targets[i]` is; all inputs have one shape.
  case update(Update)

  // Contractions
  case matMul(MatMul)
  case conv2D(Conv2DAttributes)
  case conv2DInputGradient(Conv2DAttributes)
  case conv2DFilterGradient(Conv2DAttributes)

  // Windows
  case pool2D(Pool2DAttributes)
  case pool2DGradient(Pool2DAttributes)

  // Rows and axes
  case reduce(Reduction)
  case channelSums(ChannelSums)
  case argMax(axis: Int)
  case softmax(SoftmaxKind)
  case crossEntropy(CrossEntropy)
  case crossEntropyGradient(CrossEntropy)

  // Shaping
  case reshape
  case transpose([Int])
  case slice(Slice)
  case concat(axis: Int)
  case pad(Pad)
  /// Lays the inputs flat into one zero-filled vector, input i from element `offsets[i]` on.
  case pack(offsets: [Int])
  case gather
  case gatherGradient

  /// Name in listings and profiles.
  public var name: String {
    switch self {
    case .input: "input"
    case .constant: "constant"
    case .parameter: "parameter"
    case .pointwise: "pointwise"
    case .update: "update"
    case .matMul: "matMul"
    case .conv2D: "conv2D"
    case .conv2DInputGradient: "conv2DInputGradient"
    case .conv2DFilterGradient: "conv2DFilterGradient"
    case .pool2D: "pool2D"
    case .pool2DGradient: "pool2DGradient"
    case .reduce: "reduce"
    case .channelSums: "channelSums"
    case .argMax: "argMax"
    case .softmax: "softmax"
    case .crossEntropy: "crossEntropy"
    case .crossEntropyGradient: "crossEntropyGradient"
    case .reshape: "reshape"
    case .transpose: "transpose"
    case .slice: "slice"
    case .concat: "concat"
    case .pad: "pad"
    case .pack: "pack"
    case .gather: "gather"
    case .gatherGradient: "gatherGradient"
    }
  }

  /// Number of operands where it is fixed; inputs beyond it belong to the node's epilogue. `nil`: any number, and no
  /// epilogue.
  package var arity: Int? {
    switch self {
    case .input, .constant, .parameter: 0
    case .pointwise, .update, .channelSums, .concat, .pack: nil
    case .matMul, .conv2D, .conv2DInputGradient, .conv2DFilterGradient: 2
    case .pool2D: 1
    case .pool2DGradient: 3
    case .reduce, .argMax, .softmax: 1
    case .crossEntropy: 2
    case .crossEntropyGradient: 3
    case .reshape, .transpose, .slice, .pad: 1
    case .gather, .gatherGradient: 2
    }
  }

  /// Attributes as the listing shows them.
  var attributes: String {
    switch self {
    case .input, .parameter, .reshape, .gather, .gatherGradient: ""
    case .constant(let value): value.count == 1 ? "\(value.item)" : "\(value)"
    case .pointwise(let expr): "\(expr)"
    case .update(let update): update.description
    case .matMul(let m): m.description
    case .conv2D(let c), .conv2DInputGradient(let c), .conv2DFilterGradient(let c): c.description
    case .pool2D(let p), .pool2DGradient(let p): p.description
    case .reduce(let r): r.description
    case .channelSums(let s): s.description
    case .argMax(let axis): "axis \(axis)"
    case .softmax(let kind): kind.rawValue
    case .crossEntropy(let c), .crossEntropyGradient(let c): c.description
    case .transpose(let permutation): "\(permutation)"
    case .slice(let slice): slice.description
    case .concat(let axis): "axis \(axis)"
    case .pad(let pad): pad.description
    case .pack(let offsets): "at \(offsets)"
    }
  }
}
