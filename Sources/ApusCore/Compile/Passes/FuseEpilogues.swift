extension Compiler.Pass {
  /// An elementwise node becomes part of the kernel that makes its input.
  static let fuseEpilogues = Self("fuse epilogues") { graph, target in
    graph.fuseEpilogues(target.prepare)
  }
}

extension LoweredGraph {
  /// Folds a pointwise consumer into the kernel that produces its input: bias, activation, ReLU mask, residual sum.
  ///
  /// The other operands must be indexed like the result (all elements, its last axis, or one scalar). A reshape
  /// between the two is moved behind the fused node.
  package mutating func fuseEpilogues(_ prepare: (KernelRequest) -> Prepared?) {
    let uses = useCounts
    var absorbed: Set<Int> = []
    var sequence: [(old: Int, node: Graph.Node)] = []
    var extra = nodes.count
    for id in nodes.indices {
      guard case .pointwise(let expr) = nodes[id].op, expr.randomStates.isEmpty,
        let (producer, fused) = fusedProducer(of: id, expr, uses, absorbed, prepare)
      else {
        sequence.append((id, nodes[id]))
        continue
      }
      absorbed.insert(producer)
      if fused.type.shape == nodes[id].type.shape {
        sequence.append((id, fused))
      } else {
        sequence.append((extra, fused))
        var view = nodes[id]
        view.op = .reshape
        view.inputs = [extra]
        sequence.append((id, view))
        extra += 1
      }
    }
    rebuild(sequence.filter { !absorbed.contains($0.old) })
  }

  /// The node behind the last operand of pointwise node `id` whose kernel can take `expr` over, and what it then is.
  private func fusedProducer(
    of id: Int, _ expr: Expr, _ uses: [Int], _ absorbed: Set<Int>, _ prepare: (KernelRequest) -> Prepared?
  ) -> (producer: Int, fused: Graph.Node)? {
    let consumer = nodes[id]
    let candidates = consumer.inputs.enumerated().sorted { $0.element > $1.element }
    for (slot, input) in candidates where uses[input] == 1 && !absorbed.contains(input) {
      var producer = input
      if case .reshape = nodes[input].op { producer = nodes[input].inputs[0] }
      let node = nodes[producer]
      guard uses[producer] == 1, !absorbed.contains(producer), node.op.arity ?? 0 > 0, node.epilogue == nil,
        nodes[input].type.shape == consumer.type.shape, consumer.type.dtype == .float32,
        node.type.dtype == .float32 || node.op == .gather(.forward)
      else { continue }
      let channels = node.type.shape.last ?? 1
      let fits = consumer.inputs.enumerated().allSatisfy { position, operand in
        let type = nodes[operand].type
        return position == slot
          || (type.dtype == .float32
            && (type.count == 1 || type.shape == consumer.type.shape
              || (type.count == channels && type.shape.last == channels && consumer.type.shape.last == channels)))
      }
      guard fits else { continue }
      var fused = node
      var slots: [Expr] = []
      for (position, operand) in consumer.inputs.enumerated() {
        if position != slot { fused.inputs.append(operand) }
        slots.append(.input(position == slot ? 0 : fused.epilogueOperands.count))
      }
      fused.epilogue = expr.substituting(slots)
      fused.type.dtype = consumer.type.dtype
      if prepared(fused, by: prepare)?.takesEpilogue ?? false { return (producer, fused) }
    }
    return nil
  }
}
