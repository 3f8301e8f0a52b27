extension Compiler.Pass {
  /// A normalisation's gradients by its input and by its parameters, which read the same, become one node.
  static let mergeNormalizationGradients = Self("merge normalization gradients") { graph, target in
    graph.mergeNormalizationGradients(target.prepare)
  }
}

extension LoweredGraph {
  /// Makes one node of both gradients where the device has a kernel for it and the first has no epilogue, which would
  /// save as much.
  ///
  /// Comes after the batch was cut into parts: only rows by themselves can go through the graph in parts.
  package mutating func mergeNormalizationGradients(_ prepare: (KernelRequest) -> Prepared?) {
    var sequence: [(old: Int, node: Graph.Node)] = nodes.enumerated().map { ($0.offset, $0.element) }
    var extra = nodes.count
    for (id, node) in nodes.enumerated() {
      guard case .normalization(let input) = node.op, input.pass == .inputGradient, node.epilogue == nil,
        let other = nodes.indices.first(where: {
          nodes[$0].op == .normalization(input.with(.parameterGradients))
            && nodes[$0].inputs == node.inputs
        })
      else { continue }
      let (count, parameters) = (node.type.count, nodes[other].type.count)
      let start = Normalization.parameterStart(count)
      var both = node
      both.op = .normalization(input.with(.gradients))
      both.type = TensorType(shape: [start + parameters], dtype: node.type.dtype)
      guard prepared(both, by: prepare) != nil else { continue }
      let number = extra
      extra += 3
      func piece(_ old: Int, _ start: Int, _ size: Int, _ label: String) -> (old: Int, node: Graph.Node) {
        (
          old,
          Graph.Node(
            op: .slice(Slice(starts: [start], steps: [1])), inputs: [number],
            type: TensorType(shape: [size], dtype: node.type.dtype), label: label)
        )
      }
      func view(_ old: Int, of piece: Int) -> (old: Int, node: Graph.Node) {
        (old, Graph.Node(op: .reshape, inputs: [piece], type: nodes[old].type, label: nodes[old].label))
      }
      let first = min(id, other)
      let at = sequence.firstIndex { $0.old == first }!
      let added = [
        (number, both), piece(number + 1, 0, count, node.label), view(id, of: number + 1),
        piece(number + 2, start, parameters, nodes[other].label), view(other, of: number + 2),
      ]
      sequence.removeAll { $0.old == id || $0.old == other }
      sequence.insert(contentsOf: added, at: at)
    }
    rebuild(sequence)
  }
}
