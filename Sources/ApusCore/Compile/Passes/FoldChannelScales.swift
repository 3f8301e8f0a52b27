extension Compiler.Pass {
  /// A scale of channels that stays becomes part of the filters before it.
  static let foldChannelScales = Self("fold channel scales") { graph, target in
    graph.foldChannelScales()
  }
}

extension LoweredGraph {
  /// Folds a stationary scale of a convolution's channels, such as batch normalization's in inference, into its filter:
  /// `a[k] * conv(x, f) + b[k]` becomes `conv(x, a * f) + b`, where `a * f` and `b` are computed once.
  package mutating func foldChannelScales() {
    let stationary = stationaryNodes()
    var sequence: [(old: Int, node: Graph.Node)] = []
    var extra = nodes.count
    for (id, node) in nodes.enumerated() {
      guard node.op.isForwardConvolution, let epilogue = node.epilogue, stationary.contains(node.inputs[1]),
        let channels = node.type.shape.last
      else {
        sequence.append((id, node))
        continue
      }
      let operands = Array(node.epilogueOperands)
      let perChannel = Set(
        operands.indices.filter {
          stationary.contains(operands[$0]) && [1, channels].contains(nodes[operands[$0]].type.count)
            && nodes[operands[$0]].type.count != node.type.count
        }.map { $0 + 1 })
      guard let (rest, scale, offset) = epilogue.splittingAffinePart(slot: operands.count + 1, constants: perChannel),
        scale != 1
      else {
        sequence.append((id, node))
        continue
      }
      /// A node of an expression of the epilogue's operands, times `factor` where there is one.
      func append(_ expression: Expr, _ factor: Int?, _ type: TensorType) -> Int {
        let read = expression.inputs.sorted()
        let value = expression.renaming(read)
        let inputs = read.map { operands[$0 - 1] }
        let product = factor == nil ? value : .input(read.count) * value
        sequence.append(
          (
            extra,
            Graph.Node(
              op: .pointwise(product), inputs: inputs + (factor.map { [$0] } ?? []), type: type, label: node.label)
          ))
        extra += 1
        return extra - 1
      }
      var folded = node
      let filter = append(scale, node.inputs[1], nodes[node.inputs[1]].type)
      let bias = append(offset, nil, TensorType(shape: [channels], dtype: node.type.dtype))
      let kept = rest.inputs.filter { $0 > 0 && $0 <= operands.count }.sorted()
      folded.inputs = [node.inputs[0], filter, bias] + kept.map { operands[$0 - 1] }
      folded.epilogue = rest.renaming([0, operands.count + 1] + kept)
      sequence.append((id, folded))
    }
    rebuild(sequence)
  }
}

extension Expr {
  /// The largest part of the expression that is `scale * x0 + offset`, where both read inputs of `constants` only,
  /// replaced by `x0 + input(slot)`; `nil` where x0 occurs in several parts.
  fileprivate func splittingAffinePart(slot: Int, constants: Set<Int>) -> (rest: Expr, scale: Expr, offset: Expr)? {
    if let (scale, offset) = affine(constants), scale != 0 { return (.input(0) + .input(slot), scale, offset) }
    func part(_ x: Expr, _ others: [Expr], _ rebuilt: (Expr) -> Expr) -> (Expr, Expr, Expr)? {
      guard !others.contains(where: { $0.inputs.contains(0) }) else { return nil }
      return x.splittingAffinePart(slot: slot, constants: constants).map { (rebuilt($0.rest), $0.scale, $0.offset) }
    }
    switch self {
    case .input, .constant, .random: return nil
    case .unary(let op, let x): return part(x, []) { .unary(op, $0) }
    case .binary(let op, let a, let b):
      return a.inputs.contains(0) ? part(a, [b]) { .binary(op, $0, b) } : part(b, [a]) { .binary(op, a, $0) }
    case .select: return nil
    }
  }

  /// The expression as `scale * x0 + offset`.
  private func affine(_ constants: Set<Int>) -> (scale: Expr, offset: Expr)? {
    switch self {
    case .input(0): return (1, 0)
    case .input(let slot): return constants.contains(slot) ? (0, self) : nil
    case .constant: return (0, self)
    case .unary(.negate, let x): return x.affine(constants).map { (-$0.scale, -$0.offset) }
    case .binary(let op, let a, let b):
      guard let l = a.affine(constants), let r = b.affine(constants) else { return nil }
      switch op {
      case .add: return (l.scale + r.scale, l.offset + r.offset)
      case .subtract: return (l.scale - r.scale, l.offset - r.offset)
      case .multiply where r.scale == 0: return (l.scale * r.offset, l.offset * r.offset)
      case .multiply where l.scale == 0: return (l.offset * r.scale, l.offset * r.offset)
      case .divide where r.scale == 0: return (l.scale / r.offset, l.offset / r.offset)
      case .multiply, .divide, .maximum, .minimum, .power: return nil
      }
    case .unary, .select, .random: return nil
    }
  }
}
