import ApusCore
import COpenCL

/// Host memory for small writes that the device reads later, so that the caller's bytes are free at once.
///
/// A blocking write waits on some drivers (pocl) for everything in the queue. A slot is used again when the device has
/// read it, which also keeps the host from running more than a few steps ahead.
final class StagingRing {
  /// Larger writes wait instead.
  static let largestWrite = 4 << 20
  private static let slotCount = 32

  private struct Slot {
    var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    var event: cl_event?
  }

  private let context: OpenCLContext
  private var slots = [Slot](repeating: Slot(), count: slotCount)
  private var next = 0

  init(_ context: OpenCLContext) { self.context = context }

  deinit {
    _ = context.cl.clFinish(context.queue)
    for slot in slots {
      if let event = slot.event { _ = context.cl.clReleaseEvent(event) }
      slot.bytes.deallocate()
    }
  }

  /// Copies `bytes` and appends their write to the queue.
  func write(_ bytes: UnsafeRawBufferPointer, to memory: cl_mem) throws(BackendError) {
    let index = next
    next = (next + 1) % slots.count
    try wait(index)
    if slots[index].bytes.count < bytes.count {
      slots[index].bytes.deallocate()
      slots[index].bytes = .allocate(byteCount: bytes.count, alignment: 64)
    }
    let staged = slots[index].bytes
    staged.copyMemory(from: bytes)
    try context.check(
      context.cl.clEnqueueWriteBuffer(
        context.queue, memory, cl_bool(CL_FALSE), 0, bytes.count, staged.baseAddress, 0, nil, &slots[index].event),
      "clEnqueueWriteBuffer of \(bytes.count.formattedBytes)")
  }

  /// Waits for all writes, one after the other. Before a wait for the whole queue, which may hold many steps, this
  /// keeps each single call about as short as a step, so that one which takes long has met a device that hangs.
  func drain() throws(BackendError) {
    for offset in slots.indices { try wait((next + offset) % slots.count) }
  }

  /// Waits until the device has read a slot.
  private func wait(_ index: Int) throws(BackendError) {
    guard let event = slots[index].event else { return }
    let status = context.cl.clWaitForEvents(1, &slots[index].event)
    _ = context.cl.clReleaseEvent(event)
    slots[index].event = nil
    try context.check(status, "clWaitForEvents")
  }
}
