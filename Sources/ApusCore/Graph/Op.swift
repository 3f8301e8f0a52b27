/// What a node computes. One result each; attributes only, operands are the node's inputs.
///
/// `facts` is the one place of the core that tells all operations; backends have a kernel for each.
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

  /// What passes ask for.
  package var facts: any Operation {
    switch self {
    case .input: Leaf.input
    case .constant(let value): Leaf.constant(value)
    case .parameter: Leaf.parameter
    case .pointwise(let expr): Pointwise(expr: expr)
    case .update(let update): update
    case .matMul(let product): product
    case .conv2D(let attributes): Convolution(attributes, .forward)
    case .conv2DInputGradient(let attributes): Convolution(attributes, .inputGradient)
    case .conv2DFilterGradient(let attributes): Convolution(attributes, .filterGradient)
    case .pool2D(let attributes): Pooling(pooling: attributes, isGradient: false)
    case .pool2DGradient(let attributes): Pooling(pooling: attributes, isGradient: true)
    case .reduce(let reduction): reduction
    case .channelSums(let sums): sums
    case .argMax(let axis): ArgMax(axis: axis)
    case .softmax(let kind): kind
    case .crossEntropy(let attributes): CrossEntropyPass(loss: attributes, isGradient: false)
    case .crossEntropyGradient(let attributes): CrossEntropyPass(loss: attributes, isGradient: true)
    case .reshape: Reshape()
    case .transpose(let permutation): Transpose(permutation: permutation)
    case .slice(let slice): slice
    case .concat(let axis): Concatenation(axis: axis)
    case .pad(let pad): pad
    case .pack(let offsets): Packing(offsets: offsets)
    case .gather: GatherPass.forward
    case .gatherGradient: GatherPass.gradient
    }
  }

  /// Name in listings and profiles.
  public var name: String { facts.name }
  /// Number of operands where it is fixed; see `Operation`.
  package var arity: Int? { facts.arity }
}
