import ApusCore

extension CPUBackend {
  /// `targets[j][i] = expressions[j](x0[i], x1[i], ...)`, over tiles on all threads.
  func pointwise(
    _ expressions: [Expr], _ invocation: Invocation<CPUBuffer>, into targets: [Operand<CPUBuffer>]
  ) throws(BackendError) -> CPUKernel.Body {
    let states = expressions.reduce(into: Set<Int>()) { $0.formUnion($1.randomStates) }
    var operands: [TileOperand] = []
    for (position, input) in invocation.inputs.enumerated() {
      operands.append(
        states.contains(position) ? .state(input.floats) : TileOperand(input, filling: invocation.output.shape))
    }
    let program = try TileProgram(
      expressions, operands: operands, targets: targets.map(\.floats), scratch: tileScratch,
      memoryLimit: device.memoryBytes)
    return program.loop(over: invocation.output.count)
  }

  /// The invocation's epilogue as a program that runs in place over any part of the result; `nil` for none.
  func epilogueProgram(_ invocation: Invocation<CPUBuffer>) throws(BackendError) -> TileProgram? {
    guard let epilogue = invocation.epilogue else { return nil }
    let result = invocation.output
    return try TileProgram(
      [epilogue],
      operands: [.whole(result.floats)] + invocation.epilogueInputs.map { TileOperand($0, finishing: result.type) },
      targets: [result.floats], scratch: tileScratch, memoryLimit: device.memoryBytes)
  }
}

extension Pointwise: CPUOperation {
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    try backend.pointwise([expr], invocation, into: [invocation.output])
  }

  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    invocation.referencePointwise([expr], into: [invocation.output])
  }
}

extension Update: CPUOperation {
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    try backend.pointwise(expressions, invocation, into: targets.map { invocation.inputs[$0] })
  }

  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    invocation.referencePointwise(expressions, into: targets.map { invocation.inputs[$0] })
  }
}
