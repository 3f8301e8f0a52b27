extension Compiler.Pass {
  /// Each operand of a packed vector can be computed in its place.
  static let separatePackOperands = Self("separate operands of packs", isRequired: true) { graph, target in
    graph.separatePackOperands()
  }
}

extension LoweredGraph {
  /// Makes every operand of a `pack` a node that can be computed in its place there: leaves, views of leaves and
  /// operands of two packs are copied first.
  package mutating func separatePackOperands() {
    var sequence: [(old: Int, node: Graph.Node)] = []
    var placed: Set<Int> = []
    var extra = nodes.count
    for id in nodes.indices {
      guard nodes[id].op.facts.storage == .pieces else {
        sequence.append((id, nodes[id]))
        continue
      }
      var pack = nodes[id]
      for (position, operand) in pack.inputs.enumerated() {
        let root = storageRoot(operand)
        if ownsStorage(root), nodes[root].type.count == nodes[operand].type.count, placed.insert(root).inserted {
          continue
        }
        let type = nodes[operand].type
        sequence.append(
          (extra, Graph.Node(op: .pointwise(.input(0)), inputs: [operand], type: type, label: pack.label)))
        pack.inputs[position] = extra
        extra += 1
      }
      sequence.append((id, pack))
    }
    rebuild(sequence)
  }
}
