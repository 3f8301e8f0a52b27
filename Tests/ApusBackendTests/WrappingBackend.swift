import ApusCore

/// A backend that answers what plans ask as another one does.
protocol WrappingBackend: Backend {
  associatedtype Inner: Backend
  var inner: Inner { get }
}

extension WrappingBackend {
  var device: DeviceDescription { inner.device }
  var batchTileBytes: Int { inner.batchTileBytes }
  func hasKernel(for op: Op) -> Bool { inner.hasKernel(for: op) }
  func fusesEpilogue(of op: Op) -> Bool { inner.fusesEpilogue(of: op) }
  func fusesPooling(_ pooling: Pool2DAttributes, of op: Op, inputs: [TensorType], result: TensorType) -> Bool {
    inner.fusesPooling(pooling, of: op, inputs: inputs, result: result)
  }
  func overwrittenOperand(of op: Op, epilogue: Expr, operands: [TensorType], result: TensorType) -> Int? {
    inner.overwrittenOperand(of: op, epilogue: epilogue, operands: operands, result: result)
  }
  func workspaceByteCount(for op: Op, inputs: [TensorType], output: TensorType) -> Int {
    inner.workspaceByteCount(for: op, inputs: inputs, output: output)
  }
}
