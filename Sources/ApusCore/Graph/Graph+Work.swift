// How much a computation has to do, whichever kernel does it: what rates are said in.

extension Graph {
  /// Floating-point operations of all convolutions and products of the graph.
  package var contractionOperations: Double { nodes.reduce(0) { $0 + $1.contractionOperations(in: nodes) } }
}

extension Graph.Node {
  /// Floating-point operations of the node, if it is a convolution or a product.
  package func contractionOperations(in nodes: [Graph.Node]) -> Double {
    op.facts.contractionOperations(inputs: operands.map { nodes[$0].type.shape }, result: resultType.shape)
  }

  /// Bytes that the node has to read and to write at least: every operand once, those of the epilogue included, and the
  /// result. What a kernel reads again or keeps in between is not counted.
  package func transferredBytes(in nodes: [Graph.Node]) -> Int {
    var read = 0
    for input in Set(inputs) {
      let operand = nodes[input].type
      switch op {
      // Of a large table, the part that is taken.
      case .gather(.forward) where input == inputs[0], .slice where input == inputs[0]:
        read += min(operand.byteCount, resultType.count * operand.dtype.byteCount)
      default: read += operand.byteCount
      }
    }
    guard case .update(let update) = op else { return read + type.byteCount }
    return update.targets.reduce(read) { $0 + nodes[inputs[$1]].type.byteCount }
  }
}
