package import ApusCore

/// The host's processor as a device.
package final class CPUBackend: Backend {
  package enum Mode: Sendable {
    /// Every core, vector registers, and oneDNN where it is built in.
    case fast
    /// Plain Swift loops on one core that accumulate in double precision: the oracle of all other kernels.
    case reference
  }

  package let device: DeviceDescription
  package let mode: Mode

  package init(mode: Mode = .fast) {
    self.mode = mode
    device = Self.describe(mode)
  }

  package func allocate(_ byteCount: Int) throws(BackendError) -> CPUBuffer {
    // The system promises more than it has and stops the process later: refuse what cannot fit.
    guard byteCount <= device.memoryBytes, let buffer = CPUBuffer(byteCount) else {
      throw .outOfMemory(
        requested: byteCount, limit: device.memoryBytes, on: device.identifier, why: "the machine has")
    }
    return buffer
  }

  package func slice(_ buffer: CPUBuffer, _ range: Range<Int>) throws(BackendError) -> CPUBuffer {
    guard range.lowerBound >= 0, range.upperBound <= buffer.byteCount else {
      throw BackendError(.driver, "cpu: bytes \(range) do not lie in a buffer of \(buffer.byteCount) bytes")
    }
    return buffer.slice(range)
  }

  package func copy(_ bytes: UnsafeRawBufferPointer, to buffer: CPUBuffer) throws(BackendError) {
    try requireRoom(for: bytes.count, in: buffer)
    if let source = bytes.baseAddress { buffer.base.copyMemory(from: source, byteCount: bytes.count) }
  }

  package func copy(_ buffer: CPUBuffer, to bytes: UnsafeMutableRawBufferPointer) throws(BackendError) {
    try requireRoom(for: bytes.count, in: buffer)
    bytes.baseAddress?.copyMemory(from: buffer.base, byteCount: bytes.count)
  }

  private func requireRoom(for byteCount: Int, in buffer: CPUBuffer) throws(BackendError) {
    guard byteCount <= buffer.byteCount else {
      throw BackendError(.driver, "cpu: cannot copy \(byteCount) bytes, the buffer has \(buffer.byteCount)")
    }
  }

  package func fusesEpilogue(of op: Op) -> Bool { op.arity != nil && op.arity != 0 && op != .reshape }

  package func workspaceByteCount(for op: Op, inputs: [TensorType], output: TensorType) -> Int { 0 }

  package func kernel(for invocation: Invocation<CPUBuffer>) throws(BackendError) -> CPUKernel {
    CPUKernel(invocation, invocation.referenceKernel())
  }

  package func run(_ kernels: [CPUKernel]) throws(BackendError) {
    for kernel in kernels { kernel.body() }
  }
}
