extension Compiler.Pass {
  /// Sums over the same rows become one node.
  static let mergeChannelSums = Self("merge channel sums") { graph, target in
    graph.mergeChannelSums()
  }
}

extension LoweredGraph {
  /// Makes one node of channel sums over the same rows, so that what they share is read once.
  ///
  /// Sums join the first of them that has a full operand of theirs, where all their operands exist there already.
  package mutating func mergeChannelSums() {
    var groups: [(first: Int, sums: ChannelSums, inputs: [Int], members: [(node: Int, row: Int)])] = []
    for (id, node) in nodes.enumerated() {
      guard case .channelSums(let sums) = node.op else { continue }
      let group = groups.firstIndex { group in
        nodes[group.inputs[0]].type == nodes[node.inputs[0]].type && group.sums.sample == sums.sample
          && node.inputs.allSatisfy { $0 < group.first }
          && node.inputs.contains { group.inputs.contains($0) && nodes[$0].type == nodes[node.inputs[0]].type }
          && Set(group.inputs + node.inputs).count <= Self.maximumOperands
      }
      guard let group else {
        groups.append((id, sums, node.inputs, [(id, 0)]))
        continue
      }
      for input in node.inputs where !groups[group].inputs.contains(input) { groups[group].inputs.append(input) }
      let slots = node.inputs.map { Expr.input(groups[group].inputs.firstIndex(of: $0)!) }
      for expression in sums.expressions.map({ $0.substituting(slots) }) {
        let known = groups[group].sums.expressions.firstIndex(of: expression)
        if known == nil { groups[group].sums.expressions.append(expression) }
        groups[group].members.append((id, known ?? groups[group].sums.expressions.count - 1))
      }
    }
    var sequence: [(old: Int, node: Graph.Node)] = nodes.enumerated().map { ($0.offset, $0.element) }
    var extra = nodes.count
    for group in groups.reversed() where group.members.count > 1 {
      var merged = nodes[group.first]
      merged.op = .channelSums(group.sums)
      merged.inputs = group.inputs
      merged.type.shape[0] = group.sums.expressions.count
      for (member, row) in group.members {
        let at = sequence.firstIndex { $0.old == member }!
        sequence[at].node.op = .slice(Slice(starts: [row, 0], steps: [1, 1]))
        sequence[at].node.inputs = [extra]
      }
      sequence.insert((extra, merged), at: sequence.firstIndex { $0.old == group.first }!)
      extra += 1
    }
    rebuild(sequence)
  }
}
