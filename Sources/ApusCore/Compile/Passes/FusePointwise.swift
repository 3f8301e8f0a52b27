extension Compiler.Pass {
  /// A chain of elementwise nodes becomes one.
  static let fusePointwise = Self("fuse pointwise chains") { graph, target in
    graph.fusePointwise(target.prepare)
  }
}

extension LoweredGraph {
  /// Largest expression that fusion builds, and most operands that it gives a kernel.
  private static let maximumExpressionSize = 160
  static let maximumOperands = 12

  /// Substitutes single-use pointwise producers into their pointwise consumers, so a chain becomes one kernel.
  ///
  /// Where two chains that meet each start at a node that takes epilogues, one of them is left to its own: a kernel can
  /// take over only one.
  package mutating func fusePointwise(_ prepare: (KernelRequest) -> Prepared? = { _ in nil }) {
    let uses = useCounts
    func startsChain(_ id: Int) -> Bool {
      var node = nodes[id]
      guard uses[id] == 1, node.op.arity ?? 0 > 0, node.epilogue == nil else { return false }
      node.epilogue = .input(0)
      return prepared(node, by: prepare)?.takesEpilogue ?? false
    }
    for id in nodes.indices {
      guard case .pointwise(let expr) = nodes[id].op else { continue }
      var replacements: [Expr] = []
      var operands: [Int] = []
      var size = expr.size
      var hasChain = nodes[id].inputs.contains(where: startsChain)
      func slot(_ operand: Int) -> Expr {
        if let known = operands.firstIndex(of: operand) { return .input(known) }
        operands.append(operand)
        return .input(operands.count - 1)
      }
      for (position, input) in nodes[id].inputs.enumerated() {
        let producer = nodes[input]
        let isState = expr.randomStates.contains(position)
        if case .constant(let value) = producer.op, value.count == 1, !isState {
          replacements.append(.constant(value.item))
        } else if case .pointwise(let inner) = producer.op, !isState, uses[input] == 1 || producer.inputs.isEmpty,
          canInline(producer, inner, into: nodes[id]), size + inner.size <= Self.maximumExpressionSize,
          operands.count + producer.inputs.count <= Self.maximumOperands,
          !(hasChain && producer.inputs.contains(where: startsChain))
        {
          hasChain = hasChain || producer.inputs.contains(where: startsChain)
          size += inner.size
          replacements.append(inner.substituting(producer.inputs.map(slot)))
        } else {
          replacements.append(slot(input))
        }
      }
      nodes[id].op = .pointwise(expr.substituting(replacements))
      nodes[id].inputs = operands
      foldConstant(id)
    }
    rebuild(nodes.enumerated().map { ($0.offset, $0.element) })
  }

  private func canInline(_ producer: Graph.Node, _ expr: Expr, into consumer: Graph.Node) -> Bool {
    guard producer.type.dtype == consumer.type.dtype else { return false }
    // Another shape would compute elements again, and random numbers of other indices.
    return producer.type.shape == consumer.type.shape
      || (producer.type.count == 1 && expr.randomStates.isEmpty)
  }

  /// A pointwise node without operands is a constant: computed now instead of in every run.
  private mutating func foldConstant(_ id: Int) {
    guard nodes[id].inputs.isEmpty, case .pointwise(.constant(let value)) = nodes[id].op else { return }
    let type = nodes[id].type
    let filled =
      type.dtype == .float64
      ? NDArray([Double](repeating: value, count: type.count), shape: type.shape)
      : NDArray([Float](repeating: Float(value), count: type.count), shape: type.shape)
    nodes[id].op = .constant(filled)
  }
}
