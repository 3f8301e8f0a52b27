import ApusCore

/// Any backend as far as plans ask it: it answers and gives memory, and has nothing to run.
final class PlannedBackend<B: Backend>: WrappingBackend {
  let inner: B

  init(_ inner: B) { self.inner = inner }

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
