import ApusCore

/// Any backend as far as plans ask it: it answers and gives memory, and has nothing to run.
final class PlannedBackend<B: Backend>: Backend {
  private let inner: B

  init(_ inner: B) { self.inner = inner }

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

  func allocate(_ byteCount: Int) throws(BackendError) -> B.Buffer { try inner.allocate(byteCount) }
  func slice(_ buffer: B.Buffer, _ range: Range<Int>) throws(BackendError) -> B.Buffer {
    try inner.slice(buffer, range)
  }
  func copy(_ bytes: UnsafeRawBufferPointer, to buffer: B.Buffer) throws(BackendError) {
    try inner.copy(bytes, to: buffer)
  }
  func copy(_ buffer: B.Buffer, to bytes: UnsafeMutableRawBufferPointer) throws(BackendError) {
    try inner.copy(buffer, to: bytes)
  }

  func kernel(for invocation: Invocation<B.Buffer>) throws(BackendError) {}
  func run(_ kernels: [Void]) throws(BackendError) {}
  func profile(_ kernels: [Void]) throws(BackendError) -> [[RunProfile.Launch]] { [] }
}
