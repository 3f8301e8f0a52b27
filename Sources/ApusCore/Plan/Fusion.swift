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
  private var useCounts: [Int] {
    var counts = nodes.indices.map { roots.contains($0) ? 1 : 0 }
    for node in nodes { for input in Set(node.inputs) { counts[input] += 1 } }
    return counts
  }
}

// MARK: - Pointwise chains

extension LoweredGraph {
  /// Largest expression that fusion builds, and most operands that it gives a kernel.
  private static let maximumExpressionSize = 160
  private static let maximumOperands = 12

  /// Substitutes single-use pointwise producers into their pointwise consumers, so a chain becomes one kernel.
  ///
  /// Where two chains that meet each start at a node that takes epilogues, one of them is left to its own: a kernel can
  /// take over only one.
  package mutating func fusePointwise(_ takesEpilogue: (Op) -> Bool = { _ in false }) {
    let uses = useCounts
    func startsChain(_ id: Int) -> Bool {
      uses[id] == 1 && nodes[id].op.arity ?? 0 > 0 && nodes[id].epilogue == nil && takesEpilogue(nodes[id].op)
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

// MARK: - Channel sums

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

// MARK: - Epilogues

extension LoweredGraph {
  /// Folds a pointwise consumer into the kernel that produces its input: bias, activation, ReLU mask, residual sum.
  ///
  /// The other operands must be indexed like the result (all elements, its last axis, or one scalar). A reshape
  /// between the two is moved behind the fused node.
  package mutating func fuseEpilogues(_ canFuse: (Op) -> Bool) {
    let uses = useCounts
    var absorbed: Set<Int> = []
    var sequence: [(old: Int, node: Graph.Node)] = []
    var extra = nodes.count
    for id in nodes.indices {
      guard case .pointwise(let expr) = nodes[id].op, expr.randomStates.isEmpty,
        let (slot, producer) = fusibleProducer(of: id, uses, absorbed, canFuse)
      else {
        sequence.append((id, nodes[id]))
        continue
      }
      var fused = nodes[producer]
      var slots: [Expr] = []
      for (position, operand) in nodes[id].inputs.enumerated() {
        if position == slot {
          slots.append(.input(0))
        } else {
          fused.inputs.append(operand)
          slots.append(.input(fused.epilogueOperands.count))
        }
      }
      fused.epilogue = expr.substituting(slots)
      fused.type.dtype = nodes[id].type.dtype
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

  /// The last operand of pointwise node `id` whose kernel can take the node over.
  private func fusibleProducer(
    of id: Int, _ uses: [Int], _ absorbed: Set<Int>, _ canFuse: (Op) -> Bool
  ) -> (slot: Int, producer: Int)? {
    let consumer = nodes[id]
    let candidates = consumer.inputs.enumerated().sorted { $0.element > $1.element }
    for (slot, input) in candidates where uses[input] == 1 && !absorbed.contains(input) {
      var producer = input
      if case .reshape = nodes[input].op { producer = nodes[input].inputs[0] }
      let node = nodes[producer]
      guard uses[producer] == 1, !absorbed.contains(producer), node.op.arity ?? 0 > 0, node.epilogue == nil,
        canFuse(node.op), nodes[input].type.shape == consumer.type.shape, consumer.type.dtype == .float32,
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
      if fits { return (slot, producer) }
    }
    return nil
  }
}

// MARK: - Poolings

extension LoweredGraph {
  /// Makes a pooling part of the convolution whose result nothing else reads, which then is never stored.
  ///
  /// Training steps keep theirs: the gradient of the pooling reads its input.
  package mutating func fusePoolings(_ canFuse: (Pool2DAttributes, Op, [TensorType], _ result: TensorType) -> Bool) {
    let uses = useCounts
    var absorbed: Set<Int> = []
    for id in nodes.indices {
      guard case .pooling(let pooling) = nodes[id].op, !pooling.isGradient, nodes[id].epilogue == nil else { continue }
      let producer = nodes[id].inputs[0]
      let node = nodes[producer]
      guard node.op.isForwardConvolution, uses[producer] == 1, node.pooling == nil, node.type.dtype == .float32,
        canFuse(pooling.pooling, node.op, node.operands.map { nodes[$0].type }, node.type)
      else { continue }
      var fused = node
      fused.pooling = FusedPooling(attributes: pooling.pooling, input: node.type)
      fused.type = nodes[id].type
      nodes[id] = fused
      absorbed.insert(producer)
    }
    rebuild(nodes.enumerated().filter { !absorbed.contains($0.offset) }.map { ($0.offset, $0.element) })
  }
}

// MARK: - Packed vectors

extension LoweredGraph {
  /// Makes every operand of a `pack` a node that can be computed in its place there: leaves, views of leaves and
  /// operands of two packs are copied first.
  package mutating func separatePackOperands() {
    var sequence: [(old: Int, node: Graph.Node)] = []
    var placed: Set<Int> = []
    var extra = nodes.count
    for id in nodes.indices {
      guard case .pack = nodes[id].op else {
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

  /// The node whose elements `id` shows under another shape.
  package func storageRoot(_ id: Int) -> Int {
    nodes[id].op.facts.storage == .view ? storageRoot(nodes[id].inputs[0]) : id
  }

  /// Whether the node's elements are computed by a kernel into memory of its own, and not, maybe, a view.
  package func ownsStorage(_ id: Int) -> Bool { nodes[id].op.facts.storage == .own }
}

extension LoweredGraph: CustomStringConvertible {
  package var description: String { nodes.indices.map { nodes[$0].line($0) }.joined(separator: "\n") }
}
