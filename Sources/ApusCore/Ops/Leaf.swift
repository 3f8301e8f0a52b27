/// A value that is there before the graph runs.
enum Leaf: Operation {
  case input, parameter
  case constant(NDArray)

  var name: String {
    switch self {
    case .input: "input"
    case .parameter: "parameter"
    case .constant: "constant"
    }
  }

  var attributes: String {
    guard case .constant(let value) = self else { return "" }
    return value.count == 1 ? "\(value.item)" : "\(value)"
  }

  var arity: Int? { 0 }

  var storage: StorageRule {
    switch self {
    case .input: .feed
    case .parameter: .parameter
    case .constant: .constant
    }
  }

  func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule { .whole }
  func gradients(_ site: GradientSite) -> [Tensor?]? { [] }
}
