/// What a node computes. One result each; attributes only, operands are the node's inputs.
///
/// `facts` is the one place that tells all operations: passes ask these, and backends have an extension of each.
package enum Op: Hashable, Sendable {
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
  case convolution(Convolution)

  // Windows
  case pooling(Pooling)

  // Rows and axes
  case reduce(Reduction)
  case channelSums(ChannelSums)
  case argMax(ArgMax)
  case softmax(SoftmaxKind)
  case crossEntropy(CrossEntropyPass)
  case normalization(Normalization)

  // Shaping
  case reshape
  case transpose(Transpose)
  case slice(Slice)
  case concat(Concatenation)
  case pad(Pad)
  case pack(Packing)
  case gather(GatherPass)

  // Pictures
  case augment(Augment)

  case custom(Custom)

  /// What passes ask for.
  package var facts: any Operation {
    switch self {
    case .input: Leaf.input
    case .constant(let value): Leaf.constant(value)
    case .parameter: Leaf.parameter
    case .pointwise(let expr): Pointwise(expr: expr)
    case .update(let update): update
    case .matMul(let product): product
    case .convolution(let convolution): convolution
    case .pooling(let pooling): pooling
    case .reduce(let reduction): reduction
    case .channelSums(let sums): sums
    case .argMax(let argMax): argMax
    case .softmax(let kind): kind
    case .crossEntropy(let loss): loss
    case .normalization(let normalization): normalization
    case .reshape: Reshape()
    case .transpose(let transpose): transpose
    case .slice(let slice): slice
    case .concat(let concatenation): concatenation
    case .pad(let pad): pad
    case .pack(let packing): packing
    case .gather(let gather): gather
    case .augment(let augment): augment
    case .custom(let custom): custom
    }
  }

  /// Name in listings and profiles.
  package var name: String { facts.name }
  /// Number of operands where it is fixed; see `Operation`.
  package var arity: Int? { facts.arity }

  /// What poolings and scales of channels fold into, and batches go by tiles for.
  package var isForwardConvolution: Bool {
    if case .convolution(let convolution) = self { convolution.pass == .forward } else { false }
  }
}
