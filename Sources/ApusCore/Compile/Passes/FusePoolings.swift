extension Compiler.Pass {
  /// A pooling becomes part of the convolution before it.
  static let fusePoolings = Self("fuse poolings") { graph, target in
    graph.fusePoolings(target.prepare)
  }
}

extension LoweredGraph {
  /// Makes a pooling part of the convolution whose result nothing else reads, which then is never stored.
  ///
  /// Training steps keep theirs: the gradient of the pooling reads its input.
  package mutating func fusePoolings(_ prepare: (KernelRequest) -> Prepared?) {
    let uses = useCounts
    var absorbed: Set<Int> = []
    for id in nodes.indices {
      guard case .pooling(let pooling) = nodes[id].op, !pooling.isGradient, nodes[id].epilogue == nil else { continue }
      let producer = nodes[id].inputs[0]
      let node = nodes[producer]
      guard node.op.isForwardConvolution, uses[producer] == 1, node.pooling == nil, node.type.dtype == .float32 else {
        continue
      }
      var fused = node
      fused.pooling = FusedPooling(attributes: pooling.pooling, input: node.type)
      fused.type = nodes[id].type
      guard prepared(fused, by: prepare)?.takesPooling ?? false else { continue }
      nodes[id] = fused
      absorbed.insert(producer)
    }
    rebuild(nodes.enumerated().filter { !absorbed.contains($0.offset) }.map { ($0.offset, $0.element) })
  }
}
