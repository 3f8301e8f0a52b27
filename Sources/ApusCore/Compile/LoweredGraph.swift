/// The nodes that a plan runs: those that its outputs and updates need, with fused ones replaced.
package struct LoweredGraph {
  package var nodes: [Graph.Node]
  /// New index of each wanted node of the traced graph.
  package var index: [Int: Int]
  /// Nodes that must survive: outputs, observations, updates (new indices).
  package var roots: Set<Int>

  /// Copies what `wanted` and the graph's updates need, in order; updates go last.
  package init(_ graph: Graph, wanted: [Int]) {
    nodes = graph.nodes
    index = Dictionary(uniqueKeysWithValues: graph.nodes.indices.map { ($0, $0) })
    let updates = Set(graph.updates)
    roots = Set(wanted).union(updates)
    let order = graph.nodes.indices.filter { !updates.contains($0) } + graph.updates
    rebuild(order.map { ($0, graph.nodes[$0]) })
  }

  /// Replaces the nodes by `sequence` (old index, node with old operand indices), dropping what no root needs.
  mutating func rebuild(_ sequence: [(old: Int, node: Graph.Node)]) {
    var needed = roots
    for (old, node) in sequence.reversed() where needed.contains(old) { needed.formUnion(node.inputs) }
    var moved: [Int: Int] = [:]
    var result: [Graph.Node] = []
    for (old, node) in sequence where needed.contains(old) {
      var node = node
      node.inputs = node.inputs.map { moved[$0]! }
      moved[old] = result.count
      result.append(node)
    }
    nodes = result
    roots = Set(roots.map { moved[$0]! })
    index = index.compactMapValues { moved[$0] }
  }

  /// Number of consumers of each node; being a root counts as one.
  var useCounts: [Int] {
    var counts = nodes.indices.map { roots.contains($0) ? 1 : 0 }
    for node in nodes { for input in Set(node.inputs) { counts[input] += 1 } }
    return counts
  }
}

extension LoweredGraph {
  /// The node whose elements `id` shows under another shape.
  package func storageRoot(_ id: Int) -> Int {
    nodes[id].op.facts.storage == .view ? storageRoot(nodes[id].inputs[0]) : id
  }

  /// Whether the node's elements are computed by a kernel into memory of its own, and not, maybe, a view.
  package func ownsStorage(_ id: Int) -> Bool { nodes[id].op.facts.storage == .own }
}

extension LoweredGraph {
  /// What the device has for a node whose inputs are numbers of this graph; `nil` for nodes that need no kernel, and
  /// where it has none.
  func prepared(_ node: Graph.Node, by prepare: (KernelRequest) -> Prepared?) -> Prepared? {
    node.needsKernel ? prepare(KernelRequest(node, in: nodes)) : nil
  }
}

extension Graph.Node {
  /// Whether there is something to compute.
  var needsKernel: Bool { op.facts.storage.hasKernel && type.count > 0 }
}

extension LoweredGraph: CustomStringConvertible {
  package var description: String { nodes.indices.map { nodes[$0].line($0) }.joined(separator: "\n") }
}
