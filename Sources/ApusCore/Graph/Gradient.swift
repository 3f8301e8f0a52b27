extension Graph {
  /// The gradients of `loss` with respect to `targets`, as new nodes of this graph.
  ///
  /// Reverse mode: the array is walked backwards once, and every operation's rule is written in operations, so
  /// gradients are fused, planned and printed like anything else. `loss` may have any shape; the gradient is that of
  /// the sum of its elements. A target that `loss` does not depend on gets zeros.
  public func gradients(of loss: Tensor, with targets: [Tensor]) -> [Tensor] {
    guard failure == nil, loss.isValid, targets.allSatisfy(\.isValid) else {
      return targets.map { _ in Tensor(graph: self, id: -1) }
    }
    guard loss.dtype.isFloatingPoint else {
      let failed = fail("gradients: the loss is \(loss.dtype); it must be a floating-point tensor")
      return targets.map { _ in failed }
    }
    let reaches = nodesReaching(from: Set(targets.map(\.id)), upTo: loss.id)
    var partials: [Int: [Tensor]] = [loss.id: [ones(like: loss)]]
    var total: [Int: Tensor] = [:]
    for id in stride(from: loss.id, through: 0, by: -1) where reaches[id] {
      guard let parts = partials[id], let sum = parts.dropFirst().reduce(parts.first, { $0! + $1 }) else { continue }
      total[id] = sum
      let node = nodes[id]
      let wanted = node.inputs.map { reaches[$0] && nodes[$0].type.dtype.isFloatingPoint }
      guard wanted.contains(true) else { continue }
      let contributions = scope("gradient") { () -> [Tensor?] in
        self.scope(node.label) { inputGradients(of: Tensor(graph: self, id: id), gradient: sum, wanted: wanted) }
      }
      for (input, contribution) in zip(node.inputs, contributions) {
        if let contribution, contribution.isValid { partials[input, default: []].append(contribution) }
      }
    }
    return targets.map { total[$0.id] ?? constant(NDArray(zeros: $0.shape, dtype: $0.dtype)) }
  }

  /// For each node up to `last`, whether a path leads to it from `sources` (sources included).
  private func nodesReaching(from sources: Set<Int>, upTo last: Int) -> [Bool] {
    var reached = [Bool](repeating: false, count: last + 1)
    for id in 0...last {
      reached[id] = sources.contains(id) || (!nodes[id].stopsGradient && nodes[id].inputs.contains { reached[$0] })
    }
    return reached
  }

  private func ones(like tensor: Tensor) -> Tensor {
    let one = tensor.dtype == .float64 ? NDArray(1.0) : NDArray(Float(1))
    return broadcast(constant(one), to: tensor.shape)
  }

  /// For each input of `result`'s node, its share of `gradient` where it is wanted.
  private func inputGradients(of result: Tensor, gradient: Tensor, wanted: [Bool]) -> [Tensor?] {
    let op = nodes[result.id].op
    let inputs = nodes[result.id].inputs.map { Tensor(graph: self, id: $0) }
    let site = GradientSite(inputs: inputs, result: result, gradient: gradient, wanted: wanted)
    if let shares = op.facts.gradients(site) { return shares }
    fail("\(op.name) has no gradient; take the gradient of what comes before it")
    return inputs.map { _ in nil }
  }
}

/// `x` as a constant to `gradients(of:with:)`.
public func stopGradient(_ x: Tensor) -> Tensor {
  guard x.isValid else { return x }
  let view = x.graph.append(.reshape, [x], x.type)
  if view.isValid { x.graph.nodes[view.id].stopsGradient = true }
  return view
}
