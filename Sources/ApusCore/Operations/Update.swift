/// New values for parameters, each an expression of the inputs: `target[i] <- expression[i](x0[j], x1[j], ...)`.
///
/// One launch reads all inputs at an index before it writes, so an optimizer's weight, momentum and variance are one
/// `Update` over flat arenas.
public struct Update: Hashable, Sendable, CustomStringConvertible {
  public var expressions: [Expr]
  /// Inputs (they must be parameters) that the expressions replace.
  public var targets: [Int]

  public var description: String {
    zip(targets, expressions).map { "x\($0) <- \($1)" }.joined(separator: "; ")
  }
}

extension Update: Operation {
  package var name: String { "update" }
  package var attributes: String { description }
  package var arity: Int? { nil }
  package var storage: StorageRule { .targets }
  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule { .whole }
  package func gradients(_ site: GradientSite) -> [Tensor?]? { nil }
}

extension Graph {
  /// Replaces the values of `parameters` by `expressions` of `inputs`, after everything else in the graph has run.
  ///
  /// - Parameters:
  ///   - parameters: what is written; in the expressions, input i is the i-th parameter.
  ///   - inputs: what else is read: expression inputs from `parameters.count` on. Shapes equal those of the
  ///     parameters, or broadcast to them.
  ///   - expressions: one for each parameter.
  package func update(_ parameters: [Parameter], reading inputs: [Tensor], _ expressions: [Expr]) {
    let targets = parameters.map { parameter($0) }
    guard let first = targets.first, (targets + inputs).allSatisfy(\.isValid) else { return }
    guard
      targets.allSatisfy({ $0.shape == first.shape && $0.dtype == first.dtype }),
      inputs.allSatisfy({ broadcastShape($0.shape, first.shape) == first.shape })
    else {
      fail(
        "update of \(parameters.map(\.name)): shapes \(targets.map { $0.shape.shapeDescription }) read "
          + "\(inputs.map { $0.shape.shapeDescription }); parameters must have one shape and the rest broadcast to it")
      return
    }
    let update = Update(expressions: expressions, targets: Array(parameters.indices))
    let node = append(.update(update), targets + inputs, first.type, label: "update")
    if node.isValid { updates.append(node.id) }
  }
}
