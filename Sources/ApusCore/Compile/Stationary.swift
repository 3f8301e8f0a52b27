// What depends on parameters alone is computed when they change, not in every run.

extension Parameter {
  /// The box whose memory holds this one's value.
  var storage: Parameter { home?.arena ?? self }
}

extension LoweredGraph {
  /// Parameters' memory that the updates of this graph write.
  var writtenStorages: [Parameter] {
    var found: [Parameter] = []
    for node in nodes {
      guard case .update(let update) = node.op else { continue }
      for target in update.targets {
        let storage = nodes[node.inputs[target]].parameter!.storage
        if !found.contains(where: { $0 === storage }) { found.append(storage) }
      }
    }
    return found
  }

  /// Nodes whose value only a change of parameters from outside of this graph can change.
  package func stationaryNodes() -> Set<Int> {
    let written = writtenStorages
    var found: Set<Int> = []
    for (id, node) in nodes.enumerated() {
      let isStationary =
        switch node.op.facts.storage {
        case .feed, .targets, .pieces: false
        case .constant: true
        case .parameter: !written.contains { $0 === node.parameter!.storage }
        case .own, .view, .piece: node.inputs.allSatisfy(found.contains)
        }
      if isStationary { found.insert(id) }
    }
    return found
  }
}
