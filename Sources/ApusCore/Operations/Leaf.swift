/// A value that is there before the graph runs.
package enum Leaf: Hashable, Operation {
  case input, parameter
  case constant(NDArray)

  package var name: String {
    switch self {
    case .input: "input"
    case .parameter: "parameter"
    case .constant: "constant"
    }
  }

  package var attributes: String {
    guard case .constant(let value) = self else { return "" }
    return value.count == 1 ? "\(value.item)" : "\(value)"
  }

  package var arity: Int? { 0 }

  package var storage: StorageRule {
    switch self {
    case .input: .feed
    case .parameter: .parameter
    case .constant: .constant
    }
  }

  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule { .whole }
  package func gradients(_ site: GradientSite) -> [Tensor?]? { [] }
}
