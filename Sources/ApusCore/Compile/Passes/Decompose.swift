extension Compiler.Pass {
  /// An operation that the device has no kernel for becomes what it is made of.
  static let decompose = Self("decompose", isRequired: true) { graph, target in
    graph.decompose(target.prepare)
  }
}

extension LoweredGraph {
  package mutating func decompose(_ prepare: (KernelRequest) -> Prepared?) {
    // What an operation is made of may be made of others.
    while true {
      let missing = nodes.map { $0.needsKernel && prepared($0, by: prepare) == nil }
      if !missing.contains(true) { return }
      var sequence: [(old: Int, node: Graph.Node)] = []
      var extra = nodes.count
      for (id, node) in nodes.enumerated() {
        guard missing[id] else {
          sequence.append((id, node))
          continue
        }
        let (inner, result) = node.op.facts.traced(node.inputs.map { nodes[$0].type })
        precondition(inner.failure == nil, "\(node.op.name): \(inner.failure!.message)")
        let parts = LoweredGraph(inner, wanted: [result.id])
        // Numbers of the inner nodes out here.
        var numbers = [Int](repeating: 0, count: parts.nodes.count)
        for (position, input) in inner.inputs.enumerated() {
          if let index = parts.index[input.id] { numbers[index] = node.inputs[position] }
        }
        for (index, part) in parts.nodes.enumerated() {
          if case .input = part.op { continue }
          numbers[index] = extra
          extra += 1
          var part = part
          part.inputs = part.inputs.map { numbers[$0] }
          part.label = node.label
          sequence.append((numbers[index], part))
        }
        // Whoever reads the node reads this.
        sequence.append(
          (
            id,
            Graph.Node(
              op: .reshape, inputs: [numbers[parts.index[result.id]!]], type: node.type, label: node.label)
          ))
      }
      rebuild(sequence)
    }
  }
}
