/// What a plan asks a backend: an operation of certain types, and what fusion would make part of its kernel.
package struct KernelRequest: Sendable {
  package var op: Op
  /// Types of the op's operands.
  package var operands: [TensorType]
  /// Type of the result, before the pooling.
  package var result: TensorType
  /// Applied to every element of the result: expression input 0 is the result, input i + 1 is `epilogueOperands[i]`.
  package var epilogue: Expr?
  package var epilogueOperands: [TensorType]
  /// Windows of the result after the epilogue.
  package var pooling: Pool2DAttributes?

  package init(
    op: Op, operands: [TensorType], result: TensorType, epilogue: Expr? = nil, epilogueOperands: [TensorType] = [],
    pooling: Pool2DAttributes? = nil
  ) {
    self.op = op
    self.operands = operands
    self.result = result
    self.epilogue = epilogue
    self.epilogueOperands = epilogueOperands
    self.pooling = pooling
  }

  /// What `node` asks for; its inputs are numbers of `nodes`.
  init(_ node: Graph.Node, in nodes: [Graph.Node]) {
    self.init(
      op: node.op, operands: node.operands.map { nodes[$0].type }, result: node.resultType, epilogue: node.epilogue,
      epilogueOperands: node.epilogueOperands.map { nodes[$0].type }, pooling: node.pooling?.attributes)
  }
}

/// A way to compute an operation of certain types; all ways give the same result up to rounding.
///
/// A backend chooses it when it is asked, the invocation carries it, and the kernel is bound by it.
package protocol KernelSchedule {
  /// Tells it from all others of the same operation and types: shown in listings, and the key that a choice is kept by.
  var name: String { get }
}

/// A backend's answer to a request that it has a kernel for.
package struct Prepared {
  /// `nil` where there is one way.
  package var schedule: (any KernelSchedule)?
  /// Scratch memory that the kernel needs while it runs.
  package var workspaceByteCount: Int
  /// Whether the kernel can apply the request's epilogue. Fusion asks before it folds one in.
  package var takesEpilogue: Bool
  /// Whether the kernel can apply the request's pooling and is the faster for it. Fusion asks before it folds one in.
  package var takesPooling: Bool
  /// The epilogue operand (0 is the first after the result) whose memory the kernel would best take for its result,
  /// each element read before it is written; `nil` for none.
  package var overwrittenOperand: Int?

  package init(
    schedule: (any KernelSchedule)? = nil, workspaceByteCount: Int = 0, takesEpilogue: Bool = false,
    takesPooling: Bool = false, overwrittenOperand: Int? = nil
  ) {
    self.schedule = schedule
    self.workspaceByteCount = workspaceByteCount
    self.takesEpilogue = takesEpilogue
    self.takesPooling = takesPooling
    self.overwrittenOperand = overwrittenOperand
  }
}
